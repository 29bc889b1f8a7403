import type { Content, TableCell } from 'pdfmake/interfaces';
import { formatIndian } from '../utils/indian-number.ts';
import { decimal, rupees } from '../utils/money.ts';
import type { InvoiceDocument, DocumentLine } from './invoice-document.ts';
import {
  amountCell,
  columnName,
  dayOf,
  FAINT,
  figure,
  framed,
  isCreditNote,
  label,
  LINE,
  percent,
  roomOf,
  taxColumns,
  type TaxColumn,
  WIDTH,
} from './invoice-pdf-style.ts';
import { printable } from './pdf-fonts.ts';

const SUMS = 190;
/** Beyond this a row might be longer than a page, and has to be broken. */
const LONG_DESCRIPTION = 500;

type AmountOfLine = 'unitPrice' | 'amount' | 'discount' | 'taxable' | 'cgst' | 'sgst' | 'igst' | 'total';

/** What was supplied. A row is not torn apart, and each page begins with the names of the columns. */
export function lineTable(document: InvoiceDocument): Content {
  const taxes = taxColumns(document);
  const fontSize = lineFontSize(document);
  const unbroken = document.lines.every(({ description }) => description.length <= LONG_DESCRIPTION);
  return {
    table: {
      headerRows: 1,
      keepWithHeaderRows: unbroken ? 1 : 0,
      dontBreakRows: unbroken,
      widths: lineWidths(document, taxes, fontSize),
      body: [
        lineNames(taxes),
        ...document.lines.map((line, index) => lineRow(line, index, taxes)),
        lineTotals(document, taxes),
      ],
    },
    layout: framed({ headerRows: 1, footerRows: 1 }),
    fontSize,
    margin: [0, 0, 0, 10],
  };
}

/** Up to nine crore the amounts fit beside each other as they are. */
function lineFontSize({ subtotal, lines }: InvoiceDocument): number {
  const amounts = [subtotal, ...lines.flatMap(({ amount, total }) => [amount, total])];
  const longest = Math.max(...amounts.map((amount) => formatIndian(amount).length));
  if (longest <= '9,99,99,999.00'.length) return 7.5;
  return longest <= '9,99,99,99,999.00'.length ? 6.5 : 5.5;
}

/** As wide as what is in them, and the rest for the description. */
function lineWidths(document: InvoiceDocument, taxes: TaxColumn[], fontSize: number): number[] {
  const { lines } = document;
  const widest = (texts: string[]): number => Math.max(...texts.map(widthInEms)) * fontSize;
  const ofAmounts = (name: string, key: AmountOfLine, total = '0.00'): number =>
    widest([name, formatIndian(total), ...lines.map((line) => formatIndian(line[key]))]);
  const widths = [
    widest(['Qty', ...lines.map(({ quantity }) => quantityOf(quantity))]),
    ofAmounts('Rate', 'unitPrice'),
    ofAmounts('Amount', 'amount', document.subtotal),
    ofAmounts('Discount', 'discount', document.discountTotal),
    ofAmounts('Taxable', 'taxable', document.taxable),
    ...taxes.map(({ name, key }) => Math.max(ofAmounts(name, key, document[key]), widest(['@ 99.9%']))),
    ofAmounts('Total', 'total', document.total),
  ];
  const [number, code] = [widest([String(lines.length)]), widest(['99999999'])];
  const others = [number, code, ...widths].reduce((sum, width) => sum + width);
  return [number, roomOf(widths.length + 3) - others, code, ...widths];
}

/** The figures of Roboto are all of one width, commas and points narrower; letters of the names of columns at most. */
function widthInEms(text: string): number {
  const narrow = text.match(/[,.-]/g)?.length ?? 0;
  return narrow * 0.29 + (text.length - narrow) * 0.575;
}

const quantityOf = (quantity: string): string => formatIndian(decimal(quantity).toFixed());

const lineNames = (taxes: TaxColumn[]): TableCell[] => [
  columnName('#', 'center'),
  columnName('Description of service', 'left'),
  columnName('HSN/\nSAC', 'center'),
  ...['Qty', 'Rate', 'Amount', 'Discount', 'Taxable\nvalue', ...taxes.map(({ name }) => name), 'Total'].map((name) =>
    columnName(name),
  ),
];

