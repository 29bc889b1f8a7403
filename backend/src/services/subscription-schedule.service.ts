import type { BillingCycle } from '../generated/prisma/enums.ts';
import type { WriteContext } from '../types/context.ts';
import { dateColumn } from '../utils/india-day.ts';
import { newId } from '../utils/ids.ts';
import { join, sql } from '../utils/sql.ts';
import { changeSubscription } from './subscription-history.service.ts';
import { offerColumnsOf, onOffer, pinnedOfferOf, type Offer } from './subscription-offer.service.ts';
import type { SubscriptionRow } from './subscription-row.queries.ts';

// A change that waits for the end of the period: at most one of a subscription. The subscription is locked by the caller.

export type ScheduledChange = { id: string; planVersionId: string; billingCycle: BillingCycle };

/** The one that waits, if any does. */
export const pendingChange = (ctx: Pick<WriteContext, 'sql'>, id: string): Promise<ScheduledChange | undefined> =>
  ctx.sql.one<ScheduledChange>(sql`
    select id, plan_version_id as "planVersionId", billing_cycle as "billingCycle"
      from subscription_scheduled_changes where subscription_id = ${id} and status = 'PENDING'`);

/** Puts a change down for the end of the period, in the place of one that waited for it. @returns its id */
export async function scheduleChange(
  ctx: WriteContext,
  row: SubscriptionRow,
  offer: Offer,
  billingCycle: BillingCycle,
): Promise<string> {
  await callOffScheduled(ctx, row.id);
  const id = newId();
  await ctx.db.subscriptionScheduledChange.create({
    data: {
      id,
      tenantId: row.tenantId,
      subscriptionId: row.id,
      planVersionId: offer.planVersionId,
      billingCycle,
      effectiveOn: dateColumn(row.currentPeriodEnd),
      requestedById: ctx.actor?.id ?? null,
      requestedBy: ctx.actor?.name ?? null,
      createdAt: ctx.now,
    },
    select: { id: true },
  });
  return id;
}

/** Calls off what waits, if anything does. @returns whether something did */
export async function callOffScheduled(ctx: WriteContext, subscriptionId: string): Promise<boolean> {
  const { count } = await ctx.db.subscriptionScheduledChange.updateMany({
    where: { subscriptionId, status: 'PENDING' },
    data: { status: 'CANCELLED', doneAt: ctx.now },
  });
  return count > 0;
}

/** The end of the period moves: what waits for it, and add-ons that were given up with it, go along. */
export async function movePeriodEnd(ctx: WriteContext, row: SubscriptionRow, end: string): Promise<void> {
  const { id: subscriptionId, currentPeriodEnd } = row;
  const effectiveOn = dateColumn(end);
  await ctx.db.subscriptionScheduledChange.updateMany({
    where: { subscriptionId, status: 'PENDING' },
    data: { effectiveOn },
  });
  await ctx.db.subscriptionAddOn.updateMany({
    where: { subscriptionId, endsOn: dateColumn(currentPeriodEnd) },
    data: { endsOn: effectiveOn },
  });
}

/** Does what has waited. @param on the first day of the period that begins with it */
export async function applyScheduled(
  ctx: WriteContext,
  row: SubscriptionRow,
  change: ScheduledChange,
  on: string,
): Promise<SubscriptionRow> {
  const offer = await pinnedOfferOf(ctx, change.planVersionId);
  await dropUnfitCoupons(ctx, row.id, offer.planId, on);
  await ctx.db.subscriptionScheduledChange.update({
    where: { id: change.id },
    data: { status: 'APPLIED', doneAt: ctx.now },
    select: { id: true },
  });
  return changeSubscription(ctx, row, offerColumnsOf(offer, change.billingCycle), {
    type: 'PLAN_CHANGED',
    effectiveOn: on,
    details: { scheduledChangeId: change.id },
  });
}

/** Of the coupons that a subscription holds those that another plan does not take. */
const unfitCoupons = (subscriptionId: string, planId: string) => sql`
  select c.id from subscription_coupons c join coupons k on k.id = c.coupon_id
   where c.subscription_id = ${subscriptionId} and c.removed_on is null
     and cardinality(k.plan_ids) > 0 and not ${planId} = any (k.plan_ids)`;

/** The subscription as it would be on another plan: coupons for other plans alone do not go along. */
export async function asOnOffer(
  ctx: Pick<WriteContext, 'sql'>,
  row: SubscriptionRow,
  offer: Offer,
  billingCycle: BillingCycle,
): Promise<SubscriptionRow> {
  const moved = onOffer(row, offer, billingCycle);
  if (row.coupons.length === 0 || offer.planId === row.planId) return moved;
  const unfit = new Set((await ctx.sql.many<{ id: string }>(unfitCoupons(row.id, offer.planId))).map(({ id }) => id));
  return { ...moved, coupons: row.coupons.filter(({ id }) => !unfit.has(id)) };
}

/** Takes off the coupons that the plan does not take, so that nobody carries a discount of a small plan to a large one. */
export async function dropUnfitCoupons(ctx: WriteContext, id: string, planId: string, on: string): Promise<void> {
  const unfit = await ctx.sql.many<{ id: string }>(unfitCoupons(id, planId));
  if (unfit.length === 0) return;
  await ctx.sql.many(sql`
    update subscription_coupons set removed_on = ${on}::date where id in (${join(unfit.map((one) => one.id))}) returning id`);
}
