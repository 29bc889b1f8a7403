import type { BillingCycle } from '../generated/prisma/enums.ts';
import type { WriteContext } from '../types/context.ts';
import { AppError, orNotFound } from '../utils/errors.ts';
import { dayOfMonth } from '../utils/india-day.ts';
import { dayInIndia } from '../utils/india-time.ts';
import { rupees } from '../utils/money.ts';
import { sql } from '../utils/sql.ts';
import type { IssuedInvoice } from './invoice-issue.service.ts';
import { changeSubscription, readSubscription } from './subscription-history.service.ts';
import { chargedDetails, issueChangeInvoice, useCoupons } from './subscription-invoice.service.ts';
import { offerColumnsOf, offerOf, pinnedOfferOf } from './subscription-offer.service.ts';
import { assertCanPay, isCharged } from './subscription-payment.service.ts';
import { beginsAnew, type ChangeNow } from './subscription-quote.policy.ts';
import {
  assertPromised,
  freezeQuote,
  promiseOf,
  quoteChange,
  type ChangeQuote,
  type ChangeWhen,
} from './subscription-quote.service.ts';
import { periodColumns, upToDateSubscription } from './subscription-renewal.service.ts';
import type { SubscriptionRow } from './subscription-row.queries.ts';
import { callOffScheduled, dropUnfitCoupons, scheduleChange } from './subscription-schedule.service.ts';

type Wanted = { planId: string; billingCycle?: BillingCycle | undefined; when?: ChangeWhen | undefined };

/**
 * What a change would cost, with a token that freezes it.
 * @throws AppError not_found; conflict where it cannot be made
 */
export async function previewChange(ctx: WriteContext, id: string, wanted: Wanted) {
  const row = await readSubscription(ctx, id);
  const { nextEventOn } = row;
  if (nextEventOn !== null && nextEventOn <= dayInIndia(ctx.now)) {
    throw new AppError('conflict', 'The subscription is just being renewed. Ask again in some minutes.');
  }
  const offer = await offerOf(ctx, wanted.planId);
  const quote = await quoteChange(ctx, row, { ...target(row, wanted), offer });
  return { ...shown(quote), ...freezeQuote(ctx, row, quote) };
}

const target = (row: SubscriptionRow, { billingCycle, when }: Omit<Wanted, 'planId'>) => ({
  billingCycle: billingCycle ?? row.billingCycle,
  when,
});

const shown = ({ kind, when, on, now, amounts, offer, billingCycle, mrrBefore, mrrAfter }: ChangeQuote) => ({
  kind,
  when,
  on,
  planId: offer.planId,
  planName: offer.planName,
  planVersionId: offer.planVersionId,
  billingCycle,
  proration: now && {
    days: now.days,
    daysInPeriod: now.daysInPeriod,
    credit: rupees(now.credit),
    charge: rupees(now.charge),
    net: rupees(now.net),
  },
  taxable: rupees(amounts.taxable),
  cgst: rupees(amounts.cgst),
  sgst: rupees(amounts.sgst),
  igst: rupees(amounts.igst),
  total: rupees(amounts.total),
  mrrBefore,
  mrrAfter,
});

export type ChangeOrder = { token: string } | Wanted;

/**
 * Changes plan or cycle, now or at the end of the period (rule 19). In a trial nothing is charged.
 * @returns the invoice that it made, if it made one
 * @throws AppError not_found; conflict where it cannot be made, or is not what the token has promised
 */
export async function changePlan(ctx: WriteContext, id: string, order: ChangeOrder): Promise<IssuedInvoice | null> {
  const row = await upToDateSubscription(ctx, id);
  const quote = await quoteOf(ctx, row, order);
  if (quote.when === 'PERIOD_END') {
    await scheduled(ctx, row, quote);
    return null;
  }
  await dropUnfitCoupons(ctx, row.id, quote.offer.planId, quote.on);
  await callOffScheduled(ctx, row.id);
  if (quote.now) return changeWithin(ctx, row, quote, quote.now);
  await changeSubscription(ctx, row, offerColumnsOf(quote.offer, quote.billingCycle), {
    type: 'PLAN_CHANGED',
    effectiveOn: quote.on,
  });
  return null;
}

