import type { CouponDuration, CouponKind } from '../generated/prisma/enums.ts';
import { allocate, decimal, roundPaisa, sumOf, ZERO, type Amount, type Decimal } from '../utils/money.ts';

/** A coupon as a subscription has it. Days in India. */
export type HeldCoupon = {
  id: string;
  kind: CouponKind;
  percent: Amount | null;
  amount: Amount | null;
  duration: CouponDuration;
  /** The first day on which it no longer holds; null: it has none, or none yet. */
  endsOn: string | null;
  usedOnInvoice: string | null;
  removedOn: string | null;
};

/** Whether it still takes something off an invoice whose period begins on this day. */
export const couponHolds = (coupon: HeldCoupon, day: string): boolean =>
  coupon.removedOn === null &&
  (coupon.endsOn === null || day < coupon.endsOn) &&
  !(coupon.duration === 'ONCE' && coupon.usedOnInvoice !== null);

/**
 * What coupons take off each line, in rupees before tax (rule 20): percentages first, one after the other and to the paisa
 * for each line, then fixed amounts over the lines in proportion. Never more than there is.
 */
export function discountsOf(
  amounts: readonly Decimal[],
  coupons: readonly Pick<HeldCoupon, 'kind' | 'percent' | 'amount'>[],
): Decimal[] {
  let left = [...amounts];
  for (const { percent } of coupons.filter(({ kind }) => kind === 'PERCENT')) {
    const share = decimal(percent ?? 0).dividedBy(100);
    left = left.map((amount) => amount.minus(roundPaisa(amount.times(share))));
  }
  const fixed = sumOf(coupons.filter(({ kind }) => kind === 'FIXED').map(({ amount }) => amount ?? 0));
  const whole = sumOf(left);
  const taken = fixed.gt(whole) ? whole : fixed;
  if (taken.gt(ZERO)) {
    const parts = allocate(taken, left);
    left = left.map((amount, index) => amount.minus(parts[index] ?? ZERO));
  }
  return amounts.map((amount, index) => amount.minus(left[index] ?? ZERO));
}
