import { createReadStream } from 'node:fs';
import type { z } from 'zod';
import type { Actor, ManualContext, ReadContext, WriteContext } from '../types/context.ts';
import type { Upload } from '../types/upload.ts';
import { invalidField, orNotFound } from '../utils/errors.ts';
import { newId } from '../utils/ids.ts';
import { page } from '../utils/page.ts';
import type * as v from '../validators/people-imports.validator.ts';
import { fileKey, fileStorage } from './file-storage.service.ts';
import { mappingOf } from './import-columns.policy.ts';
import { inspectFile, type Inspected } from './import-reading.service.ts';
import { fileSource } from './import-sheet.ts';
import { assertCan, type ImportAct } from './import-status.policy.ts';
import { roleOfKind } from './people-insert.service.ts';
import { librariesOf } from './people-intake.queries.ts';
import { forgetNewcomers, lockedImport, type ImportState } from './people-import-work.queries.ts';
import * as queries from './people-imports.queries.ts';
import { assertTakesPeople, tenantFor } from './platform-users.service.ts';
import { actingPerson, assertMayHandOn, lockAccess } from './privilege.policy.ts';
import { rolesNamed } from './role-lookup.service.ts';

type Body = z.output<typeof v.bulkImportBody>;

/** When the import looks for its file by itself: the process that took it may have ended before it was stored. */
const LATE_MS = 5 * 60_000;

/**
 * Takes a file of people: looks through all of it, keeps it, and hands it to a job that tries every row and creates
 * nobody (rule 15).
 * @throws AppError validation_failed for a file that cannot be imported; nothing of it is left behind then
 */
export async function createImport(ctx: ManualContext<Actor>, body: Body, upload: Upload): Promise<queries.ImportView> {
  const inspected = await inspectFile(fileSource(upload.path));
  const id = newId();
  const { tenantId, storageKey } = await ctx.transact((tx) => noteImport(tx, id, body, { upload, inspected }));
  try {
    await fileStorage().put(storageKey, createReadStream(upload.path));
  } catch (error) {
    const told = 'The file could not be stored. Send it again.';
    await ctx.transact(({ db }) =>
      db.peopleImport.update({ where: { id }, data: { status: 'FAILED', error: told, finishedAt: new Date() } }),
    );
    throw error;
  }
  return ctx.transact(async (tx) => {
    tx.enqueue('import.validate', { importId: id }, { dedupeKey: `import-${id}`, tenantId });
    return viewOf(tx, id);
  });
}

async function noteImport(
  tx: WriteContext<Actor>,
  id: string,
  body: Body,
  { upload, inspected }: { upload: Upload; inspected: Inspected },
): Promise<{ tenantId: string; storageKey: string }> {
  await assertMayImport(tx);
  const tenantId = tenantFor(tx, body.tenantId);
  await assertTakesPeople(tx, tenantId);
  const { format, columns, totalRows } = inspected;
  const { mapping, warnings } = mappingOf(columns, body.mapping);
  if (body.libraryId && (await tx.sql.many(librariesOf(tenantId, [body.libraryId]))).length === 0) {
    throw invalidField('libraryId', 'is no library of this tenant');
  }
  const before = await tx.sql.one<{ status: string; by: string; at: Date }>(queries.sameFile(tenantId, upload.sha256));
  if (before) {
    const day = new Date(before.at).toLocaleDateString('en-IN', { dateStyle: 'medium', timeZone: 'Asia/Kolkata' });
    warnings.unshift(`The very same file was given by ${before.by} on ${day}; that import is ${before.status}.`);
  }
  const storageKey = fileKey(tenantId, 'imports', `${id}.${format.toLowerCase()}`);
  const facts = { fileName: upload.name, format, sizeBytes: upload.sizeBytes, sha256: upload.sha256, totalRows };
  await tx.db.peopleImport.create({
    data: {
      id,
      tenantId,
      ...facts,
      storageKey,
      columns,
      mapping,
      warnings,
      defaultKind: body.kind,
      defaultLibrary: body.libraryId ?? null,
      requestedById: actingPerson(tx.actor),
      requestedByName: tx.actor.name,
    },
  });
  tx.audit({ resource: 'people_import', resourceId: id, tenantId, details: facts });
  const availableAt = new Date(Date.now() + LATE_MS);
  tx.enqueue('import.validate', { importId: id }, { dedupeKey: `import-${id}-late`, availableAt, tenantId });
  return { tenantId, storageKey };
}

