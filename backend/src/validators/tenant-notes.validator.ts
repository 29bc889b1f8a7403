import { z } from 'zod';
import { isoDate, text } from '../utils/fields.ts';
import { id } from '../utils/ids.ts';
import { cursor, pageQuery } from '../utils/page.ts';

const listing = pageQuery(['createdAt']).omit({ sort: true, order: true }).extend({ cursor: cursor.optional() });

const person = z
  .object({ id: z.string().nullable(), name: z.string().nullable() })
  .meta({ example: { id: 'cm3k8v1x40000qp2h9d7f5a6b', name: 'Asha Menon' } });

export const listNotesQuery = listing;

export const createNoteBody = z
  .strictObject({
    text: text(5_000).meta({ description: 'What is worth knowing', example: 'Wants to open a second hall in March.' }),
  })
  .meta({ id: 'CreateTenantNote' });

export const note = z
  .object({
    id,
    text: z.string().meta({ example: 'Wants to open a second hall in March.' }),
    author: person.meta({ description: 'Who noted it down' }),
    createdAt: isoDate,
  })
  .meta({ id: 'TenantNote' });

export const timelineSources = [
  'AUDIT',
  'STATUS',
  'NOTE',
  'EMAIL',
  'IMPORT',
  'EXPORT',
  'SUBSCRIPTION',
  'INVOICE',
  'PAYMENT',
  'CREDIT_NOTE',
  'DUNNING',
] as const;
const source = z.enum(timelineSources).meta({
  description:
    'What it comes from: the audit trail, changes of status, notes, mails, files, or what was billed and paid',
  example: 'STATUS',
});

export const timelineQuery = listing.omit({ page: true }).extend({
  source: source.optional().meta({ description: 'What comes from there alone', example: 'STATUS' }),
});

export const timelineEvent = z
  .object({
    id,
    source,
    what: z.string().meta({
      description: 'The action, the new status, the mail, the kind of file, or what it was with money',
      example: 'SUSPENDED',
    }),
    text: z.string().nullable().meta({ description: 'In words, where there are any', example: 'Unpaid since June' }),
    state: z
      .string()
      .nullable()
      .meta({ description: 'How it went: of an action, a mail, a file, a payment', example: null }),
    actor: person.nullable().meta({ description: 'Who did it; null: the system' }),
    about: z
      .object({ type: z.string(), id: z.string().nullable() })
      .nullable()
      .meta({ description: 'The thing it was done to', example: null }),
    recipient: z.string().nullable().meta({
      description: 'Of a mail, for those who may see the people of libraries',
      example: null,
    }),
    createdAt: isoDate,
  })
  .meta({ id: 'TimelineEvent' });
