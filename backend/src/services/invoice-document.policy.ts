import type { CreditNoteReason } from '../generated/prisma/enums.ts';
import { amountInWords } from '../utils/amount-in-words.ts';
import { addDays } from '../utils/india-day.ts';
import { stateByGstCode } from '../utils/indian-states.ts';
import { rupees, sumOf } from '../utils/money.ts';
import type { Buyer } from './buyer.service.ts';
import type { CreditNoteRow } from './credit-notes.queries.ts';
import type { DocumentLine, DocumentTax, InvoiceDocument, Party } from './invoice-document.ts';
import type { InvoiceRow } from './invoices.queries.ts';
import type { Seller } from './seller.service.ts';

// What is on the PDF of an invoice or a credit note: made of what never changes after the issue alone, so that the same
// file comes of it whenever it is made.

/** As it is printed. */
export const REASONS: Record<CreditNoteReason, string> = {
  SERVICE_NOT_RENDERED: 'Service not rendered',
  DUPLICATE: 'Billed twice',
  PRICE_CORRECTION: 'Correction of the price',
  CANCELLATION: 'Cancellation',
  GOODWILL: 'Goodwill',
  OTHER: 'Other',
};

/** @throws Error for a draft, which is no document yet */
export function invoiceDocument(invoice: InvoiceRow): InvoiceDocument {
  const { number, issueDate, dueDate, seller, buyer, supply, placeOfSupply, notes } = invoice;
  if (!number || !issueDate || !seller || !buyer || !supply || !placeOfSupply) {
    throw new Error(`The invoice ${invoice.id} was not issued`);
  }
  return {
    kind: 'TAX_INVOICE',
    number,
    issueDate,
    dueDate,
    ...parties(seller, buyer),
    ...place(placeOfSupply),
    lines: invoice.items.map(({ sacCode, period, ...line }) => ({
      ...lineOf(line),
      sac: sacCode,
      period: period && { from: period.start, to: addDays(period.end, -1) },
    })),
    taxes: taxesOf(invoice.taxes),
    subtotal: invoice.subtotal,
    discountTotal: invoice.discountTotal,
    ...sums(invoice),
    supply,
    notes,
    terms: seller.terms,
    upi: seller.upiVpa === null ? null : { vpa: seller.upiVpa, payeeName: seller.legalName },
    bank: seller.bank,
  };
}

export function creditNoteDocument(note: CreditNoteRow): InvoiceDocument {
  const { number, issueDate, seller, buyer, reason, explanation, invoice } = note;
  return {
    kind: 'CREDIT_NOTE',
    number,
    issueDate,
    dueDate: null,
    originalInvoice: { number: invoice.number, issueDate: invoice.issueDate },
    reason: REASONS[reason],
    ...parties(seller, buyer),
    ...place(note.placeOfSupply),
    lines: note.items.map(({ sacCode, taxable, ...item }) => ({
      ...lineOf({ ...item, quantity: '1', unitPrice: taxable, amount: taxable, discount: '0.00', taxable }),
      sac: sacCode,
      period: null,
    })),
    taxes: taxesOf(note.taxes),
    subtotal: note.taxable,
    discountTotal: '0.00',
    ...sums(note),
    supply: note.supply,
    notes: explanation,
    terms: null,
    upi: null,
    bank: null,
  };
}

const parties = (seller: Seller, buyer: Buyer): { seller: Party; buyer: Party } => ({
  seller: {
    legalName: seller.legalName,
    gstin: seller.gstin,
    addressLine: seller.addressLine,
    city: seller.city,
    stateName: seller.stateName,
    stateCode: seller.stateCode,
    pincode: seller.pincode,
    email: seller.email,
  },
  buyer: {
    legalName: buyer.legalName,
    gstin: buyer.gstin,
    addressLine: buyer.addressLine ?? '',
    city: buyer.city ?? '',
    stateName: buyer.stateName,
    stateCode: buyer.stateCode,
    pincode: buyer.pincode ?? '',
    email: buyer.email,
    phone: buyer.phone,
  },
});

const place = (code: string) => ({
  placeOfSupply: { code, name: stateByGstCode(code)?.name ?? '' },
  reverseCharge: false as const,
});

/** Exactly what stands on it, whatever else the row holds. */
const lineOf = (line: Omit<DocumentLine, 'sac' | 'period'>): Omit<DocumentLine, 'sac' | 'period'> => ({
  description: line.description,
  quantity: line.quantity,
  unitPrice: line.unitPrice,
  amount: line.amount,
  discount: line.discount,
  taxable: line.taxable,
  taxRate: line.taxRate,
  cgst: line.cgst,
  sgst: line.sgst,
  igst: line.igst,
  total: line.total,
});

type TaxRow = Omit<DocumentTax, 'rate'> & { taxRate: string };
const taxesOf = (rows: readonly TaxRow[]): DocumentTax[] =>
  rows.map(({ taxRate: rate, taxable, cgst, sgst, igst }) => ({ rate, taxable, cgst, sgst, igst }));

type Sums = Record<'taxable' | 'cgst' | 'sgst' | 'igst' | 'roundOff' | 'total', string>;
const sums = ({ taxable, cgst, sgst, igst, roundOff, total }: Sums) => {
  const taxTotal = sumOf([cgst, sgst, igst]);
  return {
    taxable,
    cgst,
    sgst,
    igst,
    taxTotal: rupees(taxTotal),
    total: rupees(taxTotal.plus(taxable)),
    roundOff,
    payable: total,
    amountInWords: amountInWords(total),
  };
};
