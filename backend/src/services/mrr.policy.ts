import type {
  BillingCycle,
  CouponDuration,
  CouponKind,
  MrrMovement,
  SubscriptionStatus,
} from '../generated/prisma/enums.ts';
import { decimal, roundPaisa, sumOf, ZERO, type Amount, type Decimal } from '../utils/money.ts';

// What a subscription brings in a month (rule 28): rupees without tax. A year's price counts a twelfth; coupons that
// recur reduce it, others do not; a trial, a pause and an ended subscription bring nothing.

export type MrrFacts = {
  status: SubscriptionStatus;
  billingCycle: BillingCycle;
  monthlyPrice: Amount;
  annualPrice: Amount;
  addOns: readonly { quantity: number; monthlyPrice: Amount; annualPrice: Amount }[];
  /** Those that hold now. */
  coupons: readonly { kind: CouponKind; percent: Amount | null; amount: Amount | null; duration: CouponDuration }[];
};

/** The price of one period of its cycle, add-ons included, before discounts. */
export function periodPrice({
  billingCycle,
  monthlyPrice,
  annualPrice,
  addOns,
}: Omit<MrrFacts, 'status' | 'coupons'>): Decimal {
  const isAnnual = billingCycle === 'ANNUAL';
  const priceOf = (one: { monthlyPrice: Amount; annualPrice: Amount }) =>
    decimal(isAnnual ? one.annualPrice : one.monthlyPrice);
  return sumOf([
    priceOf({ monthlyPrice, annualPrice }),
    ...addOns.map((addOn) => priceOf(addOn).times(addOn.quantity)),
  ]);
}

/** Monthly recurring revenue, to the paisa. */
export function mrrOf(facts: MrrFacts): Decimal {
  if (facts.status !== 'ACTIVE' && facts.status !== 'PAST_DUE') return ZERO;
  const recurring = facts.coupons.filter(({ duration }) => duration !== 'ONCE');
  const price = periodPrice(facts);
  const percent = recurring.filter(({ kind }) => kind === 'PERCENT');
  const afterPercent = percent.reduce(
    (left, { percent: share }) => left.minus(left.times(share ?? 0).dividedBy(100)),
    price,
  );
  const fixed = sumOf(recurring.filter(({ kind }) => kind === 'FIXED').map(({ amount }) => amount ?? 0));
  const left = afterPercent.minus(fixed);
  const net = left.isNegative() ? ZERO : left;
  return roundPaisa(facts.billingCycle === 'ANNUAL' ? net.dividedBy(12) : net);
}

/**
 * What kind of movement takes the MRR from one amount to another.
 * @param hadMrrBefore whether the subscription's tenant has ever brought anything before
 */
export function movementBetween(before: Decimal, after: Decimal, hadMrrBefore: boolean): MrrMovement | null {
  if (before.equals(after)) return null;
  if (before.isZero()) return hadMrrBefore ? 'REACTIVATION' : 'NEW';
  if (after.isZero()) return 'CHURN';
  return after.gt(before) ? 'EXPANSION' : 'CONTRACTION';
}
