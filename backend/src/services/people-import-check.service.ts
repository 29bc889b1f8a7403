import { buffer } from 'node:stream/consumers';
import { jobs } from '../queues/index.ts';
import type { JobContext } from '../queues/job-context.ts';
import type { WriteContext } from '../types/context.ts';
import { fileStorage } from './file-storage.service.ts';
import { dateFields } from './import-columns.policy.ts';
import { columnOf, columnOfDraft } from './import-drafts.service.ts';
import { dataRows } from './import-reading.service.ts';
import { badFile, bufferSource, MAX_FILE_BYTES, MAX_ROWS, tooManyRows, type SheetRow } from './import-sheet.ts';
import { outcomesOf, ROWS_AT_ONCE, tryRows, untilItFails, workOn, type Tried } from './people-import-batch.service.ts';
import * as queries from './people-import-work.queries.ts';

// The dry run: every row is added as the commit would add it, by the same code, and taken back again.

const KEPT_AT_ONCE = 1_000;

/** Reads the file into rows and tries each of them. What an earlier run has done is not done again. */
export const checkImport = (ctx: JobContext, importId: string): Promise<void> =>
  untilItFails(ctx, importId, { status: 'VALIDATING', attempts: jobs['import.validate'].attempts }, async () => {
    await readRows(ctx, importId);
    while (await workOn(ctx, importId, 'VALIDATING', checkBatch));
  });

async function readRows(ctx: JobContext, importId: string): Promise<void> {
  const state = await ctx.sql.one<queries.ImportState>(queries.importState(importId));
  if (state?.status !== 'VALIDATING' || state.readRows >= state.totalRows) return;
  const source = bufferSource(await contentOf(state));
  const last = await ctx.sql.one<{ number: number }>(queries.lastReadRow(importId));
  const dateHeadings = new Set([...dateFields].map((field) => columnOf(state, field)));
  let batch: SheetRow[] = [];
  let read = 0;
  const keep = (rows: SheetRow[]) =>
    workOn(ctx, importId, 'VALIDATING', async (tx) => {
      await tx.sql.many(queries.keepRows(importId, state.tenantId, rows));
      return true;
    });
  for await (const { rows } of dataRows(source, state.format, dateHeadings)) {
    read += rows.length;
    if (read > MAX_ROWS) throw tooManyRows();
    batch.push(...rows.filter(({ number }) => number > (last?.number ?? 0)));
    while (batch.length >= KEPT_AT_ONCE) {
      if (!(await keep(batch.slice(0, KEPT_AT_ONCE)))) return;
      batch = batch.slice(KEPT_AT_ONCE);
    }
  }
  if (batch.length > 0) await keep(batch);
}

/** @throws AppError validation_failed when the file did not arrive: the process that took it has ended */
async function contentOf({ storageKey }: queries.ImportState): Promise<Buffer> {
  const file = storageKey ? await fileStorage().get(storageKey) : undefined;
  if (!file) throw badFile('did not arrive. Send it again.');
  if (file.sizeBytes > MAX_FILE_BYTES) throw badFile('is too large');
  return buffer(file.content);
}

/** Tries the next rows, and writes down what came of them. */
async function checkBatch(tx: WriteContext<null>, state: queries.ImportState): Promise<boolean> {
  const rows = await tx.sql.many<queries.OpenRow>(queries.rowsToDo(state.id, 'READ', ROWS_AT_ONCE));
  if (rows.length === 0) return finish(tx, state);
  await tx.db.$executeRaw`savepoint dry_run`;
  const tried = await tryRows(tx, state, rows, null);
  const added = await tx.sql.many<queries.Known & { id: string }>(queries.addedByImport(state.tenantId, state.id));
  await tx.db.$executeRaw`rollback to savepoint dry_run`;
  const outcomes = outcomesOf(tried, 'VALID');
  await markThoseTwiceInFile(tx, state, tried, outcomes);
  const valid = new Set(outcomes.filter(({ status }) => status === 'VALID').map(({ number }) => number));
  // Guardians have no row of their own; one whose ward is refused only now does no harm to later rows.
  const newcomers = added.filter(({ number }) => number === 0 || valid.has(number));
  if (newcomers.length > 0) await tx.sql.many(queries.keepNewcomers(state.id, state.tenantId, newcomers));
  await tx.sql.many(queries.settleRows(state.id, outcomes));
  await tx.sql.many(queries.countChecked(state.id, valid.size, outcomes.length - valid.size));
  return true;
}

async function finish(tx: WriteContext<null>, { id }: queries.ImportState): Promise<false> {
  await tx.sql.many(queries.forgetNewcomers(id));
  await tx.db.peopleImport.update({
    where: { id },
    data: { status: 'VALIDATED', validatedAt: new Date(), error: null },
  });
  return false;
}

/** Earlier batches were taken back: what they would have taken is asked of what was noted down of them. */
async function markThoseTwiceInFile(
  tx: WriteContext<null>,
  state: queries.ImportState,
  { rows, reader }: Tried,
  outcomes: queries.RowOutcome[],
): Promise<void> {
  const within = firstsOf(rows, outcomes);
  const column = columnOfDraft(reader, 'email');
  for (const [index, outcome] of outcomes.entries()) {
    const email = rows[index]?.read.draft?.email;
    const first = email && outcome.errors?.some((error) => error.column === column) ? within.get(email) : undefined;
    if (first !== undefined) outcome.errors = [{ column, message: `is the email of row ${first} already` }];
  }
  const wanted = outcomes.flatMap((outcome, index) => {
    const draft = rows[index]?.read.draft;
    if (!draft || outcome.status !== 'VALID') return [];
    const { kind, name, email = null, phone = null, memberNumber = null, guardians = [] } = draft;
    const guardianEmails = guardians.flatMap((guardian) =>
      'email' in guardian && guardian.email ? guardian.email : [],
    );
    return { index, number: outcome.number, kind, name, email, phone, memberNumber, guardianEmails };
  });
  if (wanted.length === 0) return;
  const clashes = await tx.sql.many<queries.Clash>(queries.clashesWithin(state.id, wanted));
  for (const { index, field, number } of clashes) {
    const outcome = outcomes[index];
    if (outcome?.status !== 'VALID') continue;
    const error = { column: columnOfDraft(reader, field), message: clashMessage(field, number) };
    Object.assign(outcome, { status: 'INVALID', errors: [error] });
  }
}

/** Which row of the batch has taken an email. */
function firstsOf(rows: Tried['rows'], outcomes: queries.RowOutcome[]): Map<string, number> {
  const taken = outcomes.flatMap(({ status, number }, index) => {
    const email = rows[index]?.read.draft?.email;
    return status === 'VALID' && email ? [[email, number] as const] : [];
  });
  return new Map(taken);
}

function clashMessage(field: queries.Clash['field'], number: number): string {
  const where = number === 0 ? 'a guardian earlier in the file' : `row ${number}`;
  switch (field) {
    case 'email':
      return `is the email of ${where} already`;
    case 'memberNumber':
      return `is the number of ${where} already`;
    case 'phone':
      return number === 0
        ? 'is, with the same name, a guardian earlier in the file'
        : `comes with the same name in ${where} already`;
    case 'guardians':
      return `has the email of ${where}, who is no parent`;
    default:
      return field satisfies never;
  }
}
