import type { z } from 'zod';
import type { ReadContext, Reader } from '../types/context.ts';
import { addDays, addMonths, dayOfMonth, monthOf } from '../utils/india-day.ts';
import { dayInIndia } from '../utils/india-time.ts';
import { decimal, rupees, ZERO } from '../utils/money.ts';
import type * as v from '../validators/revenue-metrics.validator.ts';
import {
  movementsOf,
  retentionByMonth,
  runningMovements,
  type MonthOfTenants,
  type MovementRow,
} from './mrr-movements.policy.ts';
import { askedMonths, invalidQuery, keptFigures } from './revenue-kept-figures.service.ts';
import * as queries from './revenue-metrics.queries.ts';
import { lastDayOf, monthPeriod, monthsAfter, type Bucket, type FigurePeriod } from './revenue-periods.policy.ts';
import { arpaOf, arrOf, ltvOf, retentionRates, share, type Retention } from './revenue-rates.policy.ts';
import * as sums from './revenue-sums.queries.ts';

type Query<Schema extends z.ZodType> = z.output<Schema>;
type Metrics = z.output<typeof v.revenueMetrics>;
type Figures = Metrics['current'];

/** A day or a month, and how far back those are looked at who paid at its start. */
type Window = FigurePeriod & { bucket: Bucket; before: string };

/**
 * The figures of a month, or of a day, beside those of the one before. Retention and churn are those of the month, and
 * for a day those of the month that ends with it.
 * @throws AppError validation_failed for what lies in the future
 */
export async function getMetrics(ctx: ReadContext, query: Query<typeof v.metricsQuery>): Promise<Metrics> {
  const today = dayInIndia(ctx.now);
  if (query.day !== undefined && query.day > today) throw invalidQuery('day', 'must not lie in the future');
  if (query.month !== undefined && query.month > monthOf(today)) {
    throw invalidQuery('month', 'must not lie in the future');
  }
  const month = query.month ?? monthOf(today);
  const [current, previous] = query.day
    ? [dayWindow(query.day, today), dayWindow(addDays(query.day, -1), today)]
    : [monthWindow(month, today), monthWindow(monthsAfter(month, -1), today)];
  const of = `metrics:${query.day ?? month}`;
  return keptFigures(ctx, { of, refresh: query.refresh }, async (sql) => {
    const [now, before] = await Promise.all([figuresOf(sql, current, today), figuresOf(sql, previous, today)]);
    return { asOf: ctx.now.toISOString(), current: now, previous: before, change: changeBetween(before, now) };
  });
}

const dayWindow = (day: string, today: string): Window => ({
  from: day,
  to: day,
  complete: day < today,
  bucket: 'day',
  before: addMonths(day, -1, dayOfMonth(day)),
});

function monthWindow(month: string, today: string): Window {
  const period = monthPeriod(month, today);
  return { ...period, bucket: 'month', before: addDays(period.from, -1) };
}

/** All of a window in one round trip. */
async function figuresOf(sql: Reader, window: Window, today: string): Promise<Figures> {
  const { from, to, complete, bucket, before } = window;
  const [[opening], movements, [balance], [now], [invoiced], [credited], [collected], [deferred]] = await sql.batch<
    [
      { mrr: string }[],
      MovementRow[],
      queries.BalanceRow[],
      { mrr: string; paying: number }[],
      sums.SumRow[],
      sums.SumRow[],
      sums.CollectedRow[],
      { amount: string }[],
    ]
  >(
    queries.mrrBefore(from),
    queries.movementsBy(bucket, window),
    queries.balancesBetween(before, to),
    queries.mrrNow(),
    sums.invoicedBy(bucket, window),
    sums.creditedBy(bucket, window),
    sums.collectedBy(bucket, window),
    sums.deferredOn(to),
  );
  if (!balance || !now) throw new Error('Summing up gave no row');
  // Of today as the subscriptions stand, of another day as their history tells.
  const { mrr, paying } = to === today ? now : balance;
  return {
    from,
    to,
    complete,
    mrr,
    arr: arrOf(mrr),
    arpa: arpaOf(mrr, paying),
    ltv: ltvOf({ mrr, paying }, balance),
    payingTenants: paying,
    movements: movementsOf(opening?.mrr ?? ZERO, movements),
    retention: { from: addDays(before, 1), to, ...retentionRates(retentionOf(balance)) },
    invoiced: sumOfRow(invoiced),
    credited: sumOfRow(credited),
    collected: collected?.amount ?? rupees(0),
    deferredRevenue: deferred?.amount ?? rupees(0),
  };
}

