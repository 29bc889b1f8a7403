import type { JobContext } from '../queues/job-context.ts';
import { sql } from '../utils/sql.ts';
import { fileStorage } from './file-storage.service.ts';

const KEPT_DAYS = 90;
const IMPORTS_AT_ONCE = 50;
const ROWS_AT_ONCE = 5_000;

/** Removes imports that are older than ninety days: the file, the rows, and what is known of it. People stay. */
export async function removeExpiredImports(ctx: JobContext): Promise<number> {
  const before = new Date(ctx.now.getTime() - KEPT_DAYS * 86_400_000);
  for (let removed = 0; ;) {
    const expired = await ctx.sql.many<{ id: string; storageKey: string | null }>(sql`
      select id, storage_key as "storageKey" from people_imports
       where created_at < ${before} order by created_at, id limit ${IMPORTS_AT_ONCE}`);
    for (const { id, storageKey } of expired) {
      ctx.job.signal.throwIfAborted();
      if (storageKey) await fileStorage().delete(storageKey);
      while (await removeRows(ctx, id));
      await ctx.transact(({ db }) => db.peopleImport.deleteMany({ where: { id } }));
    }
    removed += expired.length;
    if (expired.length < IMPORTS_AT_ONCE) return removed;
  }
}

/** @returns whether there may be more */
const removeRows = (ctx: JobContext, id: string): Promise<boolean> =>
  ctx.transact(async ({ db }) => {
    const removed = await db.$executeRaw`
      delete from people_import_rows where import_id = ${id} and number in (
        select number from people_import_rows where import_id = ${id} order by number limit ${ROWS_AT_ONCE})`;
    return removed === ROWS_AT_ONCE;
  });
