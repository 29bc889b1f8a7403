import type { BillingCycle } from '../generated/prisma/enums.ts';
import { DateTime } from 'luxon';
import { addDays } from '../utils/india-day.ts';
import { decimal, roundPaisa, type Amount, type Decimal } from '../utils/money.ts';
import { couponHolds, discountsOf } from './coupon-discount.policy.ts';
import type { InvoiceLine } from './invoice-amounts.policy.ts';
import type { Period } from './proration.policy.ts';
import type { SubscriptionRow } from './subscription-row.queries.ts';

// What a subscription is billed, line by line. Rupees without tax; days in India.

type Priced = { monthlyPrice: Amount; annualPrice: Amount };

/** The price of one period. */
export const priceOf = ({ monthlyPrice, annualPrice }: Priced, cycle: BillingCycle): Decimal =>
  decimal(cycle === 'ANNUAL' ? annualPrice : monthlyPrice);

const readable = (day: string): string => DateTime.fromISO(day, { zone: 'utc' }).toFormat('d LLL yyyy');

/** `1 Aug 2026 to 31 Aug 2026`, the last day included. */
export const readablePeriod = ({ start, end }: Period): string => `${readable(start)} to ${readable(addDays(end, -1))}`;

/** Add-ons that are still there on a day. */
export const addOnsOn = (row: SubscriptionRow, day: string): SubscriptionRow['addOns'] =>
  row.addOns.filter(({ endsOn }) => endsOn === null || endsOn > day);

/** Coupons that take something off what begins on a day. */
export const couponsOn = (row: SubscriptionRow, day: string): SubscriptionRow['coupons'] =>
  row.coupons.filter((coupon) => couponHolds(coupon, day));

/** Percentages of coupons, as they are remembered with what they were taken off. */
export const percentOff = (coupons: SubscriptionRow['coupons']): string[] =>
  coupons.filter(({ kind }) => kind === 'PERCENT').map(({ percent }) => String(percent ?? 0));

/** A price after percentages, one after the other and each to the paisa, as `discountsOf` takes them off a line. */
export const lessPercent = (price: Decimal, percentages: readonly Amount[]): Decimal =>
  percentages.reduce<Decimal>(
    (left, percent) => left.minus(roundPaisa(left.times(percent).dividedBy(100))),
    decimal(price),
  );

const cycleName = { MONTHLY: 'monthly', ANNUAL: 'annual' } as const satisfies Record<BillingCycle, string>;

/** One line for the plan and one for each add-on of a whole period, less what coupons take off (rule 20). */
export function periodLines(row: SubscriptionRow, period: Period): InvoiceLine[] {
  const told = readablePeriod(period);
  const addOns = addOnsOn(row, period.start);
  const lines: InvoiceLine[] = [
    {
      kind: 'PLAN',
      description: `${row.planName} (${cycleName[row.billingCycle]}), ${told}`,
      sacCode: row.sacCode,
      quantity: 1,
      unitPrice: priceOf(row, row.billingCycle),
      period,
      planVersionId: row.planVersionId,
    },
    ...addOns.map((addOn) => ({
      kind: 'ADD_ON' as const,
      description: `${addOn.name}, ${told}`,
      sacCode: addOn.sacCode,
      quantity: addOn.quantity,
      unitPrice: priceOf(addOn, row.billingCycle),
      period,
      addOnId: addOn.addOnId,
    })),
  ];
  const amounts = lines.map(({ quantity, unitPrice }) => roundPaisa(decimal(quantity).times(unitPrice)));
  const discounts = discountsOf(amounts, couponsOn(row, period.start));
  return lines.map((line, index) => ({ ...line, discount: discounts[index] ?? 0 }));
}
