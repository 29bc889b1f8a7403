import type { z } from 'zod';
import { jobs } from '../queues/index.ts';
import type { JobContext } from '../queues/job-context.ts';
import type { Actor, ManualContext, ReadContext, WriteContext } from '../types/context.ts';
import { orNotFound } from '../utils/errors.ts';
import type { FileAnswer } from '../utils/file-answer.ts';
import type { auditExport, createExportBody } from '../validators/audit-export.validator.ts';
import { auditFilter } from '../validators/audit.validator.ts';
import { exportFormats } from './audit-export-format.ts';
import { exportText } from './audit-export-file.service.ts';
import { expiredExports, exportRow, lockedExport, personName } from './audit-export.queries.ts';
import { exportExpiry, makeFile, openFile, removeExpiredFiles, type FileExportKind } from './file-export.service.ts';

type Answer = z.input<typeof auditExport>;
type Row = Answer & { tenantId: string | null; requestedById: string; storageKey: string | null };

const auditExports: FileExportKind<Row> = {
  folder: 'audit-exports',
  row: exportRow,
  lockedRow: lockedExport,
  expired: expiredExports,
  change: (db, where, data) => db.auditExport.updateMany({ where, data }),
  endingOf: ({ format }) => exportFormats[format].ending,
};

/** Notes down what is wanted, and hands it to a job. */
export async function createExport(ctx: WriteContext<Actor>, body: z.output<typeof createExportBody>): Promise<Answer> {
  const { format, ...filter } = body;
  const { id } = await ctx.db.auditExport.create({
    data: {
      tenantId: ctx.tenantId,
      requestedById: ctx.actor.id,
      format,
      filter: JSON.parse(JSON.stringify(filter)) as object,
      expiresAt: exportExpiry(ctx.now),
    },
  });
  ctx.audit({ resource: 'audit_export', resourceId: id, details: { format, filter } });
  ctx.enqueue('report.audit-export', { exportId: id }, { dedupeKey: `audit-export-${id}` });
  return orNotFound(await ctx.sql.one<Answer>(exportRow(id)), 'export');
}

export const getExport = async (ctx: ReadContext, id: string): Promise<Answer> =>
  orNotFound(await ctx.sql.one<Answer>(exportRow(id)), 'export');

/** @throws AppError not_found for one that is not ready, or no longer there */
export async function downloadExport(ctx: ManualContext<Actor>, id: string): Promise<FileAnswer> {
  const { row, file } = await openFile(ctx, auditExports, id);
  try {
    const resource = { resource: 'audit_export', resourceId: id, tenantId: row.tenantId };
    await ctx.transact(async ({ audit }) => audit({ action: 'audit.download', ...resource }));
  } catch (error) {
    file.content.destroy();
    throw error;
  }
  const { type, ending } = exportFormats[row.format];
  return { ...file, type, name: `audit-${id}.${ending}` };
}

/** Writes the file. Any number of tries may be at it. */
export const makeExport = (ctx: JobContext, id: string): Promise<void> =>
  makeFile(ctx, auditExports, { id, attempts: jobs['report.audit-export'].attempts }, (row, told) =>
    fileOfExport(ctx, row, told),
  );

async function* fileOfExport(ctx: JobContext, row: Row, told: (rows: number) => Promise<void>): AsyncGenerator<string> {
  const { chain, ...rest } = row.filter as { chain?: string };
  const filter = auditFilter.parse(rest);
  const person = await ctx.sql.one<{ name: string }>(personName(row.requestedById));
  const head = {
    exportId: row.id,
    exportedAt: ctx.now.toISOString(),
    exportedBy: { id: row.requestedById, name: person?.name ?? null },
    filter: row.filter,
  };
  const options = { scope: { filter, chain }, format: exportFormats[row.format], signal: ctx.job.signal };
  yield* exportText(ctx, head, options, told);
}

/** @returns how many were removed */
export const removeExpiredExports = (ctx: JobContext): Promise<number> => removeExpiredFiles(ctx, auditExports);
