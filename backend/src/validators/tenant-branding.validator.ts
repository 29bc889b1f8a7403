import { z } from 'zod';
import { isoDate, text } from '../utils/fields.ts';

const colour = z
  .string()
  .trim()
  .toLowerCase()
  .regex(/^#[0-9a-f]{6}$/, 'must be a colour such as #1b5e20')
  .meta({ description: 'Stored in lower case', example: '#1b5e20' });

export const brandingBody = z.strictObject({
  displayName: text(80)
    .nullable()
    .optional()
    .meta({ description: 'What the people of the tenant see; null: its name', example: 'Saraswati' }),
  tagline: text(160).nullable().optional().meta({ example: 'A quiet seat, from six to eleven' }),
  colors: z
    .strictObject({ primary: colour.nullable().optional(), accent: colour.nullable().optional() })
    .optional()
    .meta({ description: 'Null: that of the product' }),
});

const shownColour = z.string().nullable().meta({ description: 'Null: that of the product', example: '#1b5e20' });

export const branding = z
  .object({
    displayName: z.string().meta({ description: 'The name of the tenant where it has no other', example: 'Saraswati' }),
    tagline: z.string().nullable().meta({ example: 'A quiet seat, from six to eleven' }),
    colors: z.object({ primary: shownColour, accent: shownColour }),
    logo: z
      .object({
        url: z.string().meta({
          description: 'Works without a token for an hour',
          example: 'https://portal.studyspot.example/api/files/eyJrIjoi.0aB1cD2e',
        }),
        width: z.number().int().meta({ description: 'Pixels', example: 512 }),
        height: z.number().int().meta({ description: 'Pixels', example: 128 }),
      })
      .nullable()
      .meta({ description: 'A PNG' }),
    version: z.number().int().meta({ description: 'Send it back as If-Match when you change it', example: 1 }),
    updatedAt: isoDate.nullable().meta({ description: 'Null: never changed' }),
  })
  .meta({ id: 'TenantBranding' });