const retentionOf = ({ startMrr, payingAtStart, churned, lost, moved }: queries.BalanceRow): Retention => ({
  startMrr: decimal(startMrr),
  payingAtStart,
  churned,
  lost: decimal(lost),
  moved: decimal(moved),
});

const sumOfRow = (row: sums.SumRow | undefined) => ({
  taxable: row?.taxable ?? rupees(0),
  total: row?.total ?? rupees(0),
});

function changeBetween(before: Figures, now: Figures): Metrics['change'] {
  const difference = (of: (figures: Figures) => string) => decimal(of(now)).minus(of(before));
  const mrr = difference((one) => one.mrr);
  return {
    mrr: rupees(mrr),
    mrrRate: share(mrr, before.mrr),
    payingTenants: now.payingTenants - before.payingTenants,
    invoiced: rupees(difference((one) => one.invoiced.taxable)),
    collected: rupees(difference((one) => one.collected)),
  };
}

/** What made the MRR what it is, month by month: opening and movements are the closing. */
export async function getMovements(
  ctx: ReadContext,
  query: Query<typeof v.monthsQuery>,
): Promise<z.output<typeof v.mrrMovements>> {
  const months = askedMonths(ctx.now, query);
  const [first, last] = [months[0] ?? '', months.at(-1) ?? ''];
  return keptFigures(ctx, { of: `movements:${first}:${last}`, refresh: query.refresh }, async (sql) => {
    const today = dayInIndia(ctx.now);
    const { from } = monthPeriod(first, today);
    const [[opening], rows] = await sql.batch<[{ mrr: string }[], MovementRow[]]>(
      queries.mrrBefore(from),
      queries.movementsBy('month', { from, to: monthPeriod(last, today).to }),
    );
    const periods = months.map((month) => ({ month, ...monthPeriod(month, today) }));
    return { asOf: ctx.now.toISOString(), months: runningMovements(opening?.mrr ?? ZERO, periods, rows) };
  });
}

/** Who stayed, month by month, and of those who paid twelve months before the end of the last one. */
export async function getChurn(
  ctx: ReadContext,
  query: Query<typeof v.monthsQuery>,
): Promise<z.output<typeof v.revenueChurn>> {
  const months = askedMonths(ctx.now, query);
  const [first, last] = [months[0] ?? '', months.at(-1) ?? ''];
  return keptFigures(ctx, { of: `churn:${first}:${last}`, refresh: query.refresh }, async (sql) => {
    const today = dayInIndia(ctx.now);
    const { to, complete } = monthPeriod(last, today);
    const yearBefore = lastDayOf(monthsAfter(last, -12));
    const [rows, [balance]] = await sql.batch<[MonthOfTenants[], queries.BalanceRow[]]>(
      queries.monthsOfTenants(to),
      queries.balancesBetween(yearBefore, to),
    );
    if (!balance) throw new Error('Summing up gave no row');
    return {
      asOf: ctx.now.toISOString(),
      months: retentionByMonth(rows, months).map(({ month, ...retention }) => ({
        month,
        complete: monthPeriod(month, today).complete,
        ...retentionRates(retention),
      })),
      lastTwelveMonths: {
        from: addDays(yearBefore, 1),
        to,
        complete,
        ...retentionRates(retentionOf(balance)),
      },
    };
  });
}
