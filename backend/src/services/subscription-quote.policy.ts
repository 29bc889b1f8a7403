import type { BillingCycle } from '../generated/prisma/enums.ts';
import { dayOfMonth } from '../utils/india-day.ts';
import { decimal, roundPaisa, sumOf, ZERO, type Decimal } from '../utils/money.ts';
import { periodFrom } from './billing-period.policy.ts';
import type { InvoiceLine } from './invoice-amounts.policy.ts';
import { proratedPrice, remainingDays, type Period } from './proration.policy.ts';
import { creditFor } from './subscription-charged.policy.ts';
import type { Charged } from './subscription-charged.queries.ts';
import { couponsOn, lessPercent, percentOff, priceOf, readablePeriod } from './subscription-invoice.policy.ts';
import type { SubscriptionRow } from './subscription-row.queries.ts';

// What a change of plan costs (rule 19). Rupees without tax; days in India.

export type ChangeKind = 'UPGRADE' | 'DOWNGRADE' | 'SAME';

/** What a change would do to the running period. */
export type ChangeNow = {
  kind: ChangeKind;
  /** Days from the change to the end of the period, of those that it has. */
  days: number;
  daysInPeriod: number;
  credit: Decimal;
  charge: Decimal;
  net: Decimal;
  lines: InvoiceLine[];
  /** What is charged: the rest of the running period, or a new one where the cycle changes. */
  period: Period;
  /** Coupons that take something off the charge. */
  coupons: SubscriptionRow['coupons'];
};

/** Whether a change of cycle begins a period of its own at once. */
export const beginsAnew = (from: SubscriptionRow, cycle: BillingCycle): boolean => from.billingCycle !== cycle;

/**
 * The lines of a change on a day: the rest of the old price back, the rest of the new one charged. Percentages of coupons
 * come off both; fixed amounts are of whole periods and stay out. From months to a year a year begins on that day, add-ons
 * included.
 * @param to as the subscription would be, without the coupons that the plan does not take
 * @throws RangeError for a day outside of the period
 */
export function changeNow(
  from: SubscriptionRow,
  to: SubscriptionRow,
  { bills, on }: { bills: readonly Charged[]; on: string },
): ChangeNow {
  const running = { start: from.currentPeriodStart, end: from.currentPeriodEnd };
  const anew = beginsAnew(from, to.billingCycle);
  const period = anew ? periodFrom(on, to.billingCycle, dayOfMonth(on)) : { start: on, end: running.end };
  // One for the next invoice waits for it, unless this is it.
  const coupons = couponsOn(to, on).filter(({ kind, duration }) => kind === 'PERCENT' && (anew || duration !== 'ONCE'));
  const charged = (price: Decimal) => {
    const less = lessPercent(price, percentOff(coupons));
    return anew ? less : proratedPrice(less, running, on);
  };
  const facts = { bills, row: from, period: running, on };
  const credits = [creditOfPlan(from, facts), ...(anew ? creditsOfAddOns(from, facts) : [])];
  const charges = [chargeOfPlan(to, period, charged), ...(anew ? chargesOfAddOns(to, period, charged) : [])];
  const [credit, charge] = [amountOf(credits).negated(), amountOf(charges)];
  const net = charge.minus(credit);
  return {
    kind: kindOf(from, to, net),
    ...remainingDays(running, on),
    credit,
    charge,
    net,
    lines: [...credits, ...charges],
    period,
    coupons,
  };
}

type Facts = Parameters<typeof creditFor>[2];

const creditOfPlan = (from: SubscriptionRow, facts: Facts): InvoiceLine => ({
  kind: 'PRORATION_CREDIT',
  description: `Unused: ${from.planName}, ${readablePeriod({ start: facts.on, end: facts.period.end })}`,
  sacCode: from.sacCode,
  quantity: 1,
  unitPrice: creditFor('PLAN', priceOf(from, from.billingCycle), facts).negated(),
  period: { start: facts.on, end: facts.period.end },
  planVersionId: from.planVersionId,
});

const creditsOfAddOns = (from: SubscriptionRow, facts: Facts): InvoiceLine[] =>
  from.addOns.map((addOn) => ({
    kind: 'PRORATION_CREDIT',
    description: `Unused: ${addOn.name}, ${readablePeriod({ start: facts.on, end: facts.period.end })}`,
    sacCode: addOn.sacCode,
    quantity: addOn.quantity,
    unitPrice: creditFor({ addOnId: addOn.addOnId }, priceOf(addOn, from.billingCycle), facts).negated(),
    period: { start: facts.on, end: facts.period.end },
    addOnId: addOn.addOnId,
  }));

const chargeOfPlan = (to: SubscriptionRow, period: Period, charged: (price: Decimal) => Decimal): InvoiceLine => ({
  kind: 'PRORATION_CHARGE',
  description: `${to.planName}, ${readablePeriod(period)}`,
  sacCode: to.sacCode,
  quantity: 1,
  unitPrice: charged(priceOf(to, to.billingCycle)),
  period,
  planVersionId: to.planVersionId,
});

/** Those that were given up are not taken into the new period. */
const chargesOfAddOns = (to: SubscriptionRow, period: Period, charged: (price: Decimal) => Decimal): InvoiceLine[] =>
  to.addOns
    .filter(({ endsOn }) => endsOn === null)
    .map((addOn) => ({
      kind: 'PRORATION_CHARGE',
      description: `${addOn.name}, ${readablePeriod(period)}`,
      sacCode: addOn.sacCode,
      quantity: addOn.quantity,
      unitPrice: charged(priceOf(addOn, to.billingCycle)),
      period,
      addOnId: addOn.addOnId,
    }));

const amountOf = (lines: readonly InvoiceLine[]): Decimal =>
  sumOf(lines.map(({ quantity, unitPrice }) => roundPaisa(decimal(quantity).times(unitPrice))));

/**
 * More for the whole period, and nothing to give back, is an upgrade. From a year to months is a downgrade always: what was
 * paid for the year is used up first.
 */
function kindOf(from: SubscriptionRow, to: SubscriptionRow, net: Decimal): ChangeKind {
  const anew = beginsAnew(from, to.billingCycle);
  if (net.isNegative() || (anew && to.billingCycle === 'MONTHLY')) return 'DOWNGRADE';
  const difference = anew ? net : priceOf(to, to.billingCycle).minus(priceOf(from, from.billingCycle));
  if (difference.gt(ZERO)) return 'UPGRADE';
  return difference.isZero() ? 'SAME' : 'DOWNGRADE';
}
