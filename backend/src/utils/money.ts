import { Decimal as DecimalJs } from 'decimal.js';

/** Exact decimal numbers, for money and rates: rupees, unless a name says paise. */
export const Decimal = DecimalJs.clone({ precision: 40, rounding: DecimalJs.ROUND_HALF_UP });
export type Decimal = DecimalJs;

/** What is taken for an amount: text such as `2499.00`, a whole number, or a Decimal. */
export type Amount = Decimal | string | number;

export const decimal = (amount: Amount): Decimal => new Decimal(amount);

export const ZERO = decimal(0);

/** To the paisa, half away from zero: once for each line. */
export const roundPaisa = (amount: Decimal): Decimal => amount.toDecimalPlaces(2, Decimal.ROUND_HALF_UP);

/** To the rupee, half away from zero. */
export const roundRupee = (amount: Decimal): Decimal => amount.toDecimalPlaces(0, Decimal.ROUND_HALF_UP);

/** Text with two decimals, as it stands in JSON and in the database. */
export const rupees = (amount: Amount): string => decimal(amount).toFixed(2);

export const sumOf = (amounts: Iterable<Amount>): Decimal => {
  let sum = ZERO;
  for (const amount of amounts) sum = sum.plus(amount);
  return sum;
};

/** Whole paise of an amount in rupees, as gateways count. @throws RangeError for parts of a paisa */
export function toPaise(amount: Amount): number {
  const paise = decimal(amount).times(100);
  if (!paise.isInteger()) throw new RangeError(`${decimal(amount).toString()} has parts of a paisa`);
  return paise.toNumber();
}

/** Rupees of whole paise. */
export const fromPaise = (paise: number): Decimal => decimal(paise).dividedBy(100);

/**
 * Parts of a total in proportion to weights, each to the paisa, that add up to it exactly: the largest remainders get the
 * paise that rounding left, the earlier of equals first.
 * @param weights all of one sign; where they add up to nothing the first part gets it all
 */
export function allocate(total: Decimal, weights: readonly Decimal[]): Decimal[] {
  if (weights.length === 0) return [];
  const whole = sumOf(weights);
  if (whole.isZero()) return weights.map((_, index) => (index === 0 ? total : ZERO));
  const exact = weights.map((weight) => total.times(weight).dividedBy(whole));
  const parts = exact.map((part) => part.toDecimalPlaces(2, Decimal.ROUND_FLOOR));
  const missing = total.minus(sumOf(parts)).times(100).toNumber();
  const byRemainder = exact
    .map((part, index) => ({ index, remainder: part.minus(parts[index] ?? ZERO) }))
    .toSorted((a, b) => b.remainder.comparedTo(a.remainder) || a.index - b.index);
  for (const { index } of byRemainder.slice(0, missing)) parts[index] = (parts[index] ?? ZERO).plus('0.01');
  return parts;
}
