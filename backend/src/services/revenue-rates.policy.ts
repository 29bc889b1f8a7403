import { decimal, roundPaisa, rupees, type Amount, type Decimal } from '../utils/money.ts';

// What is told of the MRR beside its sum (rule 28). Amounts are rupees without tax; a division by zero is null (rule 36).

/** A share to four places, such as 0.9412. */
export function share(part: Amount, whole: Amount): number | null {
  const divisor = decimal(whole);
  return divisor.isZero() ? null : decimal(part).dividedBy(divisor).toDecimalPlaces(4).toNumber();
}

/** Annual recurring revenue. */
export const arrOf = (mrr: Amount): string => rupees(decimal(mrr).times(12));

const perAccount = (mrr: Amount, paying: number): Decimal | null =>
  paying === 0 ? null : decimal(mrr).dividedBy(paying);

/** What a paying tenant brings in a month on average. */
export function arpaOf(mrr: Amount, paying: number): string | null {
  const arpa = perAccount(mrr, paying);
  return arpa && rupees(roundPaisa(arpa));
}

/**
 * What a tenant brings until it leaves: ARPA by the share of tenants that leave in a month. Nothing is rounded before
 * the end. Null while nobody has left.
 */
export function ltvOf(
  { mrr, paying }: { mrr: Amount; paying: number },
  churn: { payingAtStart: number; churned: number },
): string | null {
  const arpa = perAccount(mrr, paying);
  if (!arpa || churn.churned === 0 || churn.payingAtStart === 0) return null;
  return rupees(roundPaisa(arpa.times(churn.payingAtStart).dividedBy(churn.churned)));
}

/** What of the tenants that paid at the start of a period became of it by its end. */
export type Retention = {
  startMrr: Decimal;
  payingAtStart: number;
  churned: number;
  /** The sum of what each had less at the end than at the start. */
  lost: Decimal;
  /** What they had at the end less what they had at the start. */
  moved: Decimal;
};

/**
 * GRR counts what was lost, with each tenant capped by what it had at the start; NRR also what the same ones took on
 * since. Both are shares of the MRR at the start.
 */
export const retentionRates = ({ startMrr, payingAtStart, churned, lost, moved }: Retention) => ({
  startMrr: rupees(startMrr),
  payingAtStart,
  churned,
  logoChurn: share(churned, payingAtStart),
  grossRevenueRetention: share(startMrr.minus(lost), startMrr),
  netRevenueRetention: share(startMrr.plus(moved), startMrr),
});
