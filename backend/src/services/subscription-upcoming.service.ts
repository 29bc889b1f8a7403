import type { z } from 'zod';
import type { ReadContext } from '../types/context.ts';
import { AppError } from '../utils/errors.ts';
import { addDays, dayOfMonth, daysBetween } from '../utils/india-day.ts';
import { decimal, Decimal, rupees } from '../utils/money.ts';
import { sql } from '../utils/sql.ts';
import type { upcomingInvoice } from '../validators/subscription-changes.validator.ts';
import { periodFrom } from './billing-period.policy.ts';
import { quoteInvoice } from './invoice-issue.service.ts';
import { readSubscription } from './subscription-history.service.ts';
import { periodLines } from './subscription-invoice.policy.ts';
import { pinnedOfferOf } from './subscription-offer.service.ts';
import type { SubscriptionRow } from './subscription-row.queries.ts';
import { asOnOffer, pendingChange } from './subscription-schedule.service.ts';

type View = z.input<typeof upcomingInvoice>;

/**
 * What the next invoice of a period would say, taxed as of today: with what waits for the end of the period, and without what
 * ends with it.
 * @throws AppError not_found, also where there will be none
 */
export async function upcomingInvoiceOf(ctx: ReadContext, id: string): Promise<View> {
  const row = await readSubscription(ctx, id);
  const on = nextPeriodOf(row);
  const change = await pendingChange(ctx, id);
  const next = change
    ? await asOnOffer(ctx, row, await pinnedOfferOf(ctx, change.planVersionId), change.billingCycle)
    : row;
  const isFirst = row.status === 'TRIAL';
  const moved = isFirst || row.status === 'PAUSED';
  const period = periodFrom(on, next.billingCycle, moved ? dayOfMonth(on) : row.anchorDay);
  const reason = isFirst ? 'SUBSCRIPTION_CREATE' : 'SUBSCRIPTION_CYCLE';
  const { amounts } = await quoteInvoice(ctx, { tenantId: row.tenantId, reason, lines: periodLines(next, period) });
  const balance = await creditBalanceOf(ctx, row.tenantId);
  return {
    reason,
    on,
    period,
    lines: amounts.lines.map((line) => ({
      kind: line.kind,
      description: line.description,
      sacCode: line.sacCode,
      quantity: String(line.quantity),
      unitPrice: rupees(line.unitPrice),
      amount: rupees(line.amount),
      discount: rupees(line.discount),
      taxable: rupees(line.taxable),
      taxRate: line.taxRate.toFixed(2),
      total: rupees(line.total),
    })),
    subtotal: rupees(amounts.subtotal),
    discountTotal: rupees(amounts.discountTotal),
    taxable: rupees(amounts.taxable),
    cgst: rupees(amounts.cgst),
    sgst: rupees(amounts.sgst),
    igst: rupees(amounts.igst),
    roundOff: rupees(amounts.roundOff),
    total: rupees(amounts.total),
    creditBalance: rupees(balance),
    amountDue: rupees(Decimal.max(0, amounts.total.minus(balance))),
  };
}

/** The first day of the next period. @throws AppError not_found */
function nextPeriodOf(row: SubscriptionRow): string {
  const none = (why: string): never => {
    throw new AppError('not_found', `There is no next invoice: ${why}.`);
  };
  if (row.endedOn !== null) return none('the subscription has ended');
  if (row.cancelAtPeriodEnd) return none(`the subscription ends on ${row.currentPeriodEnd}`);
  if (row.status !== 'PAUSED' || row.pausedOn === null) return row.currentPeriodEnd;
  if (row.resumeOn === null) return none('the subscription is paused until somebody resumes it');
  return addDays(row.currentPeriodEnd, daysBetween(row.pausedOn, row.resumeOn));
}

async function creditBalanceOf(ctx: ReadContext, tenantId: string): Promise<Decimal> {
  const account = await ctx.sql.one<{ balance: string }>(
    sql`select credit_balance::text as balance from billing_accounts where tenant_id = ${tenantId}`,
  );
  return decimal(account?.balance ?? 0);
}
