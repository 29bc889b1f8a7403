import { z } from 'zod';
import { DataExportFormat, DataExportStatus, ExportSubject } from '../generated/prisma/enums.ts';
import { isoDate } from '../utils/fields.ts';
import { fileOf } from '../utils/file-answer.ts';
import { id } from '../utils/ids.ts';

export const tenantExportId = z.strictObject({ id, exportId: id });

const link = z
  .object({
    url: z.string().meta({ example: 'https://api.example.com/api/files/eyJrIjoi' }),
    expiresAt: isoDate,
  })
  .meta({ description: 'Fetches the file without a token, for ten minutes; the permission is checked again' });

/** What is told of every file that a job writes. */
export const writtenFile = {
  sizeBytes: z.number().nullable().meta({ example: 834_112 }),
  sha256: z.string().nullable().meta({
    description: 'Of the file, hex',
    example: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  }),
  error: z.string().nullable().meta({ example: null }),
  requestedBy: z.object({ id: z.string(), name: z.string() }).meta({
    example: { id: 'cm3k8v1x40000qp2h9d7f5a6b', name: 'Asha Menon' },
  }),
  createdAt: isoDate,
  finishedAt: isoDate.nullable(),
  expiresAt: isoDate.meta({ description: 'The file is removed then' }),
};

export const dataExport = z
  .object({
    id,
    tenantId: z.string().nullable().meta({
      description: 'Null: people of all tenants',
      example: 'cm3k8v1x40001qp2h9d7f5a6b',
    }),
    subject: z.enum(ExportSubject).meta({ description: 'What is in the file', example: 'TENANT' }),
    format: z.enum(DataExportFormat).meta({ example: 'ZIP' }),
    filter: z.record(z.string(), z.unknown()).meta({ description: 'As it was asked for', example: {} }),
    status: z.enum(DataExportStatus).meta({ example: 'READY' }),
    rows: z.number().int().meta({ description: 'Rows written so far', example: 1200 }),
    ...writtenFile,
    link: link.nullable().meta({ description: 'Null while there is no file to fetch' }),
  })
  .meta({ id: 'DataExport' });

export const exportZip = fileOf('application/zip');
