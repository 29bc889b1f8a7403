import type { TenantStatus } from '../generated/prisma/enums.ts';
import type { WriteContext } from '../types/context.ts';
import { AppError, orNotFound } from '../utils/errors.ts';
import { dateColumn, dayOfMonth } from '../utils/india-day.ts';
import { dayInIndia } from '../utils/india-time.ts';
import { sql, type Sql } from '../utils/sql.ts';
import { periodFrom } from './billing-period.policy.ts';
import type { IssuedInvoice } from './invoice-issue.service.ts';
import { changeSubscription, lockedSubscription } from './subscription-history.service.ts';
import { endSubscription, expireTrial } from './subscription-end.service.ts';
import { couponsOn } from './subscription-invoice.policy.ts';
import { chargedDetails, issuePeriodInvoice, type Charge } from './subscription-invoice.service.ts';
import { usableMethod } from './subscription-payment.service.ts';
import { resumePaused } from './subscription-resumption.service.ts';
import { lockSubscription, subscriptionRow, type SubscriptionRow } from './subscription-row.queries.ts';
import { applyScheduled, type ScheduledChange } from './subscription-schedule.service.ts';
import { openTenant } from './subscription-tenant.service.ts';

// What the calendar does to a subscription: the end of a trial, of a period, of a pause. One step is one transaction, or
// part of one: the row is locked, and whatever was done meanwhile is seen, so that any number may try at once.

/** Periods that are caught up with in one go; what is later than that is told. */
export const MOST_STEPS = 24;

/** What a step needs to know besides. */
type Facts = { scheduled: ScheduledChange | null; methodId: string | null; tenantStatus: TenantStatus };

const rowWithFacts = (id: string): Sql => sql`
  select r.*, jsonb_build_object(
           'tenantStatus', (select t.status from tenants t where t.id = r."tenantId"),
           'methodId', (${usableMethod(sql`r."tenantId"`, sql`r."paymentMethodId"`)}),
           'scheduled', (select jsonb_build_object('id', c.id, 'planVersionId', c.plan_version_id, 'billingCycle', c.billing_cycle)
                           from subscription_scheduled_changes c where c.subscription_id = r.id and c.status = 'PENDING')) as facts
    from (${subscriptionRow(id)}) r`;

/** The subscription, locked, with the facts. @throws AppError not_found */
async function lockedWithFacts(ctx: WriteContext, id: string): Promise<{ row: SubscriptionRow; facts: Facts }> {
  await ctx.sql.one(lockSubscription(id));
  const found = orNotFound(await ctx.sql.one<SubscriptionRow & { facts: Facts }>(rowWithFacts(id)), 'subscription');
  const { facts, ...row } = found;
  return { row, facts };
}

const isDue = ({ nextEventOn }: SubscriptionRow, today: string): boolean =>
  nextEventOn !== null && nextEventOn <= today;

export type Step = { row: SubscriptionRow; invoice: IssuedInvoice | null };

/**
 * Does the next thing that is due, if anything is. The subscription is locked by it.
 * @param today a day in India
 * @returns null where nothing is due
 * @throws AppError not_found
 */
export async function takeStep(ctx: WriteContext, id: string, today: string): Promise<Step | null> {
  const { row, facts } = await lockedWithFacts(ctx, id);
  if (!isDue(row, today)) return null;
  if (row.status === 'PAUSED') return { row: await resumePaused(ctx, row, row.resumeOn ?? today), invoice: null };
  const isLeaving = facts.tenantStatus === 'OFFBOARDING' || facts.tenantStatus === 'PURGED';
  // Nobody who is on the way out is billed for another period.
  if (row.cancelAtPeriodEnd || isLeaving) {
    const why = isLeaving && !row.cancelAtPeriodEnd ? { reason: 'The tenant is leaving', cancelledAt: ctx.now } : {};
    return { row: await endSubscription(ctx, row, { on: row.currentPeriodEnd, ...why }), invoice: null };
  }
  if (row.status !== 'TRIAL') return renewPeriod(ctx, row, facts);
  if (row.collectionMethod === 'AUTOMATIC' && facts.methodId === null) {
    return { row: await expireTrial(ctx, row, row.currentPeriodEnd), invoice: null };
  }
  return beginPeriods(ctx, row, row.currentPeriodEnd, facts);
}

/** Is there more to do, after a step? */
export const goesOn = (step: Step | null, today: string): boolean => step !== null && isDue(step.row, today);

/**
 * The subscription, locked, after all that was due for it: whoever changes it changes what it is today.
 * @throws AppError not_found
 */
