import { taxOn } from '../../src/services/gst.policy.ts';
import { lineColumns } from '../../src/services/invoice-issue.queries.ts';
import { addDays, fiscalYearOf } from '../../src/utils/india-day.ts';
import { dayInIndia } from '../../src/utils/india-time.ts';
import { decimal, rupees, sumOf } from '../../src/utils/money.ts';
import { momentOf, type Bill, type Book } from './billing-book.ts';
import type {
  BillingEntryRow,
  CreditNoteItemRow,
  CreditNoteRow,
  InvoiceItemRow,
  InvoiceTableRow,
} from './billing-rows.ts';
import { stableId } from './deterministic.ts';
import { seller } from './seller.ts';

/** The last number of each fiscal year of a series. */
export type Serials = Map<string, number>;

export const INVOICE_PREFIX = 'SS';
export const CREDIT_NOTE_PREFIX = 'SSCN';
const DUE_DAYS = 7;

/** Gives the next number. @param digits of the serial */
function numbered(serials: Serials, prefix: string, digits: number, issueDate: string) {
  const fiscalYear = fiscalYearOf(issueDate);
  const serial = (serials.get(fiscalYear) ?? 0) + 1;
  serials.set(fiscalYear, serial);
  return {
    number: `${prefix}/${fiscalYear}/${String(serial).padStart(digits, '0')}`,
    fiscal_year: fiscalYear,
    serial,
    issue_date: issueDate,
  };
}

/** Invoices of all books, numbered in the order in which they were issued. */
export const invoiceRows = (books: readonly Book[], serials: Serials): InvoiceTableRow[] =>
  books
    .flatMap(({ bills }) => bills)
    .toSorted((one, other) => one.at.localeCompare(other.at) || one.id.localeCompare(other.id))
    .map((bill) => invoiceRow(bill, serials));

function invoiceRow(bill: Bill, serials: Serials): InvoiceTableRow {
  const { amounts, at, paidAt, period } = bill;
  const number = numbered(serials, INVOICE_PREFIX, 6, dayInIndia(new Date(at)));
  const total = rupees(amounts.total);
  return {
    id: bill.id,
    tenant_id: bill.tenantId,
    subscription_id: bill.subscriptionId,
    ...number,
    status: paidAt ? 'PAID' : 'OPEN',
    reason: bill.reason,
    collection_method: bill.collectionMethod,
    period_start: period.start,
    period_end: period.end,
    due_date: addDays(number.issue_date, DUE_DAYS),
    seller,
    ...to(bill),
    subtotal: rupees(amounts.subtotal),
    discount_total: rupees(amounts.discountTotal),
    taxable: rupees(amounts.taxable),
    cgst: rupees(amounts.cgst),
    sgst: rupees(amounts.sgst),
    igst: rupees(amounts.igst),
    round_off: rupees(amounts.roundOff),
    total,
    amount_paid: paidAt ? total : '0.00',
    amount_due: paidAt ? '0.00' : total,
    finalized_at: at,
    paid_at: paidAt,
    sent_at: at,
    collect_after: bill.collectAfter,
    created_at: at,
    updated_at: paidAt ?? at,
  };
}

const to = ({ buyer, supply }: Pick<Bill, 'buyer' | 'supply'>) => ({
  buyer,
  buyer_name: buyer.legalName,
  buyer_gstin: buyer.gstin,
  place_of_supply: buyer.stateCode,
  supply,
});

export const itemRows = (books: readonly Book[]): InvoiceItemRow[] =>
  books.flatMap(({ bills, profile }) =>
    bills
      .flatMap((bill) => bill.amounts.lines.map((line, index) => ({ bill, line, position: index + 1 })))
      .map(({ bill, line, position }, index) => ({
        id: stableId(`invoice-items:${profile.slug}`, index),
        tenant_id: bill.tenantId,
        invoice_id: bill.id,
        position,
        ...lineColumns(line),
      })),
  );

export type Credit = { note: CreditNoteRow; item: CreditNoteItemRow; entry: BillingEntryRow };

const NOON_MINUTE = 12 * 60;
const CREDITED = '100.00';

/** What was given back of the newest bill, to the credit of the tenant. */
export function creditOf(book: Book, items: readonly InvoiceItemRow[], serials: Serials): Credit | undefined {
  const bill = book.bills.findLast(({ paidAt }) => paidAt !== null);
  const item = items.find(({ invoice_id, position }) => invoice_id === bill?.id && position === 1);
  if (!book.story.credited || !bill || !item) return undefined;
  const on = addDays(book.today, -1);
  const at = momentOf(book, on, NOON_MINUTE);
  const { cgst, sgst, igst } = taxOn(decimal(CREDITED), decimal(item.tax_rate), bill.supply);
  const total = rupees(sumOf([CREDITED, cgst, sgst, igst]));
  const amounts = { taxable: CREDITED, cgst: rupees(cgst), sgst: rupees(sgst), igst: rupees(igst), total };
  const id = book.nextId('credit-notes');
  const shared = { tenant_id: bill.tenantId, created_at: at };
  return {
    note: {
      id,
      ...shared,
      invoice_id: bill.id,
      ...numbered(serials, CREDIT_NOTE_PREFIX, 5, on),
      reason: 'GOODWILL',
      explanation: 'The space could not be reached for a day',
      seller,
      ...to(bill),
      ...amounts,
      round_off: '0.00',
      credit_amount: total,
      refund_amount: '0.00',
      offset_amount: '0.00',
    },
    item: {
      id: book.nextId('credit-note-items'),
      tenant_id: bill.tenantId,
      credit_note_id: id,
      invoice_item_id: item.id,
      position: 1,
      ...amounts,
    },
    entry: {
      id: book.nextId('billing-entries'),
      ...shared,
      kind: 'CREDIT_NOTE',
      amount: total,
      balance: total,
      credit_note_id: id,
    },
  };
}
