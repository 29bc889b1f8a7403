import type { z } from 'zod';
import type { ReadContext, Reader } from '../types/context.ts';
import { addMonths, dayOfMonth } from '../utils/india-day.ts';
import { dayInIndia } from '../utils/india-time.ts';
import { rupees, ZERO } from '../utils/money.ts';
import type * as v from '../validators/revenue-metrics.validator.ts';
import { runningMovements, type MovementRow } from './mrr-movements.policy.ts';
import { plansOver, type PlanFigures } from './revenue-analytics.queries.ts';
import { invalidQuery, keptFigures, MOST_MONTHS } from './revenue-kept-figures.service.ts';
import { movementsBy, mrrBefore } from './revenue-metrics.queries.ts';
import { bucketsBetween, type Bucket, type FigurePeriod } from './revenue-periods.policy.ts';
import { collectedBy, creditedBy, invoicedBy, type CollectedRow, type SumRow } from './revenue-sums.queries.ts';

type Analytics = z.output<typeof v.revenueAnalytics>;

/** Points of one series. */
const MOST_BUCKETS = 120;
const MOST_PLANS = 50;
const USUAL_MONTHS = 11;

/**
 * The figures over a range, in whole days, weeks from Monday, or months.
 * @throws AppError validation_failed for a range to come, none at all, or one that is too long
 */
export async function getAnalytics(ctx: ReadContext, query: z.output<typeof v.analyticsQuery>): Promise<Analytics> {
  const today = dayInIndia(ctx.now);
  const { bucket, refresh } = query;
  const to = query.to ?? today;
  const from = query.from ?? addMonths(to, -USUAL_MONTHS, dayOfMonth(to));
  const periods = askedPeriods({ from, to }, bucket, today);
  const range = { from: periods[0]?.from ?? from, to: periods.at(-1)?.to ?? to };
  const of = `analytics:${bucket}:${range.from}:${range.to}`;
  return keptFigures(ctx, { of, refresh }, async (sql) => ({
    asOf: ctx.now.toISOString(),
    bucket,
    ...range,
    ...(await seriesOf(sql, bucket, range, periods)),
  }));
}

function askedPeriods(range: { from: string; to: string }, bucket: Bucket, today: string): FigurePeriod[] {
  const { from, to } = range;
  if (to > today) throw invalidQuery('to', 'must not lie in the future');
  if (from > to) throw invalidQuery('from', 'must not come after `to`');
  const earliest = addMonths(to, -MOST_MONTHS, dayOfMonth(to));
  if (from < earliest) throw invalidQuery('from', `must not lie more than ${MOST_MONTHS} months before \`to\``);
  const periods = bucketsBetween(range, bucket, { today, most: MOST_BUCKETS });
  if (periods.length <= MOST_BUCKETS) return periods;
  throw invalidQuery('bucket', `must be a longer one: there would be more than ${MOST_BUCKETS} of them`);
}

/** All in one round trip. */
async function seriesOf(
  sql: Reader,
  bucket: Bucket,
  range: { from: string; to: string },
  periods: readonly FigurePeriod[],
): Promise<Pick<Analytics, 'series' | 'byPlan'>> {
  const [[opening], movements, invoiced, credited, collected, byPlan] = await sql.batch<
    [{ mrr: string }[], MovementRow[], SumRow[], SumRow[], CollectedRow[], PlanFigures[]]
  >(
    mrrBefore(range.from),
    movementsBy(bucket, range),
    invoicedBy(bucket, range),
    creditedBy(bucket, range),
    collectedBy(bucket, range),
    plansOver(range, MOST_PLANS),
  );
  const series = runningMovements(opening?.mrr ?? ZERO, periods, movements).map(({ from, to, complete, closing }) => {
    const of = <Row extends { start: string }>(rows: readonly Row[]) => rows.find(({ start }) => start === from);
    const changes = (...kinds: MovementRow['movement'][]) =>
      movements
        .filter(({ start, movement }) => start === from && kinds.includes(movement))
        .reduce((count, row) => count + row.changes, 0);
    return {
      from,
      to,
      complete,
      mrr: closing,
      invoiced: sum(of(invoiced)),
      credited: sum(of(credited)),
      collected: rupees(of(collected)?.amount ?? 0),
      newSubscriptions: changes('NEW', 'REACTIVATION'),
      lostSubscriptions: changes('CHURN'),
    };
  });
  return { series, byPlan };
}

const sum = (row: SumRow | undefined) => ({ taxable: rupees(row?.taxable ?? 0), total: rupees(row?.total ?? 0) });
