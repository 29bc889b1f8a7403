import type { JobContext } from '../queues/job-context.ts';
import type { Sql } from '../utils/sql.ts';
import { journalHeadings, tallyFoot, tallyHead, tallyVoucher, voucherCells } from './journal-tally.ts';
import { creditNoteVoucher, receiptVoucher, refundVoucher, salesVoucher, type Voucher } from './journal.policy.ts';
import * as queries from './report-journal.queries.ts';
import { csvTable, readOn, type Told } from './report-table.ts';

/**
 * The books of some days as vouchers, for Tally or as a table: invoices, credit notes, money that came with what the
 * gateway kept of it, and money that went back. Void documents are none. What is written off is left to accountants: it
 * is no movement of money, and the tax on it stays due.
 */
export async function* journalReport(
  ctx: JobContext,
  { from, to, format }: queries.Days & { format: string },
  told: Told,
): AsyncGenerator<string> {
  const vouchers = vouchersOf(ctx, { from, to });
  if (format === 'CSV') {
    yield* csvTable(journalHeadings, rowsOf(vouchers), told);
    return;
  }
  let written = 0;
  yield tallyHead;
  for await (const batch of vouchers) {
    yield batch.map(tallyVoucher).join('');
    written += batch.length;
    await told(written);
  }
  yield tallyFoot;
}

async function* rowsOf(vouchers: AsyncIterable<Voucher[]>) {
  for await (const batch of vouchers) yield batch.flatMap(voucherCells);
}

async function* vouchersOf(ctx: JobContext, days: queries.Days): AsyncGenerator<Voucher[]> {
  yield* made(ctx, days, queries.journalInvoices, salesVoucher);
  yield* made(ctx, days, queries.journalCreditNotes, creditNoteVoucher);
  yield* made(ctx, days, queries.journalReceipts, receiptVoucher);
  yield* made(ctx, days, queries.journalRefunds, refundVoucher);
}

/** The vouchers of one kind of row. */
async function* made<Row extends queries.Place>(
  ctx: JobContext,
  days: queries.Days,
  select: (days: queries.Days, after: queries.Place | undefined, most: number) => Sql,
  voucherOf: (row: Row) => Voucher,
): AsyncGenerator<Voucher[]> {
  const batches = readOn<Row, queries.Place>(
    ctx,
    (after, most) => select(days, after, most),
    ({ day, id }) => ({ day, id }),
  );
  for await (const rows of batches) yield rows.map(voucherOf);
}