async function quoteOf(ctx: WriteContext, row: SubscriptionRow, order: ChangeOrder): Promise<ChangeQuote> {
  if (!('token' in order)) {
    return quoteChange(ctx, row, { ...target(row, order), offer: await offerOf(ctx, order.planId) });
  }
  const claims = promiseOf(ctx, row, order.token);
  // A version that is offered no more is not had by an old preview either.
  const { planId } = await pinnedOfferOf(ctx, claims.planVersionId);
  const quote = await quoteChange(ctx, row, { ...target(row, claims), offer: await offerOf(ctx, planId) });
  assertPromised(row, quote, claims);
  return quote;
}

async function scheduled(ctx: WriteContext, row: SubscriptionRow, quote: ChangeQuote): Promise<void> {
  const scheduledChangeId = await scheduleChange(ctx, row, quote.offer, quote.billingCycle);
  await changeSubscription(
    ctx,
    row,
    {},
    {
      type: 'CHANGE_SCHEDULED',
      effectiveOn: dayInIndia(ctx.now),
      details: {
        scheduledChangeId,
        planVersionId: quote.offer.planVersionId,
        billingCycle: quote.billingCycle,
        on: quote.on,
      },
    },
  );
}

/** The rest of the running period is charged at once; from months to a year a new one begins. */
async function changeWithin(
  ctx: WriteContext,
  row: SubscriptionRow,
  { offer, billingCycle, on, to, amounts }: ChangeQuote,
  now: ChangeNow,
): Promise<IssuedInvoice | null> {
  const charged = await isCharged(ctx, row);
  if (!amounts.total.isZero()) assertCanPay(ctx, row, charged);
  const anew = beginsAnew(row, billingCycle);
  const invoice = now.net.isZero()
    ? null
    : await issueChangeInvoice(ctx, row, { period: now.period, lines: now.lines, charge: charged ? 'NOW' : 'NOT' });
  const anchorDay = anew ? dayOfMonth(on) : row.anchorDay;
  await useCoupons(ctx, now.coupons, { invoiceId: invoice?.id ?? null, on, anchorDay });
  if (anew) await endGivenUpAddOns(ctx, row.id, on);
  await changeSubscription(
    ctx,
    row,
    { ...offerColumnsOf(offer, billingCycle), ...(anew && { anchorDay, ...periodColumns(now.period) }) },
    {
      type: 'PLAN_CHANGED',
      effectiveOn: on,
      invoiceId: invoice?.id ?? null,
      details: chargedDetails(to, anew ? 'PERIOD' : 'PLAN', now.coupons),
    },
  );
  return invoice;
}

const endGivenUpAddOns = (ctx: WriteContext, subscriptionId: string, on: string): Promise<unknown> =>
  ctx.sql.many(sql`
    update subscription_add_ons set ends_on = ${on}::date
     where subscription_id = ${subscriptionId} and ends_on > ${on}::date returning id`);

/** Calls off a change that waits. @throws AppError not_found */
export async function unscheduleChange(ctx: WriteContext, id: string, changeId: string): Promise<void> {
  const row = await upToDateSubscription(ctx, id);
  const waiting = await ctx.sql.one<{ planVersionId: string }>(sql`
    update subscription_scheduled_changes set status = 'CANCELLED', done_at = ${ctx.now}
     where id = ${changeId} and subscription_id = ${id} and status = 'PENDING'
    returning plan_version_id as "planVersionId"`);
  const { planVersionId } = orNotFound(waiting, 'scheduled change');
  await changeSubscription(
    ctx,
    row,
    {},
    {
      type: 'CHANGE_UNSCHEDULED',
      effectiveOn: dayInIndia(ctx.now),
      details: { scheduledChangeId: changeId, planVersionId },
    },
  );
}
