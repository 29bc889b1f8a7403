import type { JobContext } from '../queues/job-context.ts';
import type { WriteContext } from '../types/context.ts';
import { AppError } from '../utils/errors.ts';
import type { ImportStatus } from '../generated/prisma/enums.ts';
import { columnOfDraft, readRow, type RowDraft, type RowReader } from './import-drafts.service.ts';
import { addPeople, type Added } from './people-intake.service.ts';
import * as queries from './people-import-work.queries.ts';

// What the check and the commit of an import share: they read the same rows with the same reader and hand them to the
// same `addPeople` (rule 15).

/** Rows that are tried or created in one transaction. */
export const ROWS_AT_ONCE = 250;

/**
 * Runs one piece of work on an import behind the lock of its row, so that no two workers do the same.
 * @param status in which the import has to be; where it is in another one, the job is over
 * @returns whether there may be more to do
 */
export async function workOn(
  ctx: JobContext,
  importId: string,
  status: ImportStatus,
  work: (tx: WriteContext<null>, state: queries.ImportState) => Promise<boolean>,
): Promise<boolean> {
  ctx.job.signal.throwIfAborted();
  return ctx.transact(async (tx) => {
    const state = await tx.sql.one<queries.ImportState>(queries.lockedImport(importId));
    return state?.status === status && work(tx, state);
  });
}

/** A batch of rows as they were read: those that are people, and what came of each. */
export type Tried = {
  rows: { number: number; read: RowDraft }[];
  /** In the order of those rows that are people. */
  added: Added[];
  reader: RowReader;
};

/** Reads rows as people and adds them to the tenant. */
export async function tryRows(
  tx: WriteContext<null>,
  state: queries.ImportState,
  rows: queries.OpenRow[],
  assignedById: string | null,
): Promise<Tried> {
  const reader = await readerOf(tx, state);
  const read = rows.map(({ number, cells }) => ({ number, read: readRow(reader, cells) }));
  const people = read.flatMap(({ number, read: { draft } }) => (draft ? { number, draft } : []));
  const drafts = people.map(({ draft }) => draft);
  const source = { importId: state.id, rows: people.map(({ number }) => number) };
  const added = drafts.length > 0 ? await addPeople(tx, state.tenantId, drafts, { assignedById, source }) : [];
  return { rows: read, added, reader };
}

async function readerOf(tx: WriteContext<null>, state: queries.ImportState): Promise<RowReader> {
  const usesLibraries = Object.values(state.mapping).includes('library');
  const found = usesLibraries
    ? await tx.sql.many<{ id: string; name: string }>(queries.libraryNames(state.tenantId))
    : [];
  const libraries = new Map(found.map(({ id, name }) => [name, id]));
  const { columns, mapping, defaultKind, defaultLibraryId } = state;
  return { columns, mapping, defaultKind, defaultLibraryId, libraries };
}

/** What became of each row: `done` for those that went well. */
export function outcomesOf({ rows, added, reader }: Tried, done: 'VALID' | 'CREATED'): queries.RowOutcome[] {
  const results = added.values();
  return rows.map(({ number, read }): queries.RowOutcome => {
    if (!read.draft) return { number, status: 'INVALID', errors: read.errors, userId: null };
    const result = results.next().value;
    if (result?.id) return { number, status: done, errors: null, userId: done === 'CREATED' ? result.id : null };
    const issues = result?.issues ?? [];
    const errors = issues.map(({ field, message }) => ({ column: columnOfDraft(reader, field), message }));
    return { number, status: 'INVALID', errors, userId: null };
  });
}

/** Runs the whole job; what goes wrong for good is told by the import itself. */
export async function untilItFails(
  ctx: JobContext,
  importId: string,
  { status, attempts }: { status: ImportStatus; attempts: number },
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    const isFile = error instanceof AppError && error.code === 'validation_failed';
    const isLast = ctx.job.attempt >= attempts && !ctx.job.signal.aborted;
    if (isFile || isLast) {
      await failImport(ctx, importId, status, isFile ? error.message : 'It could not be finished. Try it again.');
    }
    if (!isFile) throw error;
  }
}

const failImport = (ctx: JobContext, importId: string, status: ImportStatus, told: string) =>
  ctx.transact(async (tx) => {
    const { count } = await tx.db.peopleImport.updateMany({
      where: { id: importId, status },
      data: { status: 'FAILED', error: told.slice(0, 500), finishedAt: new Date() },
    });
    if (count > 0) await tx.sql.many(queries.forgetNewcomers(importId));
  });
