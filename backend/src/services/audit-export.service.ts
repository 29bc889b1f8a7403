import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import type { z } from 'zod';
import { jobs } from '../queues/index.ts';
import type { JobContext } from '../queues/job-context.ts';
import type { Actor, ManualContext, ReadContext, WriteContext } from '../types/context.ts';
import { orNotFound } from '../utils/errors.ts';
import type { FileAnswer } from '../utils/file-answer.ts';
import type { auditExport, createExportBody } from '../validators/audit-export.validator.ts';
import { auditFilter } from '../validators/audit.validator.ts';
import { exportFormats } from './audit-export-format.ts';
import { exportText, type ExportProgress } from './audit-export-file.service.ts';
import { expiredExports, exportRow, lockedExport, personName } from './audit-export.queries.ts';
import { fileKey, fileStorage } from './file-storage.service.ts';

export const EXPORT_HOURS = 24;
const PROGRESS_EVERY_ROWS = 5_000;
const REMOVED_AT_ONCE = 100;

type Answer = z.input<typeof auditExport>;
type Row = Answer & { tenantId: string | null; requestedById: string; storageKey: string | null };

const expiryFrom = (moment: Date): Date => new Date(moment.getTime() + EXPORT_HOURS * 3_600_000);

/** Notes down what is wanted, and hands it to a job. */
export async function createExport(ctx: WriteContext<Actor>, body: z.output<typeof createExportBody>): Promise<Answer> {
  const { format, ...filter } = body;
  const { id } = await ctx.db.auditExport.create({
    data: {
      tenantId: ctx.tenantId,
      requestedById: ctx.actor.id,
      format,
      filter: JSON.parse(JSON.stringify(filter)) as object,
      expiresAt: expiryFrom(ctx.now),
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
  const found = orNotFound(await ctx.sql.one<Row>(exportRow(id)), 'export');
  const isThere = found.status === 'READY' && new Date(found.expiresAt) > ctx.now && found.storageKey;
  const file = isThere ? await fileStorage().get(found.storageKey ?? '') : undefined;
  const { content, sizeBytes } = orNotFound(file, 'file: the export is not ready, or its time is over');
  try {
    const resource = { resource: 'audit_export', resourceId: id, tenantId: found.tenantId };
    await ctx.transact(async ({ audit }) => audit({ action: 'audit.download', ...resource }));
  } catch (error) {
    content.destroy();
    throw error;
  }
  const { type, ending } = exportFormats[found.format];
  return { content, sizeBytes, type, name: `audit-${id}.${ending}` };
}

/**
 * Writes the file. Any number of tries may be at it, at once or one after the other: each writes a file of its own, the
 * row names the one of the newest, and who finds another one named removes theirs.
 */
export async function makeExport(ctx: JobContext, id: string): Promise<void> {
  const begun = await beginExport(ctx, id);
  if (!begun) return;
  const { row, storageKey } = begun;
  try {
    if (row.storageKey) await fileStorage().delete(row.storageKey);
    const made = await writeFile(ctx, row, storageKey);
    const finishedAt = new Date();
    const { count } = await ctx.transact(({ db }) =>
      db.auditExport.updateMany({
        where: { id, storageKey, status: 'RUNNING' },
        data: {
          status: 'READY',
          rows: made.rows,
          sizeBytes: made.sizeBytes,
          sha256: made.sha256,
          error: null,
          finishedAt,
          expiresAt: expiryFrom(finishedAt),
        },
      }),
    );
    if (count === 0) await fileStorage().delete(storageKey);
  } catch (error) {
    if (ctx.job.attempt >= jobs['report.audit-export'].attempts && !ctx.job.signal.aborted) {
      const data = {
        status: 'FAILED' as const,
        error: 'It could not be written. Ask for it again.',
        finishedAt: new Date(),
      };
      await ctx.transact(({ db }) => db.auditExport.updateMany({ where: { id, storageKey }, data }));
    }
    throw error;
  }
}

/** Takes the export over from an earlier try, whose file the row still names. */
const beginExport = (ctx: JobContext, id: string): Promise<{ row: Row; storageKey: string } | undefined> =>
  ctx.transact(async ({ sql, db }) => {
    const row = await sql.one<Row>(lockedExport(id));
    if (!row || !['PENDING', 'RUNNING'].includes(row.status) || new Date(row.expiresAt) < ctx.now) return undefined;
    const file = `${id}-${randomBytes(6).toString('hex')}.${exportFormats[row.format].ending}`;
    const storageKey = fileKey(row.tenantId, 'audit-exports', file);
    await db.auditExport.update({ where: { id }, data: { status: 'RUNNING', storageKey, rows: 0 } });
    return { row, storageKey };
  });

async function writeFile(ctx: JobContext, row: Row, storageKey: string): Promise<ExportProgress> {
  const { chain, ...rest } = row.filter as { chain?: string };
  const filter = auditFilter.parse(rest);
  const person = await ctx.sql.one<{ name: string }>(personName(row.requestedById));
  let last: ExportProgress = { rows: 0, stubs: 0, sizeBytes: 0, sha256: '' };
  let told = 0;
  const onProgress = async (progress: ExportProgress) => {
    last = { ...progress };
    if (progress.rows - told < PROGRESS_EVERY_ROWS) return;
    told = progress.rows;
    const where = { id: row.id, storageKey };
    await ctx.transact(({ db }) => db.auditExport.updateMany({ where, data: { rows: told } }));
  };
  const head = {
    exportId: row.id,
    exportedAt: ctx.now.toISOString(),
    exportedBy: { id: row.requestedById, name: person?.name ?? null },
    filter: row.filter,
  };
  const options = { scope: { filter, chain }, format: exportFormats[row.format], signal: ctx.job.signal };
  await fileStorage().put(storageKey, Readable.from(exportText(ctx, head, options, onProgress)));
  return last;
}

/** @returns how many were removed */
export async function removeExpiredExports(ctx: JobContext): Promise<number> {
  for (let removed = 0; ;) {
    ctx.job.signal.throwIfAborted();
    const expired = await ctx.sql.many<{ id: string; storageKey: string | null }>(
      expiredExports(ctx.now, REMOVED_AT_ONCE),
    );
    for (const { id, storageKey } of expired) {
      if (storageKey) await fileStorage().delete(storageKey);
      await ctx.transact(({ db }) =>
        db.auditExport.updateMany({ where: { id }, data: { status: 'EXPIRED', storageKey: null } }),
      );
    }
    removed += expired.length;
    if (expired.length < REMOVED_AT_ONCE) return removed;
  }
}
