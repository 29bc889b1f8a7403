import type { InvoiceReason, SubscriptionChangeType, SupplyType } from '../../src/generated/prisma/enums.ts';
import type { Buyer } from '../../src/services/buyer.service.ts';
import { couponHolds } from '../../src/services/coupon-discount.policy.ts';
import { placeOfSupply, supplyBetween } from '../../src/services/gst.policy.ts';
import { priceInvoice, type InvoiceAmounts, type InvoiceLine } from '../../src/services/invoice-amounts.policy.ts';
import { movementBetween, mrrOf } from '../../src/services/mrr.policy.ts';
import type { Period } from '../../src/services/proration.policy.ts';
import type { SubscriptionRow } from '../../src/services/subscription-row.queries.ts';
import { dayInIndia } from '../../src/utils/india-time.ts';
import { addDays, daysBetween } from '../../src/utils/india-day.ts';
import { stateByCode, stateByGstCode } from '../../src/utils/indian-states.ts';
import { decimal, rupees } from '../../src/utils/money.ts';
import type { PortalAdmin } from './accounts.ts';
import type {
  AllocationRow,
  DunningRunRow,
  DunningStepRow,
  PaymentRow,
  SubscriptionChangeRow,
} from './billing-rows.ts';
import type { BillingStory } from './billing-stories.ts';
import { createRandom, daysBefore, stableId, type Random } from './deterministic.ts';
import {
  addOnIdOf,
  addOns,
  couponIdOf,
  coupons,
  planIdOf,
  plans,
  planSacCode,
  planVersionIdOf,
  taxRates,
} from './plans.ts';
import type { PlanCode } from './plans.ts';
import { seller } from './seller.ts';
import { billingProfileRow } from './tenant-profile.ts';
import { adminId, tenantId, tenantRow, type TenantProfile } from './tenants.ts';

/** An invoice before its number is known: numbers are given in the order in which all were issued. */
export type Bill = {
  id: string;
  tenantId: string;
  subscriptionId: string;
  buyer: Buyer;
  supply: SupplyType;
  reason: InvoiceReason;
  collectionMethod: 'AUTOMATIC' | 'SEND_INVOICE';
  period: Period;
  amounts: InvoiceAmounts;
  at: string;
  paidAt: string | null;
  collectAfter: string | null;
};

/** Everything about the money of one tenant, while its story is told. */
export type Book = {
  profile: TenantProfile;
  story: BillingStory;
  day: Date;
  /** The day of seeding; nothing happens on it or later. */
  today: string;
  buyer: Buyer;
  supply: SupplyType;
  random: Random;
  /** The subscription as it stands. */
  row: SubscriptionRow;
  subscription: { createdAt: string; updatedAt: string; cancelledAt: string | null; cancelReason: string | null };
  methodId: string | null;
  changes: SubscriptionChangeRow[];
  bills: Bill[];
  payments: PaymentRow[];
  allocations: AllocationRow[];
  runs: DunningRunRow[];
  steps: DunningStepRow[];
  /** Of this tenant's rows in a table, the next. */
  nextId: (series: string) => string;
};

/** The moment of a day, by the minute. @param minute of the day in India */
export const momentOf = ({ day, today }: Pick<Book, 'day' | 'today'>, on: string, minute: number): string =>
  daysBefore(day, daysBetween(on, today), minute);

export const dayAgo = ({ today }: Pick<Book, 'today'>, days: number): string => addDays(today, -days);

/** Whether a moment lies before the day of seeding. */
export const isPast = ({ day }: Pick<Book, 'day'>, moment: string): boolean => Date.parse(moment) < day.getTime();

/** A book with a subscription that begins with its trial on the day that the tenant has joined. */
export function openBook(profile: TenantProfile, story: BillingStory, day: Date): Book {
  const today = dayInIndia(day);
  const joined = addDays(today, -profile.joinedDaysAgo);
  const counts = new Map<string, number>();
  const buyer = buyerOf(profile, day);
  return {
    profile,
    story,
    day,
    today,
    buyer,
    supply: supplyBetween(seller.stateCode, buyer.stateCode),
    random: createRandom(`billing:${profile.slug}`),
    row: firstRow(profile, story, joined),
    subscription: { createdAt: '', updatedAt: '', cancelledAt: null, cancelReason: null },
    methodId: story.pays === null || story.pays === 'TRANSFER' ? null : stableId(`payment-methods:${profile.slug}`),
    changes: [],
    bills: [],
    payments: [],
    allocations: [],
    runs: [],
    steps: [],
    nextId: (series) => {
      const number = counts.get(series) ?? 0;
      counts.set(series, number + 1);
      return stableId(`${series}:${profile.slug}`, number);
    },
  };
}

/** Who invoices of a tenant go to. */
function buyerOf(profile: TenantProfile, day: Date): Buyer {
  const tenant = tenantRow(profile, day);
  const billing = billingProfileRow(profile, day);
  const { gstin } = tenant;
  const stateCode = placeOfSupply({ gstin, state: tenant.state });
  return {
    legalName: billing?.legal_name ?? tenant.name,
    gstin,
    stateCode,
    stateName: stateByGstCode(stateCode)?.name ?? stateByCode(tenant.state)?.name ?? '',
    addressLine: tenant.address_line,
    city: tenant.city,
    pincode: tenant.pincode,
    email: billing?.email ?? tenant.email,
    phone: tenant.phone,
  };
}

