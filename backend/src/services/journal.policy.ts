import { decimal, sumOf, type Amount, type Decimal } from '../utils/money.ts';
import type { DocumentRow, ReceiptRow, RefundRow } from './report-journal.queries.ts';

// What happened as vouchers of double entry. Ledgers are those that Tally knows by these names; a party's is the name on
// its invoices.

export const LEDGERS = {
  sales: 'Sales',
  cgst: 'Output CGST',
  sgst: 'Output SGST',
  igst: 'Output IGST',
  roundOff: 'Round Off',
  gateway: 'Payment Gateway',
  bank: 'Bank',
  cash: 'Cash',
  charges: 'Gateway Charges',
  inputTax: 'Input GST on Gateway Charges',
} as const;

export type Entry = {
  ledger: string;
  /** Rupees; what is debited is positive, what is credited negative. */
  debit: Decimal;
};

export type Voucher = {
  /** The same whenever it is exported: who imports it twice has it once. */
  id: string;
  type: 'Sales' | 'Credit Note' | 'Receipt' | 'Payment';
  number: string;
  /** A day in India. */
  day: string;
  party: string;
  gstin: string | null;
  narration: string;
  entries: Entry[];
};

const debit = (ledger: string, amount: Amount): Entry => ({ ledger, debit: decimal(amount) });
const credit = (ledger: string, amount: Amount): Entry => ({ ledger, debit: decimal(amount).negated() });

/** @throws Error for one whose debits are not its credits: it would put the books wrong */
function balanced(voucher: Voucher): Voucher {
  const entries = voucher.entries.filter((entry) => !entry.debit.isZero());
  const off = sumOf(entries.map((entry) => entry.debit));
  if (!off.isZero()) throw new Error(`The voucher ${voucher.number} is off by ${off.toFixed(2)}`);
  return { ...voucher, entries };
}

const salesEntries = (row: DocumentRow): Entry[] => [
  debit(row.party, row.total),
  credit(LEDGERS.sales, row.taxable),
  credit(LEDGERS.cgst, row.cgst),
  credit(LEDGERS.sgst, row.sgst),
  credit(LEDGERS.igst, row.igst),
  credit(LEDGERS.roundOff, row.roundOff),
];

export const salesVoucher = (row: DocumentRow): Voucher =>
  balanced({
    ...partOf(row),
    id: `invoice-${row.id}`,
    type: 'Sales',
    number: row.number,
    narration: `Invoice ${row.number}`,
    entries: salesEntries(row),
  });

/** What an invoice does, the other way round. */
export const creditNoteVoucher = (row: DocumentRow): Voucher =>
  balanced({
    ...partOf(row),
    id: `credit-note-${row.id}`,
    type: 'Credit Note',
    number: row.number,
    narration: `Credit note ${row.number} against invoice ${row.invoiceNumber ?? ''}`,
    entries: salesEntries(row).map((entry) => ({ ...entry, debit: entry.debit.negated() })),
  });

/** The gateway's fee includes its tax, and never reaches the bank (rule 22). */
export function receiptVoucher(row: ReceiptRow): Voucher {
  const [amount, fee, tax] = [decimal(row.amount), decimal(row.fee), decimal(row.tax)];
  return balanced({
    ...partOf(row),
    id: `payment-${row.id}`,
    type: 'Receipt',
    number: row.transactionId,
    narration: narrationOf('Payment', row, row.invoices ? `for ${row.invoices}` : 'on account'),
    entries: [
      debit(moneyLedger(row), amount.minus(fee)),
      debit(LEDGERS.charges, fee.minus(tax)),
      debit(LEDGERS.inputTax, tax),
      credit(row.party, amount),
    ],
  });
}

export const refundVoucher = (row: RefundRow): Voucher =>
  balanced({
    ...partOf(row),
    id: `refund-${row.id}`,
    type: 'Payment',
    number: row.transactionId,
    narration: narrationOf('Refund', row, row.creditNote ? `for credit note ${row.creditNote}` : ''),
    entries: [debit(row.party, row.amount), credit(moneyLedger(row), row.amount)],
  });

const partOf = ({ day, party, gstin }: { day: string; party: string; gstin: string | null }) => ({ day, party, gstin });

/** Where money lies that came this way. */
function moneyLedger({ gateway, method }: Pick<ReceiptRow, 'gateway' | 'method'>): string {
  if (gateway !== null) return LEDGERS.gateway;
  return method === 'CASH' ? LEDGERS.cash : LEDGERS.bank;
}

const narrationOf = (
  what: string,
  { transactionId, reference }: Pick<ReceiptRow, 'transactionId' | 'reference'>,
  purpose: string,
): string => [what, transactionId, purpose, reference && `(${reference})`].filter(Boolean).join(' ');
