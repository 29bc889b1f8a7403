import { z } from 'zod';
import { isoDate, text } from '../utils/fields.ts';

export const streamName = z.strictObject({
  name: z
    .string()
    .max(40)
    .regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, 'must be lower-case letters and digits, in words joined by -')
    .meta({ description: 'Name of the stream; it is made when there is none', example: 'siem' }),
});

const url = text(500).meta({ description: 'Where rows are sent, by POST', example: 'https://siem.example/audit' });

export const putStreamBody = z.strictObject({
  url,
  secret: text(200, 32).optional().meta({
    description: 'Signs each delivery (HMAC-SHA-256). Needed for a new stream; left out, it stays as it is',
    example: 'kX2bq8Jm5vTz0wLr7hNc4yGd1sPf9aQe',
    format: 'password',
  }),
  enabled: z
    .boolean()
    .default(true)
    .meta({ description: 'false: nothing is sent, and nothing is lost', example: true }),
});

export const auditStream = z
  .object({
    name: z.string().meta({ example: 'siem' }),
    url,
    enabled: z.boolean().meta({ example: true }),
    version: z.number().int().meta({ example: 1 }),
    lastDeliveredAt: isoDate.nullable(),
    waiting: z.number().int().meta({ description: 'Rows that were not delivered yet', example: 0 }),
    consecutiveFailures: z.number().int().meta({ example: 0 }),
    lastError: z.string().nullable().meta({ description: 'Why the last try failed', example: null }),
    retryAt: isoDate.nullable().meta({ description: 'After failures nothing is sent before then' }),
    createdAt: isoDate,
    updatedAt: isoDate,
  })
  .meta({ id: 'AuditStream' });

export const retentionBody = z.strictObject({
  months: z
    .number()
    .int()
    .min(12)
    .max(120)
    .meta({ description: 'Full months that the trail is kept, never under a year', example: 36 }),
});

export const retention = z
  .object({
    months: z.number().int().meta({ description: 'Full months that the trail is kept', example: 36 }),
    oldestMonth: z
      .string()
      .nullable()
      .meta({ description: 'The month of the oldest row there is', example: '2026-08' }),
  })
  .meta({ id: 'AuditRetention' });
