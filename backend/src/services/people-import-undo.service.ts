import { jobs } from '../queues/index.ts';
import type { JobContext } from '../queues/job-context.ts';
import type { WriteContext } from '../types/context.ts';
import { untilItFails, workOn } from './people-import-batch.service.ts';
import { lockIntake } from './people-intake.queries.ts';
import * as queries from './people-import-undo.queries.ts';
import { countUndone, type ImportState } from './people-import-work.queries.ts';

const PEOPLE_AT_ONCE = 250;

type Batch = (tx: WriteContext<null>, state: ImportState) => Promise<boolean>;

/**
 * Removes the people whom an import has created, unless somebody has touched them since: those are kept and counted.
 * Students and staff go first, then parents and guardians whom nobody needs any more. It can be broken off at any point
 * and goes on from there.
 */
export const undoRows = (ctx: JobContext, importId: string): Promise<void> =>
  untilItFails(ctx, importId, { status: 'UNDOING', attempts: jobs['import.undo'].attempts }, async () => {
    const steps = [rowsInBatches(false), rowsInBatches(true), guardiansInBatch];
    for (const step of steps) while (await workOn(ctx, importId, 'UNDOING', step));
    await workOn(ctx, importId, 'UNDOING', finish);
  });

const rowsInBatches =
  (parents: boolean): Batch =>
  async (tx, { id, tenantId }) => {
    const rows = await tx.sql.many<{ number: number; userId: string }>(
      queries.createdRows(id, parents, PEOPLE_AT_ONCE),
    );
    if (rows.length === 0) return false;
    const there = await remove(
      tx,
      { id, tenantId },
      rows.map(({ userId }) => userId),
    );
    const numbers = (left: boolean) =>
      rows.filter(({ userId }) => there.has(userId) === left).map(({ number }) => number);
    const [undone, kept] = [numbers(false), numbers(true)];
    await tx.sql.many(queries.settleUndone(id, undone, kept));
    await tx.sql.many(countUndone(id, undone.length, kept.length));
    const between = { firstRow: rows[0]?.number, lastRow: rows.at(-1)?.number };
    const details = { ...between, undone: undone.length, kept: kept.length };
    tx.audit({ resource: 'people_import', resourceId: id, tenantId, details });
    return true;
  };

/** Those who are kept belong to no import from then on. */
const guardiansInBatch: Batch = async (tx, { id, tenantId }) => {
  const guardians = await tx.sql.many<{ id: string }>(queries.guardiansBrought(tenantId, id, PEOPLE_AT_ONCE));
  if (guardians.length === 0) return false;
  const there = await remove(
    tx,
    { id, tenantId },
    guardians.map((guardian) => guardian.id),
  );
  await tx.sql.many(queries.releaseGuardians(tenantId, [...there]));
  const details = { guardiansRemoved: guardians.length - there.size, guardiansKept: there.size };
  tx.audit({ resource: 'people_import', resourceId: id, tenantId, details });
  return true;
};

/** @returns the ids of those who are there still */
async function remove(
  tx: WriteContext<null>,
  { id, tenantId }: Pick<ImportState, 'id' | 'tenantId'>,
  people: string[],
): Promise<Set<string>> {
  await tx.sql.one(lockIntake(tenantId));
  await tx.sql.many(queries.lockPeople(tenantId, people));
  await tx.sql.many(queries.removeUntouched(tenantId, id, people));
  const there = await tx.sql.many<{ id: string }>(queries.peopleThere(tenantId, people));
  return new Set(there.map((person) => person.id));
}

const finish: Batch = async (tx, { id }) => {
  await tx.db.peopleImport.update({ where: { id }, data: { status: 'UNDONE', error: null, finishedAt: new Date() } });
  return false;
};
