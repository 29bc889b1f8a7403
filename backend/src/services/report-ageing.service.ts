import type { JobContext } from '../queues/job-context.ts';
import { decimal, rupees, ZERO, type Decimal } from '../utils/money.ts';
import { ageingRows, nextTenants, type AgeingRow } from './report-ageing.queries.ts';
import { money, reportFile, type Column, type Told } from './report-table.ts';
import { AGES } from './revenue-dashboard.queries.ts';

type Line = ReturnType<typeof lineOf>;

const TENANTS_AT_ONCE = 500;

const columns: Column<Line>[] = [
  { heading: 'Tenant id', cell: ({ tenantId }) => tenantId },
  { heading: 'Tenant', cell: ({ name }) => name },
  { heading: 'GSTIN', cell: ({ gstin }) => gstin },
  { heading: 'Not due', cell: ({ notDue }) => money(notDue) },
  { heading: '0-30 days', cell: ({ days0To30 }) => money(days0To30) },
  { heading: '31-60 days', cell: ({ days31To60 }) => money(days31To60) },
  { heading: '61-90 days', cell: ({ days61To90 }) => money(days61To90) },
  { heading: 'Over 90 days', cell: ({ daysOver90 }) => money(daysOver90) },
  { heading: 'Total', cell: ({ total }) => money(total) },
  { heading: 'Invoices', cell: ({ invoices }) => String(invoices) },
  { heading: 'Oldest due date', cell: ({ oldestDue }) => oldestDue },
];

const lineOf = (row: AgeingRow) => ({
  tenantId: row.tenantId,
  name: row.name,
  gstin: row.gstin,
  notDue: row.NOT_DUE,
  days0To30: row.DAYS_0_30,
  days31To60: row.DAYS_31_60,
  days61To90: row.DAYS_61_90,
  daysOver90: row.DAYS_OVER_90,
  total: row.total,
  invoices: row.invoices,
  oldestDue: row.oldestDue,
});

/** All tenants, some at a time by their id. */
async function* tenantRanges(ctx: JobContext): AsyncGenerator<{ after: string; upTo: string }> {
  for (let after = ''; ;) {
    ctx.job.signal.throwIfAborted();
    const next = await ctx.sql.one<{ last: string | null }>(nextTenants(after, TENANTS_AT_ONCE));
    if (!next?.last) return;
    yield { after, upTo: next.last };
    after = next.last;
  }
}

/** What each tenant owed at the end of a day, by how long ago it was due then. Due on that day is not overdue yet. */
export function ageingReport(
  ctx: JobContext,
  { day, format }: { day: string; format: string },
  told: Told,
): AsyncIterable<string> {
  const sums = new Map<string, Decimal>();
  const add = (name: string, amount: string) => sums.set(name, (sums.get(name) ?? ZERO).plus(decimal(amount)));
  async function* batches() {
    for await (const tenants of tenantRanges(ctx)) {
      const rows = await ctx.sql.many<AgeingRow>(ageingRows(day, tenants));
      for (const row of rows) {
        add('total', row.total);
        for (const age of AGES) add(age, row[age]);
      }
      yield rows.map(lineOf);
    }
  }
  const of = (name: string) => rupees(sums.get(name) ?? ZERO);
  const foot = () => ({
    totals: {
      notDue: of('NOT_DUE'),
      days0To30: of('DAYS_0_30'),
      days31To60: of('DAYS_31_60'),
      days61To90: of('DAYS_61_90'),
      daysOver90: of('DAYS_OVER_90'),
      total: of('total'),
    },
  });
  return reportFile(format, { described: { report: 'ageing', day }, columns, batches: batches(), foot }, told);
}
