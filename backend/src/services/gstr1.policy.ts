import type { SupplyType } from '../generated/prisma/enums.ts';
import { decimal, ZERO, type Decimal } from '../utils/money.ts';

// Where a document stands in form GSTR-1 (CGST Rules 2017, rule 59), by the names of the portal's own file.

/** What of a document is of one rate and one service accounting code; rupees, a rate in percent. */
export type TaxedPart = { rate: string; sac: string; taxable: string; cgst: string; sgst: string; igst: string };

/** An invoice, or what a credit note says of the one that it takes back from. */
export type Supplied = {
  ctin: string | null;
  supply: SupplyType;
  /** What is to be paid for it, with tax. */
  total: string;
  /** A day in India, `YYYY-MM-DD`. */
  issueDate: string;
};

/** Inter-state invoices to unregistered buyers of more than this are told one by one (notification 12/2024, central tax). */
const LARGE: readonly { from: string; over: number }[] = [
  { from: '2024-08-01', over: 100_000 },
  { from: '2017-07-01', over: 250_000 },
];

const largeFrom = (issueDate: string): number =>
  (LARGE.find(({ from }) => from <= issueDate) ?? { over: 250_000 }).over;

/** b2b: to registered buyers; b2cl: large ones to others, to another state; b2cs: the rest, summed up. */
export function sectionOf({ ctin, supply, total, issueDate }: Supplied): 'b2b' | 'b2cl' | 'b2cs' {
  if (ctin !== null) return 'b2b';
  return supply === 'INTER_STATE' && decimal(total).gt(largeFrom(issueDate)) ? 'b2cl' : 'b2cs';
}

/** From this month on, codes are summed up apart for registered and other buyers. */
const HSN_APART_FROM = '2025-05';
export const isHsnApart = (month: string): boolean => month >= HSN_APART_FROM;

export type Taxes = { taxable: Decimal; cgst: Decimal; sgst: Decimal; igst: Decimal };
export const NO_TAXES: Taxes = { taxable: ZERO, cgst: ZERO, sgst: ZERO, igst: ZERO };

export const addTaxes = (to: Taxes, part: Omit<TaxedPart, 'rate' | 'sac'>, sign: 1 | -1): Taxes => ({
  taxable: to.taxable.plus(decimal(part.taxable).times(sign)),
  cgst: to.cgst.plus(decimal(part.cgst).times(sign)),
  sgst: to.sgst.plus(decimal(part.sgst).times(sign)),
  igst: to.igst.plus(decimal(part.igst).times(sign)),
});

export const isNothing = ({ taxable, cgst, sgst, igst }: Taxes): boolean =>
  [taxable, cgst, sgst, igst].every((amount) => amount.isZero());

/** What of a document is of each rate, the lowest first. */
export function byRate(parts: readonly TaxedPart[]): { rate: string; taxes: Taxes }[] {
  const rates = [...new Set(parts.map(({ rate }) => rate))].toSorted((a, b) => decimal(a).comparedTo(b));
  return rates.map((rate) => ({
    rate,
    taxes: parts.filter((part) => part.rate === rate).reduce((sum, part) => addTaxes(sum, part, 1), NO_TAXES),
  }));
}

/** The number of a document without its serial, such as `SS/26-27/`: documents of one series share it. */
export const seriesOf = (number: string): string => number.slice(0, number.lastIndexOf('/') + 1);
