import type { JobHandler } from '../queues/job-context.ts';
import { fileStorage } from '../services/file-storage.service.ts';
import { sql } from '../utils/sql.ts';

/** Removes the file of an import. It was read when its rows were checked: what comes later goes by the rows. */
export const removeImportFile: JobHandler<'cleanup.import-file'> = async (ctx, { importId }) => {
  const found = await ctx.sql.one<{ storageKey: string }>(sql`
    select storage_key as "storageKey" from people_imports
     where id = ${importId} and storage_key is not null and status <> 'VALIDATING'`);
  if (!found) return;
  await fileStorage().delete(found.storageKey);
  await ctx.transact(({ db }) => db.peopleImport.updateMany({ where: { id: importId }, data: { storageKey: null } }));
};
