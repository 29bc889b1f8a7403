import type { Column, Content } from 'pdfmake/interfaces';
import { toString as qrCode } from 'qrcode';
import { decimal } from '../utils/money.ts';
import type { InvoiceDocument } from './invoice-document.ts';
import { facts, isCreditNote, label, WIDTH } from './invoice-pdf-style.ts';
import { printable } from './pdf-fonts.ts';

const GAP = 18;
const WAY = (WIDTH - GAP) / 2;
const CODE = 84;
const NAMES = 80;

/**
 * What a payer's app reads, in the format of NPCI: whom to pay, how much, for which invoice.
 * Null where nothing is to be paid, or not by UPI.
 */
export function upiLink(document: InvoiceDocument): string | null {
  const { upi, payable, number } = document;
  if (!upi || isCreditNote(document) || !decimal(payable).greaterThan(0)) return null;
  const fields = { pa: upi.vpa, pn: upi.payeeName, am: payable, cu: 'INR', tn: number, tr: number };
  // Some apps look for the @ as it is.
  const encoded = (value: string): string => encodeURIComponent(value.toWellFormed()).replaceAll('%40', '@');
  return `upi://pay?${Object.entries(fields)
    .map(([name, value]) => `${name}=${encoded(value)}`)
    .join('&')}`;
}

/** How to pay: by UPI, into the bank account. A credit note asks for nothing. */
export async function payment(document: InvoiceDocument): Promise<Content[]> {
  if (isCreditNote(document)) return [];
  const { upi, bank } = document;
  const link = upiLink(document);
  const ways: Column[] = [];
  if (upi && link) ways.push(await byUpi(link, upi.vpa));
  if (bank) ways.push(byBank(bank, document.number));
  return ways.length > 0 ? [{ columns: ways, columnGap: GAP, unbreakable: true, margin: [0, 0, 0, 12] }] : [];
}

async function byUpi(link: string, vpa: string): Promise<Column> {
  const svg = await qrCode(link, { type: 'svg', errorCorrectionLevel: 'M', margin: 2 });
  const columns: Column[] = [
    { width: CODE, stack: [{ svg, width: CODE, height: CODE }] },
    {
      width: WAY - CODE - 8,
      stack: [label('Pay by UPI'), { text: 'Scan with any UPI app', bold: true }, { text: printable(vpa) }],
    },
  ];
  return { width: WAY, stack: [{ columns, columnGap: 8 }] };
}

function byBank(bank: NonNullable<InvoiceDocument['bank']>, number: string): Column {
  const rows = [
    ['Account name', bank.accountName],
    ['Account number', bank.accountNumber],
    ['IFSC', bank.ifsc],
    ['Bank', bank.bankName],
    ['Reference', number],
  ] as const;
  return { width: WAY, stack: [label('Pay by bank transfer'), facts(rows, [NAMES, WAY - NAMES])] };
}
