import type { WriteContext } from '../types/context.ts';
import { AppError } from '../utils/errors.ts';
import { dayInIndia } from '../utils/india-time.ts';
import { endSubscription } from './subscription-end.service.ts';
import { changeSubscription } from './subscription-history.service.ts';
import { upToDateSubscription } from './subscription-renewal.service.ts';
import type { SubscriptionRow } from './subscription-row.queries.ts';
import { callOffScheduled } from './subscription-schedule.service.ts';
import { assertSubscriptionTransition } from './subscription-status.policy.ts';

/**
 * Ends a subscription at once, or with what is paid for. Nothing is given back by itself: a credit note does that.
 * @param at `PERIOD_END` of a trial is its end
 * @throws AppError not_found; invalid_transition for one that has ended; conflict for one that is paused or ends already
 */
export async function cancelSubscription(
  caller: WriteContext,
  id: string,
  { at, reason }: { at: 'NOW' | 'PERIOD_END'; reason: string },
): Promise<SubscriptionRow> {
  // It is that also where it is part of something else, such as an off-boarding.
  const ctx: WriteContext = {
    ...caller,
    audit: (entry) => caller.audit({ action: 'subscriptions.cancel', ...entry }),
  };
  const row = await upToDateSubscription(ctx, id);
  assertSubscriptionTransition(row.status, 'CANCELLED');
  const today = dayInIndia(ctx.now);
  if (at === 'NOW') return endSubscription(ctx, row, { on: today, reason, cancelledAt: ctx.now });
  if (row.cancelAtPeriodEnd) {
    throw new AppError('conflict', `The subscription ends on ${row.currentPeriodEnd} already.`);
  }
  if (row.status === 'PAUSED') {
    throw new AppError(
      'conflict',
      'The subscription is paused, and its period does not go on. Cancel it now, or resume it first.',
    );
  }
  const calledOff = await callOffScheduled(ctx, id);
  return changeSubscription(
    ctx,
    row,
    { cancelAtPeriodEnd: true, cancelledAt: ctx.now, cancelReason: reason },
    {
      type: 'CANCEL_SCHEDULED',
      effectiveOn: today,
      reason,
      details: { on: row.currentPeriodEnd, ...(calledOff && { calledOffChange: true }) },
    },
  );
}

/** Lets a subscription go on that was to end with its period. @throws AppError not_found; conflict where it was not */
export async function uncancelSubscription(ctx: WriteContext, id: string): Promise<SubscriptionRow> {
  const row = await upToDateSubscription(ctx, id);
  if (!row.cancelAtPeriodEnd) {
    const told =
      row.endedOn === null
        ? 'The subscription was not cancelled.'
        : 'The subscription has ended. Reactivate it: POST /api/subscriptions/:id/reactivate.';
    throw new AppError('conflict', told);
  }
  return changeSubscription(
    ctx,
    row,
    { cancelAtPeriodEnd: false, cancelledAt: null, cancelReason: null },
    { type: 'UNCANCELLED', effectiveOn: dayInIndia(ctx.now) },
  );
}
