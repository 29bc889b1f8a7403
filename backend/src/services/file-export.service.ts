import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { clockNow } from '../config/clock.ts';
import type { Transaction } from '../config/database.ts';
import type { JobContext } from '../queues/job-context.ts';
import type { ReadContext } from '../types/context.ts';
import { orNotFound } from '../utils/errors.ts';
import type { Sql } from '../utils/sql.ts';
import { fileKey, fileStorage } from './file-storage.service.ts';
import type { StoredFile } from '../providers/file-storage.provider.ts';

// Files that a job writes and people fetch for a day. A row says what is wanted and how far it is; the file lies in the
// storage. Which table the rows are in, and what is in the files, is up to the kind of export.

const EXPORT_HOURS = 24;
const PROGRESS_EVERY_ROWS = 5_000;
const REMOVED_AT_ONCE = 100;

/** What a row of every kind of export has. */
export type FileExportRow = {
  id: string;
  tenantId: string | null;
  status: 'PENDING' | 'RUNNING' | 'READY' | 'FAILED' | 'EXPIRED';
  storageKey: string | null;
  expiresAt: Date | string;
};

/** What the mechanism changes of a row. */
export type FileExportChange = Partial<{
  status: FileExportRow['status'];
  storageKey: string | null;
  rows: number;
  sizeBytes: number;
  sha256: string;
  error: string | null;
  finishedAt: Date;
  expiresAt: Date;
}>;
export type FileExportMatch = { id: string; storageKey?: string; status?: FileExportRow['status'] };

/** One kind of export: where its rows are kept, and how its files are called. */
export type FileExportKind<Row extends FileExportRow> = {
  /** Of its files, within the space of the tenant or of the platform. */
  folder: string;
  row: (id: string) => Sql;
  /** The same row, locked until the end of the transaction. */
  lockedRow: (id: string) => Sql;
  /** `id` and `storageKey` of those whose time is over. */
  expired: (now: Date, most: number) => Sql;
  /** @returns how many rows matched */
  change: (db: Transaction, where: FileExportMatch, data: FileExportChange) => Promise<{ count: number }>;
  /** Of the file's name, such as `csv`. */
  endingOf: (row: Row) => string;
};

/**
 * Gives the content piece by piece, so that never much is in memory.
 * @param told how many rows are written so far
 */
export type FileWriter<Row> = (row: Row, told: (rows: number) => Promise<void>) => AsyncIterable<string | Uint8Array>;

/** When a file that is asked for, or was finished, at this moment is removed. */
export const exportExpiry = (moment: Date): Date => new Date(moment.getTime() + EXPORT_HOURS * 3_600_000);

/**
 * Writes the file of an export. Any number of tries may be at it, at once or one after the other: each writes a file of
 * its own, the row names the one of the newest, and who finds another one named removes theirs.
 * @param attempts how many tries the job has: with the last the export has failed
 */
export async function makeFile<Row extends FileExportRow>(
  ctx: JobContext,
  kind: FileExportKind<Row>,
  { id, attempts }: { id: string; attempts: number },
  write: FileWriter<Row>,
): Promise<void> {
  const begun = await beginFile(ctx, kind, id);
  if (!begun) return;
  const { row, storageKey } = begun;
  const change = (data: FileExportChange) =>
    ctx.transact(({ db }) => kind.change(db, { id, storageKey, status: 'RUNNING' }, data));
  try {
    if (row.storageKey) await fileStorage().delete(row.storageKey);
    const made = await writeFile(ctx, storageKey, (told) => write(row, told), change);
    const finishedAt = clockNow();
    const { count } = await change({
      ...made,
      status: 'READY',
      error: null,
      finishedAt,
      expiresAt: exportExpiry(finishedAt),
    });
    if (count === 0) await fileStorage().delete(storageKey);
  } catch (error) {
    if (ctx.job.attempt >= attempts && !ctx.job.signal.aborted) {
      const told = 'It could not be written. Ask for it again.';
      await change({ status: 'FAILED', error: told, finishedAt: clockNow() });
    }
    throw error;
  }
}

/** Takes the export over from an earlier try, whose file the row still names. */
const beginFile = <Row extends FileExportRow>(
  ctx: JobContext,
  kind: FileExportKind<Row>,
  id: string,
): Promise<{ row: Row; storageKey: string } | undefined> =>
  ctx.transact(async ({ sql, db }) => {
    const row = await sql.one<Row>(kind.lockedRow(id));
    if (!row || !['PENDING', 'RUNNING'].includes(row.status) || new Date(row.expiresAt) < ctx.now) return undefined;
    const file = `${id}-${randomBytes(6).toString('hex')}.${kind.endingOf(row)}`;
    const storageKey = fileKey(row.tenantId, kind.folder, file);
    await kind.change(db, { id }, { status: 'RUNNING', storageKey, rows: 0 });
    return { row, storageKey };
  });

async function writeFile(
  ctx: JobContext,
  storageKey: string,
  write: (told: (rows: number) => Promise<void>) => AsyncIterable<string | Uint8Array>,
  change: (data: FileExportChange) => Promise<unknown>,
): Promise<{ rows: number; sizeBytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let rows = 0;
  let saved = 0;
  const told = async (sofar: number) => {
    rows = sofar;
    if (rows - saved < PROGRESS_EVERY_ROWS) return;
    saved = rows;
    await change({ rows });
  };
  async function* hashed() {
    for await (const piece of write(told)) {
      ctx.job.signal.throwIfAborted();
      hash.update(piece);
      yield piece;
    }
  }
  const { sizeBytes } = await fileStorage().put(storageKey, Readable.from(hashed(), { objectMode: false }));
  return { rows, sizeBytes, sha256: hash.digest('hex') };
}

/**
 * The row and the file of an export that is ready. Whoever calls closes the file if they do not hand it out.
 * @throws AppError not_found for one that is not ready, or no longer there
 */
export async function openFile<Row extends FileExportRow>(
  ctx: Pick<ReadContext, 'sql' | 'now'>,
  kind: FileExportKind<Row>,
  id: string,
): Promise<{ row: Row; file: StoredFile }> {
  const row = orNotFound(await ctx.sql.one<Row>(kind.row(id)), 'export');
  const isThere = row.status === 'READY' && new Date(row.expiresAt) > ctx.now && row.storageKey;
  const file = isThere ? await fileStorage().get(row.storageKey ?? '') : undefined;
  return { row, file: orNotFound(file, 'file: the export is not ready, or its time is over') };
}

/** @returns how many were removed */
export async function removeExpiredFiles<Row extends FileExportRow>(
  ctx: JobContext,
  kind: Pick<FileExportKind<Row>, 'expired' | 'change'>,
): Promise<number> {
  for (let removed = 0; ;) {
    ctx.job.signal.throwIfAborted();
    const expired = await ctx.sql.many<{ id: string; storageKey: string | null }>(
      kind.expired(ctx.now, REMOVED_AT_ONCE),
    );
    for (const { id, storageKey } of expired) {
      if (storageKey) await fileStorage().delete(storageKey);
      await ctx.transact(({ db }) => kind.change(db, { id }, { status: 'EXPIRED', storageKey: null }));
    }
    removed += expired.length;
    if (expired.length < REMOVED_AT_ONCE) return removed;
  }
}
