import { jobs } from '../queues/index.ts';
import type { JobContext } from '../queues/job-context.ts';
import type { WriteContext } from '../types/context.ts';
import { outcomesOf, ROWS_AT_ONCE, tryRows, untilItFails, workOn } from './people-import-batch.service.ts';
import * as queries from './people-import-work.queries.ts';

/**
 * Creates the people of the rows that are good. Rows and people are committed together, batch by batch: whoever takes
 * over goes on where the last one stopped.
 * @param committedById who answers for it
 */
export const commitRows = (ctx: JobContext, importId: string, committedById: string): Promise<void> =>
  untilItFails(ctx, importId, { status: 'COMMITTING', attempts: jobs['import.commit'].attempts }, async () => {
    while (await workOn(ctx, importId, 'COMMITTING', (tx, state) => commitBatch(tx, state, committedById)));
  });

async function commitBatch(
  tx: WriteContext<null>,
  state: queries.ImportState,
  committedById: string,
): Promise<boolean> {
  const { id, tenantId } = state;
  const rows = await tx.sql.many<queries.OpenRow>(queries.rowsToDo(id, 'VALID', ROWS_AT_ONCE));
  if (rows.length === 0) {
    await tx.db.peopleImport.update({
      where: { id },
      data: { status: 'COMPLETED', error: null, finishedAt: new Date() },
    });
    return false;
  }
  const outcomes = outcomesOf(await tryRows(tx, state, rows, committedById), 'CREATED');
  const created = outcomes.filter(({ status }) => status === 'CREATED').length;
  const refused = outcomes.length - created;
  await tx.sql.many(queries.settleRows(id, outcomes));
  await tx.sql.many(queries.countCreated(id, created, refused));
  const between = { firstRow: rows[0]?.number, lastRow: rows.at(-1)?.number };
  tx.audit({ resource: 'people_import', resourceId: id, tenantId, details: { ...between, created, refused } });
  return true;
}
