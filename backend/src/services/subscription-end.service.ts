import type { WriteContext } from '../types/context.ts';
import { dateColumn } from '../utils/india-day.ts';
import { closeDunningOfSubscription } from './dunning-close.service.ts';
import { changeSubscription } from './subscription-history.service.ts';
import type { SubscriptionRow } from './subscription-row.queries.ts';
import { callOffScheduled } from './subscription-schedule.service.ts';
import { closeTenant } from './subscription-tenant.service.ts';

/** Of what has ended nothing is due any more. */
const over = (on: string) => ({
  endedOn: dateColumn(on),
  nextEventOn: null,
  cancelAtPeriodEnd: false,
  pausedOn: null,
  resumeOn: null,
});

/**
 * Ends a subscription, which is locked by the caller: nothing is dunned for it any more, and its tenant is no customer.
 * @param at the first day without it, and what is noted of a cancellation that was not noted before
 */
export async function endSubscription(
  ctx: WriteContext,
  row: SubscriptionRow,
  at: { on: string; reason?: string; cancelledAt?: Date },
): Promise<SubscriptionRow> {
  await callOffScheduled(ctx, row.id);
  const { on, reason, cancelledAt } = at;
  const noted = cancelledAt && { cancelledAt, cancelReason: reason ?? null };
  const ended = await changeSubscription(
    ctx,
    row,
    { status: 'CANCELLED', ...over(on), ...noted },
    { type: 'CANCELLED', effectiveOn: on, reason: reason ?? null },
  );
  await closeDunningOfSubscription(ctx, row.id);
  await closeTenant(ctx, row.tenantId, 'The subscription has ended');
  return ended;
}

/** Ends a trial for which nobody can be charged. */
export async function expireTrial(ctx: WriteContext, row: SubscriptionRow, on: string): Promise<SubscriptionRow> {
  await callOffScheduled(ctx, row.id);
  const expired = await changeSubscription(
    ctx,
    row,
    { status: 'EXPIRED', ...over(on) },
    { type: 'TRIAL_EXPIRED', effectiveOn: on },
  );
  await closeTenant(ctx, row.tenantId, 'The trial has ended without a way to pay');
  return expired;
}
