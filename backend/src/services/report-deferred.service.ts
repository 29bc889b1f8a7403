import type { JobContext } from '../queues/job-context.ts';
import { rupees, ZERO } from '../utils/money.ts';
import { deferredRows, type DeferredKey, type DeferredRow } from './report-deferred.queries.ts';
import { money, readOn, reportFile, type Column, type Told } from './report-table.ts';

type Line = Omit<DeferredRow, 'id' | 'periodEnd'>;

const columns: Column<Line>[] = [
  { heading: 'Tenant id', cell: ({ tenantId }) => tenantId },
  { heading: 'Buyer', cell: ({ buyer }) => buyer },
  { heading: 'Invoice', cell: ({ number }) => number },
  { heading: 'Issued on', cell: ({ issuedOn }) => issuedOn },
  { heading: 'Line', cell: ({ description }) => description },
  { heading: 'Period from', cell: ({ periodFrom }) => periodFrom },
  { heading: 'Period to', cell: ({ lastDay }) => lastDay },
  { heading: 'Taxable', cell: ({ taxable }) => money(taxable) },
  { heading: 'Credited', cell: ({ credited }) => money(credited) },
  { heading: 'Days', cell: ({ days }) => String(days) },
  { heading: 'Days left', cell: ({ daysLeft }) => String(daysLeft) },
  { heading: 'Deferred', cell: ({ deferred }) => money(deferred) },
];

/** A row without its place in the order. */
function lineOf(row: DeferredRow): Line {
  const { id: _, periodEnd: __, ...line } = row;
  return line;
}

/**
 * What was invoiced by the end of a day and is earned after it, line by line: without tax, in proportion to the days of
 * the period of the line, less what was credited of it.
 */
export function deferredReport(
  ctx: JobContext,
  { day, format }: { day: string; format: string },
  told: Told,
): AsyncIterable<string> {
  let total = ZERO;
  async function* batches() {
    const read = readOn<DeferredRow, DeferredKey>(
      ctx,
      (after, most) => deferredRows(day, after, most),
      (row) => row,
    );
    for await (const rows of read) {
      for (const { deferred } of rows) total = total.plus(deferred);
      yield rows.map(lineOf);
    }
  }
  const foot = () => ({ total: rupees(total) });
  return reportFile(
    format,
    { described: { report: 'deferred-revenue', day }, columns, batches: batches(), foot },
    told,
  );
}
