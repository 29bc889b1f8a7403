import type { InvoiceItemKind, InvoiceReason, SupplyType } from '../generated/prisma/enums.ts';
import { decimal, roundPaisa, sumOf, ZERO, type Amount, type Decimal } from '../utils/money.ts';
import { taxInvoice, type InvoiceTax } from './gst.policy.ts';
import type { Period } from './proration.policy.ts';

/** A line as it is asked for. Rupees without tax; `unitPrice` is negative for what is credited within the invoice. */
export type InvoiceLine = {
  kind: InvoiceItemKind;
  description: string;
  sacCode: string;
  quantity: Amount;
  unitPrice: Amount;
  discount?: Amount;
  /** Over which it is earned. */
  period?: Period | null;
  planVersionId?: string | null;
  addOnId?: string | null;
};

/** A line with everything that follows from it. */
export type PricedLine = InvoiceLine & {
  amount: Decimal;
  discount: Decimal;
  taxable: Decimal;
  /** Percent. */
  taxRate: Decimal;
  cgst: Decimal;
  sgst: Decimal;
  igst: Decimal;
  total: Decimal;
};

export type InvoiceAmounts = {
  lines: PricedLine[];
  byRate: InvoiceTax['byRate'];
  subtotal: Decimal;
  discountTotal: Decimal;
  taxable: Decimal;
  cgst: Decimal;
  sgst: Decimal;
  igst: Decimal;
  roundOff: Decimal;
  /** What is to be paid. */
  total: Decimal;
};

/**
 * A change within a period is charged to the paisa, as its preview said (rule 19); everything else is rounded to the rupee
 * (rule 18).
 */
export const roundingOf = (reason: InvoiceReason): 'RUPEE' | 'PAISA' =>
  reason === 'SUBSCRIPTION_CHANGE' ? 'PAISA' : 'RUPEE';

/** Everything that follows from the lines of an invoice. @param rates percent by service accounting code */
export function priceInvoice(
  lines: readonly InvoiceLine[],
  rates: ReadonlyMap<string, Decimal>,
  { supply, reason }: { supply: SupplyType; reason: InvoiceReason },
): InvoiceAmounts {
  const priced = lines.map((line) => {
    const amount = roundPaisa(decimal(line.quantity).times(line.unitPrice));
    const discount = decimal(line.discount ?? 0);
    return { ...line, amount, discount, taxable: amount.minus(discount), taxRate: rates.get(line.sacCode) ?? ZERO };
  });
  const tax = taxInvoice(priced, supply, roundingOf(reason));
  const withTax = priced.map((line, index) => {
    const { cgst, sgst, igst } = tax.lines[index] ?? { cgst: ZERO, sgst: ZERO, igst: ZERO };
    return { ...line, cgst, sgst, igst, total: line.taxable.plus(cgst).plus(sgst).plus(igst) };
  });
  return {
    lines: withTax,
    byRate: tax.byRate,
    subtotal: sumOf(priced.map(({ amount }) => amount)),
    discountTotal: sumOf(priced.map(({ discount }) => discount)),
    taxable: tax.taxable,
    cgst: tax.cgst,
    sgst: tax.sgst,
    igst: tax.igst,
    roundOff: tax.roundOff,
    total: tax.payable,
  };
}
