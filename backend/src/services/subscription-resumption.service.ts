import type { WriteContext } from '../types/context.ts';
import { addDays, dateColumn, dayOfMonth, daysBetween } from '../utils/india-day.ts';
import { sql } from '../utils/sql.ts';
import { changeSubscription } from './subscription-history.service.ts';
import type { SubscriptionRow } from './subscription-row.queries.ts';
import { movePeriodEnd } from './subscription-schedule.service.ts';

/**
 * Goes on with a paused subscription, which is locked by the caller: its period gets back the days of the pause, and what
 * was to end with it ends as much later.
 * @param on the first day in India on which it runs again
 */
export async function resumePaused(ctx: WriteContext, row: SubscriptionRow, on: string): Promise<SubscriptionRow> {
  const pausedOn = row.pausedOn ?? on;
  const days = Math.max(0, daysBetween(pausedOn, on));
  const end = addDays(row.currentPeriodEnd, days);
  if (days > 0) {
    await movePeriodEnd(ctx, row, end);
    // The months of a coupon do not run in a pause.
    await ctx.sql.many(sql`
      update subscription_coupons set ends_on = ends_on + ${days}::int
       where subscription_id = ${row.id} and removed_on is null and ends_on > ${pausedOn}::date returning id`);
  }
  return changeSubscription(
    ctx,
    row,
    {
      status: 'ACTIVE',
      pausedOn: null,
      resumeOn: null,
      currentPeriodEnd: dateColumn(end),
      nextEventOn: dateColumn(end),
      ...(days > 0 && { anchorDay: dayOfMonth(end) }),
    },
    { type: 'RESUMED', effectiveOn: on, details: { pausedDays: days } },
  );
}
