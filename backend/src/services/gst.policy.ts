import type { SupplyType } from '../generated/prisma/enums.ts';
import { allocate, decimal, roundPaisa, roundRupee, sumOf, ZERO, type Decimal } from '../utils/money.ts';
import { stateByCode } from '../utils/indian-states.ts';

// The tax of an invoice (rule 18; CGST Act 2017, IGST Act 2017 section 12). All amounts in rupees.

/** What is taxed: a line after its discount, and the rate in percent. */
export type TaxableLine = { taxable: Decimal; taxRate: Decimal };
export type LineTax = { cgst: Decimal; sgst: Decimal; igst: Decimal };

export type InvoiceTax = {
  lines: LineTax[];
  /** One row for each rate, the highest first. */
  byRate: ({ taxRate: Decimal; taxable: Decimal } & LineTax)[];
  taxable: Decimal;
  roundOff: Decimal;
  /** taxable and taxes, before the round-off */
  total: Decimal;
  /** total and round-off */
  payable: Decimal;
} & LineTax;

/**
 * The state in which a supply counts as made: the buyer's, which is the first two digits of the GSTIN of a registered one.
 * @returns the GST code, such as `27`
 * @throws Error for a state that there is not
 */
export function placeOfSupply(buyer: { gstin: string | null; state: string }): string {
  const code = buyer.gstin?.slice(0, 2) ?? stateByCode(buyer.state)?.gstCode;
  if (!code) throw new Error(`There is no state ${buyer.state}`);
  return code;
}

export const supplyBetween = (sellerStateCode: string, place: string): SupplyType =>
  sellerStateCode === place ? 'INTRA_STATE' : 'INTER_STATE';

/**
 * Taxes an invoice: for each rate once, on what all its lines come to, so that a credit within the invoice and what
 * replaces it are taxed on their difference; inside a state CGST and SGST are rounded each. What the lines show adds up
 * to that exactly.
 * @param rounding `RUPEE`: a round-off makes the payable amount whole rupees; `PAISA`: there is none
 */
export function taxInvoice(lines: readonly TaxableLine[], supply: SupplyType, rounding: 'RUPEE' | 'PAISA'): InvoiceTax {
  const taxes: LineTax[] = lines.map(() => ({ cgst: ZERO, sgst: ZERO, igst: ZERO }));
  const byRate = [...new Set(lines.map(({ taxRate }) => taxRate.toString()))]
    .map(decimal)
    .toSorted((a, b) => b.comparedTo(a))
    .map((taxRate) => {
      const indexes = lines.flatMap((line, index) => (line.taxRate.equals(taxRate) ? [index] : []));
      const weights = indexes.map((index) => lines[index]?.taxable ?? ZERO);
      const taxable = sumOf(weights);
      const tax = taxOn(taxable, taxRate, supply);
      for (const kind of ['cgst', 'sgst', 'igst'] as const) {
        const parts = spread(tax[kind], weights);
        indexes.forEach((index, place) => ((taxes[index] as LineTax)[kind] = parts[place] ?? ZERO));
      }
      return { taxRate, taxable, ...tax };
    });
  const taxable = sumOf(lines.map((line) => line.taxable));
  const [cgst, sgst, igst] = (['cgst', 'sgst', 'igst'] as const).map((kind) => sumOf(byRate.map((row) => row[kind])));
  const sums = { cgst: cgst ?? ZERO, sgst: sgst ?? ZERO, igst: igst ?? ZERO };
  const total = taxable.plus(sums.cgst).plus(sums.sgst).plus(sums.igst);
  const payable = rounding === 'RUPEE' ? roundRupee(total) : total;
  return { lines: taxes, byRate, taxable, ...sums, total, payable, roundOff: payable.minus(total) };
}

/** The tax on one amount at one rate. */
export function taxOn(taxable: Decimal, taxRate: Decimal, supply: SupplyType): LineTax {
  if (supply === 'INTER_STATE') {
    return { cgst: ZERO, sgst: ZERO, igst: roundPaisa(taxable.times(taxRate).dividedBy(100)) };
  }
  const half = roundPaisa(taxable.times(taxRate).dividedBy(200));
  return { cgst: half, sgst: half, igst: ZERO };
}

/** Each line's own tax, rounded; what that misses of the whole goes to the line with the largest amount. */
function spread(total: Decimal, weights: readonly Decimal[]): Decimal[] {
  const whole = sumOf(weights);
  if (whole.isZero()) return allocate(total, weights);
  const parts = weights.map((weight) => roundPaisa(total.times(weight).dividedBy(whole)));
  const largest = weights.reduce(
    (best, weight, index) => (weight.abs().gt(weights[best]?.abs() ?? ZERO) ? index : best),
    0,
  );
  parts[largest] = (parts[largest] ?? ZERO).plus(total.minus(sumOf(parts)));
  return parts;
}
