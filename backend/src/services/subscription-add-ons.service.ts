import type { PlanStatus } from '../generated/prisma/enums.ts';
import type { WriteContext } from '../types/context.ts';
import { AppError, orNotFound } from '../utils/errors.ts';
import { dateColumn } from '../utils/india-day.ts';
import { dayInIndia } from '../utils/india-time.ts';
import { sql, type Sql } from '../utils/sql.ts';
import type { IssuedInvoice } from './invoice-issue.service.ts';
import { proratedPrice } from './proration.policy.ts';
import { changeSubscription } from './subscription-history.service.ts';
import { couponsOn, lessPercent, percentOff, priceOf, readablePeriod } from './subscription-invoice.policy.ts';
import { issueChangeInvoice, useCoupons } from './subscription-invoice.service.ts';
import { assertCanPay, isCharged } from './subscription-payment.service.ts';
import { upToDateSubscription } from './subscription-renewal.service.ts';
import type { HeldAddOn, SubscriptionRow } from './subscription-row.queries.ts';
import { isLive } from './subscription-status.policy.ts';

export type AddOnOrder = { addOnId: string; quantity: number };

type AddOnOffer = {
  id: string;
  name: string;
  sacCode: string;
  monthlyPrice: string;
  annualPrice: string;
  status: PlanStatus;
};

const addOnOffer = (id: string): Sql => sql`
  select id, name, sac_code as "sacCode", monthly_price::text as "monthlyPrice", annual_price::text as "annualPrice", status
    from add_ons where id = ${id}`;

/**
 * Puts an add-on to a subscription, at the price at which it is offered now. Nothing is charged by this.
 * @throws AppError not_found; conflict for one that nobody new gets
 */
export async function takeAddOn(
  ctx: WriteContext,
  holder: Pick<SubscriptionRow, 'id' | 'tenantId'>,
  { addOnId, quantity }: AddOnOrder,
): Promise<AddOnOffer> {
  const offer = orNotFound(await ctx.sql.one<AddOnOffer>(addOnOffer(addOnId)), 'add-on');
  if (offer.status === 'ARCHIVED')
    throw new AppError('conflict', `${offer.name} is archived: only those who have it keep it.`);
  await ctx.db.subscriptionAddOn.create({
    data: {
      tenantId: holder.tenantId,
      subscriptionId: holder.id,
      addOnId,
      quantity,
      monthlyPrice: offer.monthlyPrice,
      annualPrice: offer.annualPrice,
      addedOn: dateColumn(dayInIndia(ctx.now)),
      createdAt: ctx.now,
    },
    select: { id: true },
  });
  return offer;
}

/**
 * Adds an add-on: the rest of the period is charged at once; in a trial nothing is. One that was given up and is still
 * there is kept, without a charge.
 * @returns the invoice that it made, if it made one
 * @throws AppError not_found; conflict where the subscription has it, does not run, or an invoice is overdue
 */
export async function addAddOn(ctx: WriteContext, id: string, order: AddOnOrder): Promise<IssuedInvoice | null> {
  const row = await upToDateSubscription(ctx, id);
  assertRunning(row);
  const held = row.addOns.find(({ addOnId }) => addOnId === order.addOnId);
  if (held) {
    await keepAddOn(ctx, row, held, order);
    return null;
  }
  const offer = await takeAddOn(ctx, row, order);
  const { invoice, percentages } = row.status === 'TRIAL' ? NOTHING : await chargeRest(ctx, row, offer, order.quantity);
  await changeSubscription(
    ctx,
    row,
    {},
    {
      type: 'ADD_ON_ADDED',
      effectiveOn: dayInIndia(ctx.now),
      invoiceId: invoice?.id ?? null,
      details: { ...order, name: offer.name, ...(invoice && { charged: order.addOnId, percentOff: percentages }) },
    },
  );
  return invoice;
}

const NOTHING: { invoice: IssuedInvoice | null; percentages: string[] } = { invoice: null, percentages: [] };