/** Nobody brings in by a file whom they could not add one by one: a file may hold people of each of these kinds. */
async function assertMayImport(ctx: WriteContext<Actor>): Promise<void> {
  await lockAccess(ctx, 'one');
  const codes = [roleOfKind.STUDENT, roleOfKind.PARENT, roleOfKind.STAFF];
  const roles = await rolesNamed(ctx, codes, 'PLATFORM_USER');
  const needed = new Set(roles.flatMap(({ permissions }) => permissions));
  await assertMayHandOn(ctx, [...needed], 'Somebody who may come with such a file');
}

const viewOf = async (ctx: Pick<ReadContext, 'sql'>, id: string): Promise<queries.ImportView> =>
  orNotFound(await ctx.sql.one<queries.ImportView>(queries.importView(id)), 'import');

export const getImport = viewOf;

export const listImports = (ctx: ReadContext<Actor>, query: z.output<typeof v.listImportsQuery>) =>
  page<queries.ImportView>(ctx, query, queries.importList(query));

export async function listRows(ctx: ReadContext<Actor>, id: string, query: z.output<typeof v.listRowsQuery>) {
  const parent = { of: queries.columnsOfImport(id), what: 'import' };
  const found = await page<queries.StoredRow>(ctx, query, { ...queries.rowList(id, query.status), parent });
  const { columns } = orNotFound(await ctx.sql.one<{ columns: string[] }>(queries.columnsOfImport(id)), 'import');
  const items = found.items.map(({ cells, errors, ...row }) => ({
    ...row,
    cells: Object.fromEntries(columns.map((heading, index) => [heading, cells[index] ?? ''])),
    errors: errors ?? [],
  }));
  return { ...found, items };
}

/** Has the people of the good rows created. Of two at once one is first, and the other is refused. */
export async function commitImport(ctx: WriteContext<Actor>, id: string): Promise<queries.ImportView> {
  await assertMayImport(ctx);
  const { tenantId } = await lockedFor(ctx, id, 'commit');
  await assertTakesPeople(ctx, tenantId);
  const data = { status: 'COMMITTING', committedAt: ctx.now, finishedAt: null, error: null } as const;
  await ctx.db.peopleImport.update({ where: { id }, data });
  ctx.enqueue('import.commit', { importId: id, committedById: actingPerson(ctx.actor) }, { tenantId });
  return viewOf(ctx, id);
}

/** Stops it where it is: whatever was created until now stays, and can be undone. */
export async function cancelImport(ctx: WriteContext<Actor>, id: string): Promise<queries.ImportView> {
  await lockedFor(ctx, id, 'cancel');
  await ctx.sql.many(forgetNewcomers(id));
  await ctx.db.peopleImport.update({ where: { id }, data: { status: 'CANCELLED', finishedAt: ctx.now } });
  return viewOf(ctx, id);
}

/** Has the people removed whom it has created, except for those whom somebody has touched since. */
export async function undoImport(ctx: WriteContext<Actor>, id: string): Promise<queries.ImportView> {
  const { tenantId } = await lockedFor(ctx, id, 'undo');
  await ctx.db.peopleImport.update({ where: { id }, data: { status: 'UNDOING', finishedAt: null, error: null } });
  ctx.enqueue('import.undo', { importId: id }, { tenantId });
  return viewOf(ctx, id);
}

/** Waits for the batch that is under way, and keeps the worker from the next one till the end of the transaction. */
async function lockedFor(ctx: WriteContext<Actor>, id: string, act: ImportAct): Promise<ImportState> {
  const state = orNotFound(await ctx.sql.one<ImportState>(lockedImport(id)), 'import');
  assertCan(act, { ...state, undone: state.undoneRows + state.keptRows });
  const { tenantId, fileName, status } = state;
  ctx.audit({ resource: 'people_import', resourceId: id, tenantId, details: { fileName, statusBefore: status } });
  return state;
}