/** What of a subscription follows from its plan. */
export const onPlan = (code: PlanCode) => ({
  planId: planIdOf(code),
  planName: plans[code].name,
  planVersionId: planVersionIdOf(code),
  planVersionNumber: 1,
  monthlyPrice: plans[code].monthly,
  annualPrice: plans[code].annual,
  sacCode: planSacCode,
  limits: plans[code].limits,
});

function firstRow(profile: TenantProfile, story: BillingStory, joined: string): SubscriptionRow {
  const trialEnd = addDays(joined, 14);
  return {
    id: stableId(`subscriptions:${profile.slug}`),
    tenantId: tenantId(profile),
    ...onPlan(story.plan),
    status: 'TRIAL',
    billingCycle: story.cycle,
    collectionMethod: story.pays === 'TRANSFER' ? 'SEND_INVOICE' : 'AUTOMATIC',
    paymentMethodId: null,
    mrr: '0.00',
    startedOn: joined,
    trialEndsOn: trialEnd,
    anchorDay: Number(joined.slice(8)),
    currentPeriodStart: joined,
    currentPeriodEnd: trialEnd,
    nextEventOn: trialEnd,
    cancelAtPeriodEnd: false,
    endedOn: null,
    pausedOn: null,
    resumeOn: null,
    version: 0,
    hadMrr: false,
    addOns: story.addOn ? [heldAddOn(profile, story.addOn)] : [],
    coupons: story.coupon && !story.couponDaysAgo ? [heldCoupon(profile, story.coupon, joined)] : [],
  };
}

function heldAddOn(profile: TenantProfile, { code, quantity }: NonNullable<BillingStory['addOn']>) {
  const { name, sacCode, monthly: monthlyPrice, annual: annualPrice } = addOns[code];
  const id = stableId(`subscription-add-ons:${profile.slug}`);
  return { id, addOnId: addOnIdOf(code), name, sacCode, quantity, monthlyPrice, annualPrice, endsOn: null };
}

export function heldCoupon(profile: TenantProfile, code: NonNullable<BillingStory['coupon']>, addedOn: string) {
  const { kind, percent, amount, duration, months: durationMonths } = coupons[code];
  return {
    id: stableId(`subscription-coupons:${profile.slug}`),
    couponId: couponIdOf(code),
    kind,
    percent,
    amount,
    duration,
    durationMonths,
    addedOn,
    endsOn: null,
    usedOnInvoice: null,
    removedOn: null,
  };
}

export type Noted = {
  type: SubscriptionChangeType;
  on: string;
  at: string;
  invoiceId?: string;
  reason?: string;
  details?: object;
  by?: PortalAdmin;
};

/** Changes the subscription, with its row of history and what that does to the MRR. */
export function note(book: Book, changed: Partial<SubscriptionRow>, { type, on, at, by, ...noted }: Noted): void {
  const before = book.row;
  const row = { ...before, ...changed, version: before.version + 1 };
  const held = row.coupons.filter((coupon) => couponHolds(coupon, on));
  row.mrr = rupees(mrrOf({ ...row, coupons: held }));
  const isFirst = book.changes.length === 0;
  const movement = movementBetween(decimal(before.mrr), decimal(row.mrr), before.hadMrr);
  book.row = { ...row, hadMrr: before.hadMrr || movement !== null };
  book.subscription.createdAt ||= at;
  book.subscription.updatedAt = at;
  book.changes.push({
    id: book.nextId('subscription-changes'),
    tenant_id: row.tenantId,
    subscription_id: row.id,
    type,
    from_status: isFirst ? null : before.status,
    to_status: row.status,
    from_plan_version_id: isFirst ? null : before.planVersionId,
    to_plan_version_id: row.planVersionId,
    from_cycle: isFirst ? null : before.billingCycle,
    to_cycle: row.billingCycle,
    effective_on: on,
    mrr_before: before.mrr,
    mrr_after: row.mrr,
    movement,
    invoice_id: noted.invoiceId ?? null,
    reason: noted.reason ?? null,
    details: noted.details ?? {},
    actor_id: by ? adminId(by) : null,
    actor_name: by?.name ?? null,
    created_at: at,
  });
}

const rates = new Map(Object.entries(taxRates).map(([sacCode, rate]) => [sacCode, decimal(rate)]));

/** Issues an invoice; `collect` says what became of it. */
export function issue(
  book: Book,
  { reason, period, lines, at }: { reason: InvoiceReason; period: Period; lines: readonly InvoiceLine[]; at: string },
): Bill {
  const { row, buyer, supply } = book;
  const bill: Bill = {
    id: book.nextId('invoices'),
    tenantId: row.tenantId,
    subscriptionId: row.id,
    buyer,
    supply,
    reason,
    collectionMethod: row.collectionMethod,
    period,
    amounts: priceInvoice(lines, rates, { supply, reason }),
    at,
    paidAt: null,
    collectAfter: null,
  };
  book.bills.push(bill);
  return bill;
}
