import type { WriteContext } from '../types/context.ts';
import { AppError } from '../utils/errors.ts';
import { addDays, dateColumn, daysBetween, startOfDay } from '../utils/india-day.ts';
import { dayInIndia } from '../utils/india-time.ts';
import { forgetTenant } from './cache.service.ts';
import { changeSubscription } from './subscription-history.service.ts';
import { upToDateSubscription } from './subscription-renewal.service.ts';
import type { SubscriptionRow } from './subscription-row.queries.ts';
import { movePeriodEnd } from './subscription-schedule.service.ts';

/** As long as a plan can offer one. */
const LONGEST_TRIAL_DAYS = 365;

/**
 * Lets a trial last longer, and the tenant's with it.
 * @throws AppError not_found; conflict for what is no trial, or would be one for more than a year
 */
export async function extendTrial(
  ctx: WriteContext,
  id: string,
  { days, reason }: { days: number; reason?: string | undefined },
): Promise<SubscriptionRow> {
  const row = await upToDateSubscription(ctx, id);
  if (row.status !== 'TRIAL')
    throw new AppError('conflict', `The subscription is ${row.status}: only a trial can be extended.`);
  const end = addDays(row.currentPeriodEnd, days);
  if (daysBetween(row.startedOn, end) > LONGEST_TRIAL_DAYS) {
    throw new AppError('conflict', `A trial lasts ${LONGEST_TRIAL_DAYS} days at most: this one would end on ${end}.`);
  }
  const column = dateColumn(end);
  await movePeriodEnd(ctx, row, end);
  await moveTenantTrial(ctx, row.tenantId, end);
  return changeSubscription(
    ctx,
    row,
    { trialEndsOn: column, currentPeriodEnd: column, nextEventOn: column },
    {
      type: 'TRIAL_EXTENDED',
      effectiveOn: dayInIndia(ctx.now),
      reason: reason ?? null,
      details: { days, endsOn: end },
    },
  );
}

/** What the tenant's own page says of its trial. @param end the first day after it, in India */
export async function moveTenantTrial(ctx: WriteContext, tenantId: string, end: string): Promise<void> {
  const { count } = await ctx.db.tenant.updateMany({
    where: { id: tenantId, status: 'TRIAL' },
    data: { trialEndsAt: startOfDay(end), version: { increment: 1 } },
  });
  if (count > 0) forgetTenant(ctx, tenantId);
}
