import { stringify } from 'csv-stringify/sync';
import type { JobContext } from '../queues/job-context.ts';
import { decimal } from '../utils/money.ts';
import type { Sql } from '../utils/sql.ts';

// Reports as files: rows are read on by their key, some at a time, and written as they come, so that never more than one
// batch of them is in memory.

const ROWS_AT_ONCE = 1_000;

/** Tells how many rows are written so far. */
export type Told = (rows: number) => Promise<void>;

/**
 * The rows of a report, some at a time.
 * @param read selects those that come after a key (all of them, for undefined), in its order
 */
export async function* readOn<Row, Key>(
  ctx: JobContext,
  read: (after: Key | undefined, most: number) => Sql,
  keyOf: (row: Row) => Key,
): AsyncGenerator<Row[]> {
  for (let after: Key | undefined; ;) {
    ctx.job.signal.throwIfAborted();
    const rows = await ctx.sql.many<Row>(read(after, ROWS_AT_ONCE));
    const last = rows.at(-1);
    if (last !== undefined) yield rows;
    if (last === undefined || rows.length < ROWS_AT_ONCE) return;
    after = keyOf(last);
  }
}

/** Text; or an amount in rupees, which is a number to a spreadsheet. */
export type Cell = string | { rupees: string } | null;

/** By which spreadsheets know that the text is UTF-8. */
const BYTE_ORDER_MARK = '\uFEFF';

/**
 * RFC 4180, every text in quotes. What a spreadsheet would run gets an apostrophe in front (rule 16). Amounts go through as whole paise, which
 * cannot be anything but a number: they keep their sign.
 */
const options = {
  escape_formulas: true,
  quoted_string: true,
  record_delimiter: 'windows',
  cast: { bigint: (paise: bigint) => decimal(paise.toString()).dividedBy(100).toFixed(2) },
} as const;

const field = (cell: Cell): string | bigint | null =>
  cell !== null && typeof cell === 'object' ? BigInt(decimal(cell.rupees).times(100).toFixed(0)) : cell;

const lines = (rows: readonly (readonly Cell[])[]): string =>
  stringify(
    rows.map((row) => row.map(field)),
    options,
  );

/** A table as CSV: the headings first, then rows as they come. */
export async function* csvTable(
  headings: readonly string[],
  batches: AsyncIterable<readonly (readonly Cell[])[]>,
  told: Told,
): AsyncGenerator<string> {
  let written = 0;
  yield BYTE_ORDER_MARK + lines([headings]);
  for await (const rows of batches) {
    if (rows.length === 0) continue;
    yield lines(rows);
    written += rows.length;
    await told(written);
  }
}

/**
 * A report as one JSON object: what is said first, then its rows as they come, then what they come to.
 * @param rows the name of the list
 * @param foot asked for once all rows are written
 */
export async function* jsonTable(
  head: object,
  rows: string,
  { batches, foot, told }: { batches: AsyncIterable<readonly object[]>; foot: () => object; told: Told },
): AsyncGenerator<string> {
  let written = 0;
  yield `${JSON.stringify(head).slice(0, -1)},${JSON.stringify(rows)}:[`;
  for await (const batch of batches) {
    if (batch.length === 0) continue;
    const text = batch.map((row) => `\n${JSON.stringify(row)}`).join(',');
    yield written > 0 ? `,${text}` : text;
    written += batch.length;
    await told(written);
  }
  yield `\n],${JSON.stringify(foot()).slice(1, -1)}}\n`;
}

/** One column of a report: what stands above it, and what of a row stands in it. */
export type Column<Row> = { heading: string; cell: (row: Row) => Cell };

/**
 * A report of rows that each stand for themselves, as CSV or as JSON.
 * @param described what the report is about
 * @param foot what the rows come to, in JSON; not empty
 */
export function reportFile<Row extends object>(
  format: string,
  table: { described: object; columns: readonly Column<Row>[]; batches: AsyncIterable<Row[]>; foot: () => object },
  told: Told,
): AsyncIterable<string> {
  const { described, columns, batches, foot } = table;
  if (format !== 'CSV') return jsonTable(described, 'rows', { batches, foot, told });
  async function* cells() {
    for await (const rows of batches) yield rows.map((row) => columns.map(({ cell }) => cell(row)));
  }
  return csvTable(
    columns.map(({ heading }) => heading),
    cells(),
    told,
  );
}

/** A cell with an amount in rupees. */
export const money = (rupees: string): Cell => ({ rupees });
