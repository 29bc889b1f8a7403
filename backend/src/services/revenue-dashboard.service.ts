import type { z } from 'zod';
import type { ReadContext, Reader } from '../types/context.ts';
import { monthOf } from '../utils/india-day.ts';
import { dayInIndia } from '../utils/india-time.ts';
import { decimal, rupees, sumOf } from '../utils/money.ts';
import type * as v from '../validators/revenue-metrics.validator.ts';
import { runningMovements, type MovementRow } from './mrr-movements.policy.ts';
import * as queries from './revenue-dashboard.queries.ts';
import { keptFigures } from './revenue-kept-figures.service.ts';
import { movementsBy, mrrBefore, mrrNow } from './revenue-metrics.queries.ts';
import { monthPeriod, monthsAfter, monthsBetween } from './revenue-periods.policy.ts';
import { arpaOf, arrOf } from './revenue-rates.policy.ts';
import { collectedBy, creditedBy, invoicedBy, type CollectedRow, type SumRow } from './revenue-sums.queries.ts';

type Dashboard = z.output<typeof v.revenueDashboard>;

const MONTHS = 12;
const MOST_PLANS = 10;

/** What the business earns, is owed and has collected, at one glance. */
export const getDashboard = (ctx: ReadContext, { refresh }: z.output<typeof v.dashboardQuery>): Promise<Dashboard> =>
  keptFigures(ctx, { of: 'dashboard', refresh }, (sql) => dashboardOf(sql, ctx.now));

async function dashboardOf(sql: Reader, now: Date): Promise<Dashboard> {
  const today = dayInIndia(now);
  const figures = await readFigures(sql, today);
  const { mrr, paying } = figures.now;
  const months = monthsOf(figures, today);
  const current = months.at(-1);
  if (!current) throw new Error('There is no month');
  const { month, complete, movements, invoiced, credited, collected } = current;
  return {
    asOf: now.toISOString(),
    day: today,
    mrr,
    arr: arrOf(mrr),
    arpa: arpaOf(mrr, paying),
    payingTenants: paying,
    subscriptions: subscriptionsOf(figures.statuses),
    thisMonth: { month, complete, movements, invoiced, credited, collected },
    ...dueOf(figures.due),
    months: months.map((one) => ({
      month: one.month,
      complete: one.complete,
      mrr: one.movements.closing,
      invoiced: one.invoiced,
      collected: one.collected,
    })),
    topPlans: figures.plans,
    dunning: figures.dunning,
  };
}

type Read = {
  now: { mrr: string; paying: number };
  statuses: queries.StatusRow[];
  opening: string;
  movements: MovementRow[];
  invoiced: SumRow[];
  credited: SumRow[];
  collected: CollectedRow[];
  due: queries.DueRow[];
  plans: queries.PlanRow[];
  dunning: { runs: number; amount: string };
};

/** Two messages at once: what is read of many documents, and all the rest. */
async function readFigures(sql: Reader, today: string): Promise<Read> {
  const from = `${monthsAfter(monthOf(today), 1 - MONTHS)}-01`;
  const range = { from, to: today };
  const [[invoiced], [[now], statuses, [opening], movements, credited, collected, due, plans, [dunning]]] =
    await Promise.all([
      sql.batch<[SumRow[]]>(invoicedBy('month', range)),
      sql.batch<
        [
          Read['now'][],
          Read['statuses'],
          { mrr: string }[],
          Read['movements'],
          Read['credited'],
          Read['collected'],
          Read['due'],
          Read['plans'],
          Read['dunning'][],
        ]
      >(
        mrrNow(),
        queries.liveSubscriptions(),
        mrrBefore(from),
        movementsBy('month', range),
        creditedBy('month', range),
        collectedBy('month', range),
        queries.dueByAge(today),
        queries.plansByMrr(MOST_PLANS),
        queries.openDunning(),
      ),
    ]);
  if (!now || !dunning || !opening) throw new Error('Summing up gave no row');
  return { now, statuses, opening: opening.mrr, movements, invoiced, credited, collected, due, plans, dunning };
}

/** The last twelve months; what was invoiced is told without what was credited. */
function monthsOf({ opening, movements, invoiced, credited, collected }: Read, today: string) {
  const thisMonth = monthOf(today);
  const periods = monthsBetween(monthsAfter(thisMonth, 1 - MONTHS), thisMonth).map((month) => ({
    month,
    ...monthPeriod(month, today),
  }));
  return runningMovements(opening, periods, movements).map((period) => {
    const { month, from, to: _, complete, ...moved } = period;
    const of = (rows: readonly SumRow[]) => rows.find(({ start }) => start === from);
    const [gross, taken] = [of(invoiced), of(credited)];
    const less = (amount: string | undefined, off: string | undefined) => rupees(decimal(amount ?? 0).minus(off ?? 0));
    return {
      month,
      complete,
      movements: moved,
      invoiced: { taxable: less(gross?.taxable, taken?.taxable), total: less(gross?.total, taken?.total) },
      credited: { taxable: rupees(taken?.taxable ?? 0), total: rupees(taken?.total ?? 0) },
      collected: rupees(collected.find(({ start }) => start === from)?.amount ?? 0),
    };
  });
}

function subscriptionsOf(rows: readonly queries.StatusRow[]): Dashboard['subscriptions'] {
  const of = (status: queries.StatusRow['status']) => rows.find((row) => row.status === status)?.subscriptions ?? 0;
  return { trial: of('TRIAL'), active: of('ACTIVE'), pastDue: of('PAST_DUE'), paused: of('PAUSED') };
}

/** What is to be paid in all, and what of it should have been. */
function dueOf(rows: readonly queries.DueRow[]): Pick<Dashboard, 'outstanding' | 'overdue'> {
  const sum = (some: readonly queries.DueRow[]) => ({
    amount: rupees(sumOf(some.map(({ amount }) => amount))),
    invoices: some.reduce((count, { invoices }) => count + invoices, 0),
  });
  const of = (bucket: (typeof queries.AGES)[number]) => sum(rows.filter((row) => row.bucket === bucket));
  return {
    outstanding: sum(rows),
    overdue: {
      ...sum(rows.filter(({ bucket }) => bucket !== 'NOT_DUE')),
      days0To30: of('DAYS_0_30'),
      days31To60: of('DAYS_31_60'),
      days61To90: of('DAYS_61_90'),
      daysOver90: of('DAYS_OVER_90'),
    },
  };
}
