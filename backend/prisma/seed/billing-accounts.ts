import { createHash } from 'node:crypto';
import type { Book } from './billing-book.ts';
import type {
  BillingAccountRow,
  PaymentMethodRow,
  SubscriptionAddOnRow,
  SubscriptionCouponRow,
  SubscriptionTableRow,
} from './billing-rows.ts';
import { patientCampaignId } from './plans.ts';

// What of a book stands in one row: the subscription as it is, how it is paid, and the tenant's account.

const MINUTE_MS = 60_000;
/** Set up some minutes before it is charged, or on trial in the hour after. */
const SET_UP_MINUTES = 5;

const customerOf = ({ row }: Book): string =>
  `cust_${createHash('sha256').update(`customer:${row.tenantId}`).digest('hex').slice(0, 14)}`;

export function paymentMethodRow(book: Book): PaymentMethodRow | undefined {
  const { methodId, row, story, subscription, random, profile } = book;
  if (methodId === null) return undefined;
  const firstBill = book.bills[0]?.at;
  const at = firstBill
    ? new Date(Date.parse(firstBill) - SET_UP_MINUTES * MINUTE_MS).toISOString()
    : new Date(Date.parse(subscription.createdAt) + 60 * MINUTE_MS).toISOString();
  const isCard = story.pays === 'CARD';
  const last4 = String(random.integer(0, 9999)).padStart(4, '0');
  const vpa = `${profile.domain.split('-')[0]}@examplebank`;
  return {
    id: methodId,
    tenant_id: row.tenantId,
    kind: isCard ? 'CARD' : 'UPI',
    status: 'ACTIVE',
    gateway: 'sandbox',
    gateway_customer_id: customerOf(book),
    // The sandbox has a token of its own for what is to become of charges.
    gateway_token_id: story.larger?.unpaid ? 'token_insufficient' : 'token_success',
    label: isCard ? `HDFC Visa ${last4}` : vpa,
    brand: isCard ? 'Visa' : null,
    last4: isCard ? last4 : null,
    vpa: isCard ? null : vpa,
    expiry_month: isCard ? 12 : null,
    expiry_year: isCard ? Number(book.today.slice(0, 4)) + 4 : null,
    mandate_max_amount: '100000.00',
    is_default: true,
    created_at: at,
    updated_at: at,
  };
}

export function accountRow(book: Book, balance: string): BillingAccountRow {
  const block = book.steps.find(({ consequence, outcome }) => consequence === 'BLOCK' && outcome === 'DONE');
  const isPatient = book.runs.some(({ campaign_id }) => campaign_id === patientCampaignId);
  return {
    tenant_id: book.row.tenantId,
    credit_balance: balance,
    gateway_customer_id: book.methodId ? customerOf(book) : null,
    dunning_campaign_id: isPatient ? patientCampaignId : null,
    suspended_by_run_id: block?.run_id ?? null,
    created_at: book.subscription.createdAt,
    updated_at: book.subscription.updatedAt,
  };
}

export const subscriptionTableRow = ({ row, subscription, methodId }: Book): SubscriptionTableRow => ({
  id: row.id,
  tenant_id: row.tenantId,
  plan_id: row.planId,
  plan_version_id: row.planVersionId,
  status: row.status,
  billing_cycle: row.billingCycle,
  collection_method: row.collectionMethod,
  payment_method_id: methodId,
  mrr: row.mrr,
  started_on: row.startedOn,
  trial_ends_on: row.trialEndsOn,
  anchor_day: row.anchorDay,
  current_period_start: row.currentPeriodStart,
  current_period_end: row.currentPeriodEnd,
  next_event_on: row.nextEventOn,
  cancelled_at: subscription.cancelledAt,
  cancel_reason: subscription.cancelReason,
  ended_on: row.endedOn,
  paused_on: row.pausedOn,
  version: row.version,
  created_at: subscription.createdAt,
  updated_at: subscription.updatedAt,
});

export const couponRows = ({ row, subscription }: Book): SubscriptionCouponRow[] =>
  row.coupons.map((coupon) => ({
    id: coupon.id,
    tenant_id: row.tenantId,
    subscription_id: row.id,
    coupon_id: coupon.couponId,
    kind: coupon.kind,
    percent: coupon.percent === null ? null : String(coupon.percent),
    amount: coupon.amount === null ? null : String(coupon.amount),
    duration: coupon.duration,
    duration_months: coupon.durationMonths,
    added_on: coupon.addedOn,
    ends_on: coupon.endsOn,
    used_on_invoice: coupon.usedOnInvoice,
    created_at: subscription.createdAt,
  }));

export const addOnRows = ({ row, subscription }: Book): SubscriptionAddOnRow[] =>
  row.addOns.map((addOn) => ({
    id: addOn.id,
    tenant_id: row.tenantId,
    subscription_id: row.id,
    add_on_id: addOn.addOnId,
    quantity: addOn.quantity,
    monthly_price: addOn.monthlyPrice,
    annual_price: addOn.annualPrice,
    added_on: row.startedOn,
    created_at: subscription.createdAt,
  }));
