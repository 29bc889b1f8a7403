import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { ZipFile } from 'yazl';
import type { JobContext } from '../queues/job-context.ts';
import { raw, sql, type Sql } from '../utils/sql.ts';
import { archivedRows } from './data-archive.queries.ts';
import { TENANT_DATA, tenantColumn } from './tenant-data.policy.ts';
import type { TenantTable } from './tenant-table.policy.ts';
import { fileStorage } from './file-storage.service.ts';

// A zip of personal data: one file of JSON lines for each table, uploaded files, and a manifest. Rows are read on by
// their key, some at a time, so that neither the size of a tenant nor that of its files matters.
//
// What is consistent: each piece of rows by itself. A row that changes while the archive is written is in it as it was
// before or after, and one that is made meanwhile may be in it or not. Of a tenant that is being off-boarded nothing
// changes: its people can do nothing but export.

const ROWS_AT_ONCE = 1_000;

type FileNote = { path: string; rows?: number; sizeBytes: number; sha256: string };
type Entry = { path: string; content: () => AsyncIterable<string | Uint8Array>; note: FileNote; compress: boolean };
type LeftOut = { what: string; why: string };

export type Archived = {
  /** What the manifest says first. */
  head: { exportId: string; subject: 'TENANT' | 'PERSON'; tenantId: string; userId?: string; exportedAt: string };
  /** Told how many rows are written. */
  told: (rows: number) => Promise<void>;
};

/** All data of a tenant that is not a secret or about somebody else, and its uploaded files. */
export async function* tenantArchive(ctx: JobContext, archived: Archived): AsyncGenerator<Uint8Array> {
  const { tenantId } = archived.head;
  const rows = countedRows(ctx, archived.told);
  const entries: Entry[] = [];
  const leftOut: LeftOut[] = [];
  for (const entry of TENANT_DATA) {
    const why = 'leftOut' in entry.export ? entry.export.leftOut : entry.export.forPersonAlone;
    if (why) leftOut.push({ what: entry.table, why });
    else entries.push(rows(entry, ofTenant(entry.table, tenantId)));
  }
  for await (const { key } of fileStorage().list(`tenants/${tenantId}`)) {
    const path = key.slice(`tenants/${tenantId}/`.length);
    if (!/^(audit-)?exports\//.test(path)) entries.push(fileEntry(`files/${path}`, key));
  }
  yield* zipped(ctx, entries, { ...archived.head, leftOut });
}

/** What is known of one person of a tenant. */
export async function* personArchive(
  ctx: JobContext,
  archived: Archived & { head: { userId: string } },
): AsyncGenerator<Uint8Array> {
  const { tenantId, userId } = archived.head;
  const rows = countedRows(ctx, archived.told);
  const entries: Entry[] = [];
  const leftOut: LeftOut[] = [];
  for (const entry of TENANT_DATA) {
    if (!entry.person) continue;
    if ('leftOut' in entry.export) leftOut.push({ what: entry.table, why: entry.export.leftOut });
    else entries.push(rows(entry, sql`${ofTenant(entry.table, tenantId)} and ${entry.person.rows(userId)}`));
  }
  yield* zipped(ctx, entries, { ...archived.head, leftOut });
}

const ofTenant = (table: string, tenantId: string): Sql => sql`${raw(`t.${tenantColumn(table)}`)} = ${tenantId}`;

/** Makes entries of tables, whose rows are counted together. */
function countedRows(ctx: JobContext, told: Archived['told']) {
  let all = 0;
  return (entry: TenantTable, which: Sql): Entry => {
    const path = `${entry.table}.jsonl`;
    const note: FileNote = { path, rows: 0, sizeBytes: 0, sha256: '' };
    async function* content() {
      for await (const lines of pieces(ctx, entry, which)) {
        note.rows = (note.rows ?? 0) + lines.length;
        all += lines.length;
        yield lines.map((line) => `${line}\n`).join('');
        await told(all);
      }
    }
    return { path, content, note, compress: true };
  };
}

async function* pieces(
  ctx: JobContext,
  { table, export: exported }: TenantTable,
  which: Sql,
): AsyncGenerator<string[]> {
  if ('leftOut' in exported) return;
  for (let after: string[] | null = null; ;) {
    ctx.job.signal.throwIfAborted();
    const rows: { line: string; key: string[] }[] = await ctx.sql.many(
      archivedRows(table, exported, { which, after, most: ROWS_AT_ONCE }),
    );
    if (rows.length > 0) yield rows.map(({ line }) => line);
    if (rows.length < ROWS_AT_ONCE) return;
    after = rows.at(-1)?.key ?? null;
  }
}

/** Images are as small as they get. One that was removed since it was listed is an empty file. */
function fileEntry(path: string, key: string): Entry {
  async function* content() {
    const file = await fileStorage().get(key);
    if (file) yield* file.content as AsyncIterable<Uint8Array>;
  }
  return {
    path,
    content,
    note: { path, sizeBytes: 0, sha256: '' },
    compress: !/\.(png|jpe?g|webp|xlsx|zip)$/.test(path),
  };
}

/** The archive, one entry after the other, and last of all the manifest with what they turned out to be. */
async function* zipped(ctx: JobContext, entries: Entry[], head: object): AsyncGenerator<Uint8Array> {
  const zip = new ZipFile();
  const output = zip.outputStream as Readable;
  let current: Readable | undefined;
  zip.on('error', (error: Error) => output.destroy(error));
  const add = (path: string, compress: boolean, content: () => AsyncIterable<string | Uint8Array>) =>
    zip.addReadStreamLazy(path, { mtime: ctx.now, compress }, (pass) => {
      current = Readable.from(content(), { objectMode: false });
      pass(null, current);
    });
  for (const { path, content, note, compress } of entries) add(path, compress, () => noted(content(), note));
  async function* manifest() {
    const files = entries.map(({ note }) => note);
    yield `${JSON.stringify({ format: 'studyspot-data', version: 1, ...head, files }, null, 2)}\n`;
  }
  add('manifest.json', true, manifest);
  zip.end();
  try {
    yield* output as AsyncIterable<Uint8Array>;
  } finally {
    current?.destroy();
    output.destroy();
  }
}

async function* noted(
  content: AsyncIterable<string | Uint8Array>,
  note: FileNote,
): AsyncGenerator<string | Uint8Array> {
  const hash = createHash('sha256');
  for await (const piece of content) {
    hash.update(piece);
    note.sizeBytes += Buffer.byteLength(piece);
    yield piece;
  }
  note.sha256 = hash.digest('hex');
}
