import { z } from 'zod';
import { AuditExportFormat, AuditExportStatus } from '../generated/prisma/enums.ts';
import { isoDate } from '../utils/fields.ts';
import { fileOf } from '../utils/file-answer.ts';
import { id } from '../utils/ids.ts';
import { auditFilters, chainName } from './audit.validator.ts';

const format = z.enum(AuditExportFormat).meta({ description: 'JSON lines, or a table', example: 'JSONL' });

export const createExportBody = z.strictObject({
  format,
  chain: chainName.optional().meta({ description: 'This chain alone', example: 'platform' }),
  ...auditFilters,
});

export const exportId = z.strictObject({ id });

export const auditExport = z
  .object({
    id,
    tenantId: z.string().nullable().meta({ description: 'Null: of all tenants', example: null }),
    requestedById: z.string().meta({ example: 'cm3k8v1x40000qp2h9d7f5a6b' }),
    status: z.enum(AuditExportStatus).meta({ example: 'READY' }),
    format,
    filter: z
      .record(z.string(), z.unknown())
      .meta({ description: 'As it was asked for', example: { action: 'tenants.suspend' } }),
    rows: z.number().int().meta({ description: 'Rows so far that the filter lets pass', example: 1200 }),
    sizeBytes: z.number().nullable().meta({ example: 834_112 }),
    sha256: z.string().nullable().meta({
      description: 'Of the file, hex; compare it when you verify the file',
      example: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    }),
    error: z.string().nullable().meta({ example: null }),
    createdAt: isoDate,
    finishedAt: isoDate.nullable(),
    expiresAt: isoDate.meta({ description: 'The file is removed then' }),
  })
  .meta({ id: 'AuditExport' });

export const exportFile = fileOf('application/x-ndjson', 'text/csv');
