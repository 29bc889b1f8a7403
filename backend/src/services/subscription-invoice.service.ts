import type { Prisma } from '../generated/prisma/client.ts';
import type { WriteContext } from '../types/context.ts';
import { addMonths, dateColumn } from '../utils/india-day.ts';
import { rupees } from '../utils/money.ts';
import { sql } from '../utils/sql.ts';
import type { InvoiceLine } from './invoice-amounts.policy.ts';
import { issueInvoice, type IssuedInvoice } from './invoice-issue.service.ts';
import type { Period } from './proration.policy.ts';
import { couponsOn, percentOff, periodLines, priceOf } from './subscription-invoice.policy.ts';
import type { SubscriptionRow } from './subscription-row.queries.ts';

// The invoices of a subscription, with the mails that they bring. The subscription is locked by the caller.

/** A mandate is charged a day after its payer was told, at the earliest (rule 25). */
const NOTICE_MS = 24 * 60 * 60 * 1000;

/** `NOW` where the payer asked for it and is present, `WITH_NOTICE` where the calendar did, `NOT` where nobody can be charged. */
export type Charge = 'NOW' | 'WITH_NOTICE' | 'NOT';

const collectAfter = (ctx: WriteContext, charge: Charge): Date | null =>
  charge === 'NOT' ? null : new Date(ctx.now.getTime() + (charge === 'NOW' ? 0 : NOTICE_MS));

/** The bill of a whole period: plan and add-ons, less coupons. Coupons that are used up by it are marked. */
export async function issuePeriodInvoice(
  ctx: WriteContext,
  row: SubscriptionRow,
  of: { reason: 'SUBSCRIPTION_CREATE' | 'SUBSCRIPTION_CYCLE'; period: Period; charge: Charge },
): Promise<IssuedInvoice> {
  const invoice = await issueInvoice(ctx, {
    tenantId: row.tenantId,
    subscriptionId: row.id,
    collectionMethod: row.collectionMethod,
    reason: of.reason,
    period: of.period,
    lines: periodLines(row, of.period),
    collectAfter: collectAfter(ctx, of.charge),
  });
  await useCoupons(ctx, couponsOn(row, of.period.start), {
    invoiceId: invoice.id,
    on: of.period.start,
    anchorDay: row.anchorDay,
  });
  tellOfInvoice(ctx, row, invoice, of.charge);
  return invoice;
}

/** The bill of a change within a period. Any number of them may fall on one day. */
export async function issueChangeInvoice(
  ctx: WriteContext,
  row: SubscriptionRow,
  of: { period: Period; lines: readonly InvoiceLine[]; charge: Charge },
): Promise<IssuedInvoice> {
  const { next } = (await ctx.sql.one<{ next: number }>(sql`
    select coalesce(max(occurrence), 0)::int + 1 as next from invoices
     where subscription_id = ${row.id} and reason = 'SUBSCRIPTION_CHANGE' and period_start = ${of.period.start}::date`)) ?? {
    next: 1,
  };
  const invoice = await issueInvoice(ctx, {
    tenantId: row.tenantId,
    subscriptionId: row.id,
    collectionMethod: row.collectionMethod,
    reason: 'SUBSCRIPTION_CHANGE',
    period: of.period,
    occurrence: next,
    lines: of.lines,
    collectAfter: collectAfter(ctx, of.charge),
  });
  tellOfInvoice(ctx, row, invoice, of.charge);
  return invoice;
}

function tellOfInvoice(ctx: WriteContext, row: SubscriptionRow, invoice: IssuedInvoice, charge: Charge): void {
  const { id: invoiceId, amountDue } = invoice;
  const { tenantId } = row;
  ctx.enqueue('email.invoice', { invoiceId }, { tenantId, dedupeKey: `invoice-mail-${invoiceId}` });
  if (charge !== 'WITH_NOTICE' || amountDue.isZero()) return;
  ctx.enqueue('email.debit-notice', { invoiceId }, { tenantId, dedupeKey: `debit-notice-${invoiceId}` });
}

/** A coupon for one invoice is used up by it; one for some months begins to run with its first. */
export async function useCoupons(
  ctx: WriteContext,
  coupons: SubscriptionRow['coupons'],
  by: { invoiceId: string | null; on: string; anchorDay: number },
): Promise<void> {
  for (const { id, duration, durationMonths, endsOn } of coupons) {
    const data: Prisma.SubscriptionCouponUncheckedUpdateInput =
      duration === 'ONCE'
        ? { usedOnInvoice: by.invoiceId }
        : duration === 'REPEATING' && endsOn === null
          ? { endsOn: dateColumn(addMonths(by.on, durationMonths ?? 1, by.anchorDay)) }
          : {};
    if (Object.keys(data).length > 0)
      await ctx.db.subscriptionCoupon.update({ where: { id }, data, select: { id: true } });
  }
}

/** What an event remembers of a bill, so that what is given up later is credited at what it was charged at. */
export const chargedDetails = (
  row: SubscriptionRow,
  charged: 'PERIOD' | 'PLAN',
  coupons: SubscriptionRow['coupons'],
): Prisma.InputJsonObject => ({
  charged,
  price: rupees(priceOf(row, row.billingCycle)),
  percentOff: percentOff(coupons),
});
