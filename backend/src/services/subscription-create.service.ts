import type { BillingCycle, CollectionMethod } from '../generated/prisma/enums.ts';
import type { WriteContext } from '../types/context.ts';
import { AppError, orNotFound } from '../utils/errors.ts';
import { addDays, dateColumn, dayOfMonth } from '../utils/india-day.ts';
import { dayInIndia } from '../utils/india-time.ts';
import { newId } from '../utils/ids.ts';
import { rupees } from '../utils/money.ts';
import { sql } from '../utils/sql.ts';
import { periodFrom } from './billing-period.policy.ts';
import type { IssuedInvoice } from './invoice-issue.service.ts';
import { takeAddOn, type AddOnOrder } from './subscription-add-ons.service.ts';
import { redeemCoupon } from './subscription-coupons.service.ts';
import { currentMrr, readSubscription, recordChange } from './subscription-history.service.ts';
import { couponsOn } from './subscription-invoice.policy.ts';
import { chargedDetails, issuePeriodInvoice } from './subscription-invoice.service.ts';
import { offerOf, type Offer } from './subscription-offer.service.ts';
import type { SubscriptionRow } from './subscription-row.queries.ts';
import { openTenant } from './subscription-tenant.service.ts';
import { moveTenantTrial } from './subscription-trial.service.ts';
import { lockedTenant } from './tenant-status.service.ts';

export type CreateSubscription = {
  tenantId: string;
  planId: string;
  billingCycle: BillingCycle;
  /** Default: those of the plan. */
  trialDays?: number | undefined;
  collectionMethod?: CollectionMethod | undefined;
  couponCode?: string | undefined;
  addOns?: readonly AddOnOrder[] | undefined;
  paymentMethodId?: string | undefined;
};

/**
 * Subscribes a tenant to what a plan is offered at now. With a trial nothing is billed before its end; without one the first
 * period is, at once.
 * @throws AppError not_found for tenant, plan, add-on, coupon or payment method; conflict where the tenant has a subscription
 *   that runs, is leaving, or something cannot be had any more
 */
export async function createSubscription(ctx: WriteContext, input: CreateSubscription): Promise<SubscriptionRow> {
  return (await createBilledSubscription(ctx, input)).row;
}

/** The same, with the invoice of the first period, if there is one. */
export async function createBilledSubscription(
  ctx: WriteContext,
  input: CreateSubscription,
): Promise<{ row: SubscriptionRow; invoice: IssuedInvoice | null }> {
  const tenant = await lockedTenant(ctx, input.tenantId);
  if (tenant.status === 'OFFBOARDING')
    throw new AppError('conflict', 'The tenant is leaving: it cannot subscribe to anything.');
  await assertNoneRuns(ctx, input.tenantId);
  const offer = await offerOf(ctx, input.planId);
  if (input.paymentMethodId) await assertUsable(ctx, input.tenantId, input.paymentMethodId);
  const trialDays = input.trialDays ?? offer.trialDays;
  const id = await insertSubscription(ctx, input, offer, trialDays);
  const holder = { id, tenantId: input.tenantId, planId: offer.planId, planName: offer.planName };
  for (const addOn of input.addOns ?? []) await takeAddOn(ctx, holder, addOn);
  if (input.couponCode) await redeemCoupon(ctx, holder, input.couponCode);
  const begun = trialDays > 0 ? await beginTrial(ctx, id) : await beginPaid(ctx, id);
  ctx.audit({
    action: 'subscriptions.create',
    resource: 'subscription',
    resourceId: id,
    tenantId: input.tenantId,
    after: { ...input, planVersionId: offer.planVersionId, trialDays, mrr: begun.row.mrr },
  });
  return begun;
}

async function assertNoneRuns(ctx: WriteContext, tenantId: string): Promise<void> {
  const other = await ctx.sql.one<{ id: string }>(sql`
    select id from subscriptions where tenant_id = ${tenantId} and status in ('TRIAL', 'ACTIVE', 'PAST_DUE', 'PAUSED')`);
  if (!other) return;
  throw new AppError('conflict', 'The tenant has a subscription that runs. Change that one.', {
    subscriptionId: other.id,
  });
}

/** @throws AppError not_found for another tenant's; conflict for one that cannot be charged */
export async function assertUsable(ctx: WriteContext, tenantId: string, paymentMethodId: string): Promise<void> {
  const method = await ctx.sql.one<{ status: string }>(sql`
    select status from payment_methods where id = ${paymentMethodId} and tenant_id = ${tenantId} and removed_at is null`);
  const { status } = orNotFound(method, 'payment method of this tenant');
  if (status !== 'ACTIVE') {
    throw new AppError('conflict', `The payment method is ${status} and cannot be charged. Choose one that is ACTIVE.`);
  }
}

async function insertSubscription(
  ctx: WriteContext,
  { tenantId, billingCycle, collectionMethod = 'AUTOMATIC', paymentMethodId }: CreateSubscription,
  offer: Offer,
  trialDays: number,
): Promise<string> {
  const today = dayInIndia(ctx.now);
  const anchorDay = dayOfMonth(today);
  const end = trialDays > 0 ? addDays(today, trialDays) : periodFrom(today, billingCycle, anchorDay).end;
  const id = newId();
  await ctx.db.subscription.create({
    data: {
      id,
      tenantId,
      planId: offer.planId,
      planVersionId: offer.planVersionId,
      status: trialDays > 0 ? 'TRIAL' : 'ACTIVE',
      billingCycle,
      collectionMethod,
      paymentMethodId: paymentMethodId ?? null,
      startedOn: dateColumn(today),
      trialEndsOn: trialDays > 0 ? dateColumn(end) : null,
      anchorDay,
      currentPeriodStart: dateColumn(today),
      currentPeriodEnd: dateColumn(end),
      nextEventOn: dateColumn(end),
      createdAt: ctx.now,
    },
    select: { id: true },
  });
  return id;
}

async function beginTrial(ctx: WriteContext, id: string): Promise<{ row: SubscriptionRow; invoice: null }> {
  const row = await readSubscription(ctx, id);
  const details = { trialEndsOn: row.trialEndsOn };
  await recordChange(ctx, { before: null, after: row }, { type: 'CREATED', effectiveOn: row.startedOn, details });
  await moveTenantTrial(ctx, row.tenantId, row.currentPeriodEnd);
  // One that was closed is open again; its trial is that of the subscription.
  await openTenant(ctx, row.tenantId, 'A trial has begun', ['INACTIVE']);
  return { row, invoice: null };
}

async function beginPaid(ctx: WriteContext, id: string): Promise<{ row: SubscriptionRow; invoice: IssuedInvoice }> {
  const found = await readSubscription(ctx, id);
  const mrr = rupees(currentMrr(found, found.startedOn));
  await ctx.db.subscription.update({ where: { id }, data: { mrr }, select: { id: true } });
  const row = { ...found, mrr };
  const coupons = couponsOn(row, row.startedOn);
  const period = { start: row.currentPeriodStart, end: row.currentPeriodEnd };
  const charge = row.collectionMethod === 'AUTOMATIC' ? 'NOW' : 'NOT';
  const invoice = await issuePeriodInvoice(ctx, row, { reason: 'SUBSCRIPTION_CREATE', period, charge });
  await recordChange(
    ctx,
    { before: null, after: row },
    {
      type: 'CREATED',
      effectiveOn: row.startedOn,
      invoiceId: invoice.id,
      details: chargedDetails(row, 'PERIOD', coupons),
    },
  );
  await openTenant(ctx, row.tenantId, 'The subscription has begun');
  return { row, invoice };
}