function assertRunning({ status }: SubscriptionRow): void {
  if (status === 'TRIAL' || status === 'ACTIVE') return;
  const told = {
    PAST_DUE: 'An invoice of the subscription is overdue. It is paid before anything is charged anew.',
    PAUSED: 'The subscription is paused. Resume it first.',
    CANCELLED: 'The subscription has ended. Reactivate it first.',
    EXPIRED: 'The subscription has ended. Reactivate it first.',
  } as const;
  throw new AppError('conflict', told[status]);
}

async function keepAddOn(ctx: WriteContext, row: SubscriptionRow, held: HeldAddOn, order: AddOnOrder): Promise<void> {
  if (held.endsOn === null) throw new AppError('conflict', `The subscription has ${held.name} already.`);
  if (held.quantity !== order.quantity) {
    const told = `${held.quantity} of ${held.name} are there until ${held.endsOn}. Take as many to keep them, or others from then on.`;
    throw new AppError('conflict', told);
  }
  await ctx.db.subscriptionAddOn.update({ where: { id: held.id }, data: { endsOn: null }, select: { id: true } });
  await changeSubscription(
    ctx,
    row,
    {},
    {
      type: 'ADD_ON_ADDED',
      effectiveOn: dayInIndia(ctx.now),
      details: { ...order, name: held.name, kept: true },
    },
  );
}

/** What is left of the period, less percentages of coupons that recur (rule 19). */
async function chargeRest(
  ctx: WriteContext,
  row: SubscriptionRow,
  offer: AddOnOffer,
  quantity: number,
): Promise<{ invoice: IssuedInvoice; percentages: string[] }> {
  const on = dayInIndia(ctx.now);
  const coupons = couponsOn(row, on).filter(({ kind, duration }) => kind === 'PERCENT' && duration !== 'ONCE');
  const percentages = percentOff(coupons);
  const running = { start: row.currentPeriodStart, end: row.currentPeriodEnd };
  const unitPrice = proratedPrice(lessPercent(priceOf(offer, row.billingCycle), percentages), running, on);
  const charged = await isCharged(ctx, row);
  if (!unitPrice.isZero()) assertCanPay(ctx, row, charged);
  const period = { start: on, end: row.currentPeriodEnd };
  const line = {
    kind: 'PRORATION_CHARGE' as const,
    description: `${offer.name}, ${readablePeriod(period)}`,
    sacCode: offer.sacCode,
    quantity,
    unitPrice,
    period,
    addOnId: offer.id,
  };
  const invoice = await issueChangeInvoice(ctx, row, { period, lines: [line], charge: charged ? 'NOW' : 'NOT' });
  await useCoupons(ctx, coupons, { invoiceId: invoice.id, on, anchorDay: row.anchorDay });
  return { invoice, percentages };
}

/**
 * Gives an add-on up with the end of the period; of a subscription that has ended at once, so that it does not come back
 * with it.
 * @throws AppError not_found; conflict where that was done
 */
export async function removeAddOn(ctx: WriteContext, id: string, addOnId: string): Promise<SubscriptionRow> {
  const row = await upToDateSubscription(ctx, id);
  const held = orNotFound(
    row.addOns.find((one) => one.addOnId === addOnId),
    'add-on of this subscription',
  );
  if (held.endsOn !== null)
    throw new AppError('conflict', `${held.name} was given up already: it ends on ${held.endsOn}.`);
  const today = dayInIndia(ctx.now);
  const endsOn = isLive(row.status) ? row.currentPeriodEnd : today;
  await ctx.db.subscriptionAddOn.update({
    where: { id: held.id },
    data: { endsOn: dateColumn(endsOn) },
    select: { id: true },
  });
  return changeSubscription(
    ctx,
    row,
    {},
    {
      type: 'ADD_ON_REMOVED',
      effectiveOn: today,
      details: { addOnId, quantity: held.quantity, endsOn },
    },
  );
}
