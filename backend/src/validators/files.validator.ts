import { z } from 'zod';
import { fileOf } from '../utils/file-answer.ts';

export const linkToken = z.strictObject({
  token: z
    .string()
    .max(4000)
    .regex(/^[\w-]+\.[\w-]{43}$/, 'must be what follows /api/files/ in a link')
    .meta({
      description: 'As it stands in the link',
      example: 'eyJrIjoi.0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV1wX2yZ3a4b',
    }),
});

export const linkedFile = fileOf(
  'application/octet-stream',
  'application/pdf',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  'application/x-ndjson',
  'application/zip',
  'image/png',
  'image/webp',
  'text/csv',
);
