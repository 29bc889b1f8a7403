import { daysBetween } from '../utils/india-day.ts';
import { decimal, roundPaisa, type Amount, type Decimal } from '../utils/money.ts';

// What a change within a period costs (rule 19), by whole days in India over the whole period. Rupees without tax.

/** `end` is the day after the last. */
export type Period = { start: string; end: string };
export type Proration = {
  /** Days from the change to the end, that day included, of those of the period. */
  days: number;
  daysInPeriod: number;
  /** What is given back of what was paid; not negative. */
  credit: Decimal;
  /** What the rest of the period costs at the new price. */
  charge: Decimal;
  /** charge − credit; negative for a change to something cheaper. */
  net: Decimal;
};

/**
 * A share of a price for the rest of a period, to the paisa.
 * @param from the first day that counts
 * @throws RangeError for a day outside of the period
 */
export function proratedPrice(price: Amount, period: Period, from: string): Decimal {
  const { days, daysInPeriod } = remainingDays(period, from);
  return roundPaisa(decimal(price).times(days).dividedBy(daysInPeriod));
}

/** What giving up one price for another costs from a day on. @throws RangeError for a day outside of the period */
export function prorate(prices: { from: Amount; to: Amount }, period: Period, on: string): Proration {
  const credit = proratedPrice(prices.from, period, on);
  const charge = proratedPrice(prices.to, period, on);
  return { ...remainingDays(period, on), credit, charge, net: charge.minus(credit) };
}

export function remainingDays({ start, end }: Period, from: string): { days: number; daysInPeriod: number } {
  if (from < start || from > end) throw new RangeError(`${from} lies outside of the period from ${start} to ${end}`);
  return { days: daysBetween(from, end), daysInPeriod: daysBetween(start, end) };
}
