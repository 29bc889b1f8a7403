import type { JobContext } from '../queues/job-context.ts';
import { dayInIndia } from '../utils/india-time.ts';
import { rupees, ZERO } from '../utils/money.ts';
import { tenantMovements, type TenantMovementsRow } from './report-mrr.queries.ts';
import { money, readOn, reportFile, type Column, type Told } from './report-table.ts';
import { monthPeriod, monthsBetween } from './revenue-periods.policy.ts';

type Line = TenantMovementsRow & { month: string; complete: boolean };

const columns: Column<Line>[] = [
  { heading: 'Month', cell: ({ month }) => month },
  { heading: 'Complete', cell: ({ complete }) => (complete ? 'yes' : 'no') },
  { heading: 'Tenant id', cell: ({ tenantId }) => tenantId },
  { heading: 'Tenant', cell: ({ name }) => name },
  { heading: 'Opening MRR', cell: ({ opening }) => money(opening) },
  { heading: 'New', cell: (row) => money(row.new) },
  { heading: 'Expansion', cell: ({ expansion }) => money(expansion) },
  { heading: 'Contraction', cell: ({ contraction }) => money(contraction) },
  { heading: 'Churn', cell: ({ churn }) => money(churn) },
  { heading: 'Reactivation', cell: ({ reactivation }) => money(reactivation) },
  { heading: 'Closing MRR', cell: ({ closing }) => money(closing) },
];

/**
 * The movements of the MRR by month and tenant (rule 28): opening and movements are the closing, which is the opening of
 * the next month. @param from,to months, `YYYY-MM`, both included
 */
export function mrrReport(
  ctx: JobContext,
  { from, to, format }: { from: string; to: string; format: string },
  told: Told,
): AsyncIterable<string> {
  const today = dayInIndia(ctx.now);
  let closing = ZERO;
  async function* batches() {
    for (const month of monthsBetween(from, to)) {
      const period = monthPeriod(month, today);
      closing = ZERO;
      const read = readOn<TenantMovementsRow, string>(
        ctx,
        (after, most) => tenantMovements(period, after, most),
        ({ tenantId }) => tenantId,
      );
      for await (const rows of read) {
        for (const row of rows) closing = closing.plus(row.closing);
        yield rows.map((row): Line => ({ month, complete: period.complete, ...row }));
      }
    }
  }
  const foot = () => ({ closingMrr: rupees(closing) });
  return reportFile(format, { described: { report: 'mrr', from, to }, columns, batches: batches(), foot }, told);
}
