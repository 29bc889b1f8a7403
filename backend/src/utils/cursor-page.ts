import type { ReadContext } from '../types/context.ts';
import { orNotFound } from './errors.ts';
import { encodeCursor, page, type Cursor } from './page.ts';
import { sql, type Sql } from './sql.ts';

type CursorInput = { page: number; limit: number; cursor?: Cursor | undefined };

/** The moment of a row as a cursor needs it: with microseconds, which a Date would lose. */
export const cursorTime = (column: Sql): Sql =>
  sql`to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

/** Rows that come after the cursor in a list that is sorted by time, newest first. */
export const afterCursor = (columns: Sql, cursor: Cursor | undefined): Sql | undefined =>
  cursor && sql`(${columns}) < (${cursor.createdAt}::timestamptz, ${cursor.id})`;

/**
 * A list that grows and grows, newest first: by page, or on from a cursor, which costs the same however far back it is.
 * @param rows selects `id` and, as `cursorTime` gives it, `createdAt`, sorted by both
 * @param count selects one column `total`
 * @param parent selects a row without which the list does not exist
 * @throws AppError not_found without that row
 */
export async function cursorPage<Row extends Cursor>(
  ctx: Pick<ReadContext, 'sql'>,
  input: CursorInput,
  { rows, count, parent }: { rows: Sql; count: Sql; parent?: { of: Sql; what: string } },
) {
  const { limit } = input;
  if (!input.cursor) {
    const { items, meta } = await page<Row>(ctx, input, { rows, count, parent });
    return { items, meta: { ...meta, nextCursor: cursorAfter(items, meta.page < meta.totalPages) } };
  }
  // One more than is shown: it tells whether anything follows.
  const [found, parents] = await ctx.sql.batch<[Row[], unknown[]]>(
    sql`${rows} limit ${limit + 1}`,
    ...((parent ? [parent.of] : []) as [Sql]),
  );
  if (parent) orNotFound(parents[0], parent.what);
  return cursorSlice(found, limit);
}

/** What is shown of rows of which one more was read than is shown, and where they go on. */
export function cursorSlice<Row extends Cursor>(found: readonly Row[], limit: number) {
  const items = found.slice(0, limit);
  return { items, meta: { limit, nextCursor: cursorAfter(items, found.length > limit) } };
}

function cursorAfter(items: readonly Cursor[], goesOn: boolean): string | null {
  const last = items.at(-1);
  return last && goesOn ? encodeCursor(last) : null;
}
