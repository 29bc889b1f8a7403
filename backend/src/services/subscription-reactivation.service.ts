import type { BillingCycle } from '../generated/prisma/enums.ts';
import type { WriteContext } from '../types/context.ts';
import { AppError } from '../utils/errors.ts';
import { dayOfMonth } from '../utils/india-day.ts';
import { dayInIndia } from '../utils/india-time.ts';
import { sql, type Sql } from '../utils/sql.ts';
import { periodFrom } from './billing-period.policy.ts';
import type { IssuedInvoice } from './invoice-issue.service.ts';
import type { Period } from './proration.policy.ts';
import { changeSubscription, lockedSubscription } from './subscription-history.service.ts';
import { addOnsOn, couponsOn } from './subscription-invoice.policy.ts';
import { chargedDetails, issuePeriodInvoice } from './subscription-invoice.service.ts';
import { offerColumnsOf, offerOf } from './subscription-offer.service.ts';
import { assertCanPay, assertNothingOverdue, isCharged } from './subscription-payment.service.ts';
import { periodColumns } from './subscription-renewal.service.ts';
import type { SubscriptionRow } from './subscription-row.queries.ts';
import { asOnOffer, dropUnfitCoupons } from './subscription-schedule.service.ts';
import { isLive } from './subscription-status.policy.ts';
import { openTenant } from './subscription-tenant.service.ts';

export type Reactivation = { planId?: string | undefined; billingCycle?: BillingCycle | undefined };

/**
 * Begins a subscription that has ended anew, from today, on what its plan or another one is offered at now.
 * @returns the invoice of the first period; null where that was invoiced earlier today
 * @throws AppError not_found; invalid_transition for one that has not ended; conflict where the tenant has another one
 */
export async function reactivateSubscription(
  ctx: WriteContext,
  id: string,
  { planId, billingCycle }: Reactivation,
): Promise<IssuedInvoice | null> {
  const ended = await lockedSubscription(ctx, id);
  if (isLive(ended.status)) {
    throw new AppError(
      'invalid_transition',
      `The subscription is ${ended.status}: only one that has ended is reactivated.`,
    );
  }
  await assertNoOther(ctx, ended);
  const today = dayInIndia(ctx.now);
  await assertNothingOverdue(ctx, ended.tenantId, today);
  const offer = await offerOf(ctx, planId ?? ended.planId);
  const cycle = billingCycle ?? ended.billingCycle;
  await dropUnfitCoupons(ctx, id, offer.planId, today);
  const anchorDay = dayOfMonth(today);
  const taken = { ...(await asOnOffer(ctx, ended, offer, cycle)), anchorDay };
  const row = { ...taken, addOns: addOnsOn(taken, today) };
  const period = periodFrom(today, cycle, anchorDay);
  const { invoice, invoiceId } = await billOnce(ctx, row, period);
  await changeSubscription(
    ctx,
    ended,
    {
      ...offerColumnsOf(offer, cycle),
      status: 'ACTIVE',
      endedOn: null,
      cancelledAt: null,
      cancelReason: null,
      anchorDay,
      ...periodColumns(period),
    },
    {
      type: 'REACTIVATED',
      effectiveOn: today,
      invoiceId,
      details: chargedDetails(row, 'PERIOD', couponsOn(row, today)),
    },
  );
  await openTenant(ctx, ended.tenantId, 'The subscription was reactivated');
  return invoice;
}

const liveOf = (tenantId: string): Sql => sql`
  select id from subscriptions where tenant_id = ${tenantId} and status in ('TRIAL', 'ACTIVE', 'PAST_DUE', 'PAUSED')`;

async function assertNoOther(ctx: WriteContext, { tenantId }: SubscriptionRow): Promise<void> {
  const other = await ctx.sql.one<{ id: string }>(liveOf(tenantId));
  if (!other) return;
  throw new AppError('conflict', 'The tenant has another subscription that runs. Change that one.', {
    subscriptionId: other.id,
  });
}

type Billed = { id: string; planVersionId: string | null; periodEnd: string };

const billedToday = (id: string, today: string): Sql => sql`
  select i.id, to_char(i.period_end, 'YYYY-MM-DD') as "periodEnd",
         (select l.plan_version_id from invoice_items l where l.invoice_id = i.id and l.kind = 'PLAN' limit 1) as "planVersionId"
    from invoices i
   where i.subscription_id = ${id} and i.reason in ('SUBSCRIPTION_CREATE', 'SUBSCRIPTION_CYCLE')
     and i.period_start = ${today}::date and i.status <> 'VOID'
   order by i.created_at desc limit 1`;

/** A period that was invoiced this very day, before the subscription was cancelled, is not invoiced again. */
async function billOnce(
  ctx: WriteContext,
  row: SubscriptionRow,
  period: Period,
): Promise<{ invoice: IssuedInvoice | null; invoiceId: string }> {
  const billed = await ctx.sql.one<Billed>(billedToday(row.id, period.start));
  if (billed?.planVersionId === row.planVersionId && billed.periodEnd === period.end) {
    return { invoice: null, invoiceId: billed.id };
  }
  if (billed) {
    const told =
      'A period that begins today was invoiced already. Reactivate on the same plan and cycle, and change it then.';
    throw new AppError('conflict', told, { invoiceId: billed.id });
  }
  const charged = await isCharged(ctx, row);
  assertCanPay(ctx, row, charged);
  const charge = charged ? 'NOW' : 'NOT';
  const invoice = await issuePeriodInvoice(ctx, row, { reason: 'SUBSCRIPTION_CREATE', period, charge });
  return { invoice, invoiceId: invoice.id };
}