export async function upToDateSubscription(ctx: WriteContext, id: string): Promise<SubscriptionRow> {
  const today = dayInIndia(ctx.now);
  const row = await lockedSubscription(ctx, id);
  if (!isDue(row, today)) return row;
  // It is the calendar that does it, whoever was the first to look.
  const asSystem: WriteContext = { ...ctx, actor: null };
  for (let steps = 0; steps < MOST_STEPS; steps += 1) {
    const step = await takeStep(asSystem, id, today);
    if (!step) break;
    if (!goesOn(step, today)) return step.row;
  }
  throw new AppError('conflict', 'Many periods of the subscription are to be renewed yet. Try again in some minutes.');
}

/**
 * Ends a trial now, as somebody asks for it.
 * @throws AppError not_found; conflict where it is no trial, or nobody can be charged
 */
export async function convertTrial(ctx: WriteContext, id: string): Promise<Step> {
  const { row, facts } = await lockedWithFacts(ctx, id);
  if (row.status !== 'TRIAL') {
    const told = row.nextEventOn === null ? 'nothing will be by itself' : `that is on ${row.nextEventOn}`;
    throw new AppError('conflict', `Nothing is due for the subscription, which is ${row.status}: ${told}.`, {
      nextEventOn: row.nextEventOn,
    });
  }
  if (row.collectionMethod === 'AUTOMATIC' && facts.methodId === null) {
    const told =
      'There is no payment method that can be charged. Add one, or set collectionMethod to SEND_INVOICE: PUT /api/subscriptions/:id.';
    throw new AppError('conflict', told);
  }
  return beginPeriods(ctx, row, dayInIndia(ctx.now), facts);
}

/** The first period that is paid begins: on a day that is the anchor of all that follow. */
async function beginPeriods(ctx: WriteContext, trial: SubscriptionRow, on: string, facts: Facts): Promise<Step> {
  const anchorDay = dayOfMonth(on);
  const agreed = facts.scheduled ? await applyScheduled(ctx, trial, facts.scheduled, on) : trial;
  const row = { ...agreed, anchorDay };
  const period = periodFrom(on, row.billingCycle, anchorDay);
  const details = chargedDetails(row, 'PERIOD', couponsOn(row, on));
  const charge = chargeOf(row, facts);
  const invoice = await issuePeriodInvoice(ctx, row, { reason: 'SUBSCRIPTION_CREATE', period, charge });
  const active = await changeSubscription(
    ctx,
    agreed,
    { status: 'ACTIVE', trialEndsOn: dateColumn(on), anchorDay, ...periodColumns(period) },
    { type: 'TRIAL_ENDED', effectiveOn: on, invoiceId: invoice.id, details },
  );
  await openTenant(ctx, row.tenantId, 'The subscription has begun');
  return { row: active, invoice };
}

async function renewPeriod(ctx: WriteContext, before: SubscriptionRow, facts: Facts): Promise<Step> {
  const on = before.currentPeriodEnd;
  const kept = await noteWhatEnds(ctx, before, on);
  const row = facts.scheduled ? await applyScheduled(ctx, kept, facts.scheduled, on) : kept;
  const period = periodFrom(on, row.billingCycle, row.anchorDay);
  const details = chargedDetails(row, 'PERIOD', couponsOn(row, on));
  const charge = chargeOf(row, facts);
  const invoice = await issuePeriodInvoice(ctx, row, { reason: 'SUBSCRIPTION_CYCLE', period, charge });
  const event = { type: 'RENEWED', effectiveOn: on, invoiceId: invoice.id, details } as const;
  return { row: await changeSubscription(ctx, row, periodColumns(period), event), invoice };
}

const chargeOf = ({ collectionMethod }: SubscriptionRow, { methodId }: Facts): Charge =>
  collectionMethod === 'AUTOMATIC' && methodId !== null ? 'WITH_NOTICE' : 'NOT';

export const periodColumns = ({ start, end }: { start: string; end: string }) => ({
  currentPeriodStart: dateColumn(start),
  currentPeriodEnd: dateColumn(end),
  nextEventOn: dateColumn(end),
});

/** Add-ons that were given up and coupons whose months are over end with the period: what that does to the MRR is noted. */
async function noteWhatEnds(ctx: WriteContext, row: SubscriptionRow, on: string): Promise<SubscriptionRow> {
  const addOns = row.addOns.filter(({ endsOn }) => endsOn !== null && endsOn <= on);
  const coupons = row.coupons.filter(
    ({ endsOn }) => endsOn !== null && endsOn <= on && endsOn > row.currentPeriodStart,
  );
  let kept = row;
  if (addOns.length > 0) {
    const details = { ended: addOns.map(({ addOnId, quantity }) => ({ addOnId, quantity })) };
    kept = await changeSubscription(ctx, kept, {}, { type: 'ADD_ON_REMOVED', effectiveOn: on, details });
  }
  if (coupons.length > 0) {
    const details = { ended: coupons.map(({ couponId }) => ({ couponId })) };
    kept = await changeSubscription(ctx, kept, {}, { type: 'COUPON_ENDED', effectiveOn: on, details });
  }
  return kept;
}