const lineRow = (line: DocumentLine, index: number, taxes: TaxColumn[]): TableCell[] => [
  { text: String(index + 1), alignment: 'center' },
  descriptionCell(line),
  { text: printable(line.sac), alignment: 'center' },
  figure(quantityOf(line.quantity)),
  ...[line.unitPrice, line.amount, line.discount, line.taxable].map((amount) => amountCell(amount)),
  ...taxes.map(({ key, rateOf }) => taxCell(line[key], rateOf(line.taxRate))),
  amountCell(line.total),
];

const lineTotals = (document: InvoiceDocument, taxes: TaxColumn[]): TableCell[] => [
  { text: 'Total', bold: true, colSpan: 5 },
  ...Array.from({ length: 4 }, () => ({ text: '' })),
  ...[document.subtotal, document.discountTotal, document.taxable].map((amount) => amountCell(amount, true)),
  ...taxes.map(({ key }) => amountCell(document[key], true)),
  amountCell(document.total, true),
];

const descriptionCell = ({ description, period }: DocumentLine): TableCell => ({
  stack: [
    { text: printable(description) },
    ...(period ? [{ text: `${dayOf(period.from)} to ${dayOf(period.to)}`, color: FAINT, fontSize: 6.5 }] : []),
  ],
});

const taxCell = (amount: string, rate: string): TableCell => ({
  stack: [
    { text: formatIndian(amount), noWrap: true },
    { text: `@ ${rate}`, color: FAINT, fontSize: 6.5, noWrap: true },
  ],
  alignment: 'right',
});

/** The amount in words and the tax by rate beside the sums, on one page. */
export const summary = (document: InvoiceDocument): Content => ({
  columns: [
    { width: WIDTH - 14 - SUMS, stack: [...inWords(document), label('Tax by rate'), taxTable(document)] },
    { width: SUMS, ...sumTable(document) },
  ],
  columnGap: 14,
  unbreakable: true,
  margin: [0, 0, 0, 12],
});

const inWords = (document: InvoiceDocument): Content[] => [
  label(isCreditNote(document) ? 'Amount credited, in words' : 'Amount payable, in words'),
  { text: printable(document.amountInWords), bold: true, margin: [0, 1, 0, 8] },
];

function taxTable(document: InvoiceDocument): Content {
  const taxes = taxColumns(document);
  const names = ['Taxable value', ...taxes.flatMap(({ name }) => [`${name} rate`, name])];
  return {
    table: {
      headerRows: 1,
      widths: ['*', ...names.map(() => 'auto')],
      body: [
        [columnName('GST rate', 'left'), ...names.map((name) => columnName(name))],
        ...document.taxes.map((tax): TableCell[] => [
          percent(tax.rate),
          amountCell(tax.taxable),
          ...taxes.flatMap(({ key, rateOf }) => [figure(rateOf(tax.rate)), amountCell(tax[key])]),
        ]),
        [
          { text: 'Total', bold: true },
          amountCell(document.taxable, true),
          ...taxes.flatMap(({ key }): TableCell[] => [{ text: '' }, amountCell(document[key], true)]),
        ],
      ],
    },
    layout: framed({ headerRows: 1, footerRows: 1 }),
    fontSize: 7.5,
    margin: [0, 2, 0, 0],
  };
}

function sumTable(document: InvoiceDocument) {
  const rows: [name: string, amount: string][] = [
    ['Subtotal', document.subtotal],
    ['Discount', rupees(decimal(document.discountTotal).negated())],
    ['Taxable value', document.taxable],
    ...taxColumns(document).map(({ name, key }): [string, string] => [name, document[key]]),
    ['Total tax', document.taxTotal],
    ['Total including tax', document.total],
    ['Round-off', document.roundOff],
  ];
  const payable: TableCell[] = [
    { text: isCreditNote(document) ? 'Amount credited' : 'Amount payable', bold: true, fontSize: 10 },
    { text: `₹ ${formatIndian(document.payable)}`, bold: true, fontSize: 10, alignment: 'right', noWrap: true },
  ];
  return {
    table: {
      widths: ['*', 'auto'],
      body: [...rows.map(([name, amount]): TableCell[] => [name, amountCell(amount)]), payable],
    },
    layout: {
      ...framed({ footerRows: 1 }),
      hLineWidth: (line: number) => (line === 0 || line >= rows.length ? LINE : 0),
      vLineWidth: (line: number) => (line === 1 ? 0 : LINE),
      paddingTop: (row: number) => (row === rows.length ? 4 : 2),
      paddingBottom: (row: number) => (row === rows.length ? 4 : 2),
    },
  };
}
