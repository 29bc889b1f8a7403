import { clockNow } from '../config/clock.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import type { SubscriptionChangeType, SubscriptionStatus } from '../generated/prisma/enums.ts';
import type { WriteContext } from '../types/context.ts';
import { orNotFound } from '../utils/errors.ts';
import { dateColumn } from '../utils/india-day.ts';
import { newId } from '../utils/ids.ts';
import { decimal, rupees } from '../utils/money.ts';
import { couponHolds } from './coupon-discount.policy.ts';
import { movementBetween, mrrOf } from './mrr.policy.ts';
import { lockSubscription, subscriptionRow, type SubscriptionRow } from './subscription-row.queries.ts';
import { assertSubscriptionTransition } from './subscription-status.policy.ts';

/** The subscription, which nobody else changes until the end of the transaction. @throws AppError not_found */
export async function lockedSubscription(ctx: WriteContext, id: string): Promise<SubscriptionRow> {
  await ctx.sql.one(lockSubscription(id));
  return readSubscription(ctx, id);
}

/** The subscription as it is now. @throws AppError not_found */
export const readSubscription = async (ctx: Pick<WriteContext, 'sql'>, id: string): Promise<SubscriptionRow> =>
  orNotFound(await ctx.sql.one<SubscriptionRow>(subscriptionRow(id)), 'subscription');

export type SubscriptionEvent = {
  type: SubscriptionChangeType;
  /** The day in India from which it holds. */
  effectiveOn: string;
  invoiceId?: string | null;
  reason?: string | null;
  details?: Prisma.InputJsonObject;
};

/** The MRR of a subscription as it stands, on a day in India. */
export const currentMrr = (row: SubscriptionRow, day: string) =>
  mrrOf({
    ...row,
    addOns: row.addOns.filter(({ endsOn }) => endsOn === null || endsOn > day),
    coupons: row.coupons.filter((one) => couponHolds(one, day)),
  });

/**
 * Changes a subscription, with its row of history and what that does to the MRR (rule 28): the one way to change one.
 * Add-ons and coupons are changed by the caller before. The subscription is locked by the caller.
 * @param before as it was locked
 * @returns the subscription as it is now
 * @throws AppError invalid_transition
 */
export async function changeSubscription(
  ctx: WriteContext,
  before: SubscriptionRow,
  changes: Prisma.SubscriptionUncheckedUpdateInput & { status?: SubscriptionStatus },
  event: SubscriptionEvent,
): Promise<SubscriptionRow> {
  const { id, tenantId } = before;
  if (changes.status && changes.status !== before.status) assertSubscriptionTransition(before.status, changes.status);
  // Nothing is kept of it until the MRR is known: an ended or paused subscription brings none.
  const ends = changes.status !== undefined && !['ACTIVE', 'PAST_DUE'].includes(changes.status);
  await ctx.db.subscription.update({
    where: { id },
    data: { ...changes, ...(ends && { mrr: 0 }), version: { increment: 1 }, updatedAt: ctx.now },
    select: { id: true },
  });
  const after = await readSubscription(ctx, id);
  const mrr = currentMrr(after, event.effectiveOn);
  if (!mrr.equals(after.mrr)) {
    await ctx.db.subscription.update({ where: { id }, data: { mrr: rupees(mrr) }, select: { id: true } });
  }
  await recordChange(ctx, { before, after: { ...after, mrr: rupees(mrr) } }, event);
  ctx.audit({
    resource: 'subscription',
    resourceId: id,
    tenantId,
    ...(ctx.actor === null && { action: 'subscriptions.event' as const }),
    before: shown(before),
    after: shown({ ...after, mrr: rupees(mrr) }),
    details: { type: event.type, ...(event.reason && { reason: event.reason }) },
  });
  return { ...after, mrr: rupees(mrr) };
}

/** What the audit row compares. */
const shown = (row: SubscriptionRow) => ({
  status: row.status,
  planVersionId: row.planVersionId,
  billingCycle: row.billingCycle,
  mrr: row.mrr,
  currentPeriodEnd: row.currentPeriodEnd,
  cancelAtPeriodEnd: row.cancelAtPeriodEnd,
});

/** One row of history. @param before null for the first */
export async function recordChange(
  ctx: WriteContext,
  { before, after }: { before: SubscriptionRow | null; after: SubscriptionRow },
  { type, effectiveOn, invoiceId = null, reason = null, details = {} }: SubscriptionEvent,
): Promise<void> {
  const [mrrBefore, mrrAfter] = [decimal(before?.mrr ?? 0), decimal(after.mrr)];
  await ctx.db.subscriptionChange.create({
    data: {
      id: newId(),
      tenantId: after.tenantId,
      subscriptionId: after.id,
      type,
      fromStatus: before?.status ?? null,
      toStatus: after.status,
      fromPlanVersionId: before?.planVersionId ?? null,
      toPlanVersionId: after.planVersionId,
      fromCycle: before?.billingCycle ?? null,
      toCycle: after.billingCycle,
      effectiveOn: dateColumn(effectiveOn),
      mrrBefore: rupees(mrrBefore),
      mrrAfter: rupees(mrrAfter),
      movement: movementBetween(mrrBefore, mrrAfter, after.hadMrr),
      invoiceId,
      reason,
      details,
      actorId: ctx.actor?.id ?? null,
      actorName: ctx.actor?.name ?? null,
      // Now, and not when the request began: the history is in the order in which changes got the lock.
      createdAt: clockNow(),
    },
    select: { id: true },
  });
}
