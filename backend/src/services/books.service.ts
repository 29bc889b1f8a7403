import type { z } from 'zod';
import type { JobContext } from '../queues/job-context.ts';
import type { ReadContext, Reader } from '../types/context.ts';
import { newId } from '../utils/ids.ts';
import { page } from '../utils/page.ts';
import { sql } from '../utils/sql.ts';
import type { bookCheck, listBookChecksQuery } from '../validators/books.validator.ts';
import { BOOKS, checkRows, faultsOf } from './books.queries.ts';

export type BookFault = { invariant: string; about: string; found: string };

const MOST_KEPT = 100;

/** Everything that does not hold of the books, at most a hundred of a kind. */
export async function faultsOfBooks(reader: Reader): Promise<BookFault[]> {
  const faults: BookFault[] = [];
  for (const [invariant, check] of Object.entries(BOOKS)) {
    const rows = await reader.many<{ about: string | null; found: string | null }>(faultsOf(check));
    faults.push(...rows.map(({ about, found }) => ({ invariant, about: about ?? '', found: found ?? '' })));
  }
  return faults;
}

/** Checks the books, keeps what was found, and raises the alarm in the log where something is wrong. */
export async function checkBooks(ctx: JobContext): Promise<void> {
  const faults = await faultsOfBooks(ctx.sql);
  await ctx.transact(async ({ db, audit }) => {
    const id = newId();
    await db.billingCheck.create({
      data: { id, checkedAt: ctx.now, faults: faults.length, details: faults.slice(0, MOST_KEPT) },
    });
    audit({ action: 'revenue.books_checked', resource: 'books', resourceId: id, details: { faults: faults.length } });
  });
  if (faults.length > 0) ctx.log.error('The books do not agree', { faults: faults.length, first: faults.slice(0, 5) });
}

export const listBookChecks = (ctx: ReadContext, query: z.output<typeof listBookChecksQuery>) =>
  page<z.input<typeof bookCheck>>(ctx, query, {
    rows: sql`${checkRows} order by checked_at desc, id desc`,
    count: sql`select count(*)::int as total from billing_checks`,
  });
