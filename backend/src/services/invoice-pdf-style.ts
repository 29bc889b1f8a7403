import type { Content, CustomTableLayout, TableCell } from 'pdfmake/interfaces';
import { formatIndian } from '../utils/indian-number.ts';
import { decimal } from '../utils/money.ts';
import type { InvoiceDocument } from './invoice-document.ts';
import { printable } from './pdf-fonts.ts';

/** Margins to the left and right, and what is between them, in points. */
export const MARGIN = 28;
export const WIDTH = 595.28 - 2 * MARGIN;

export const INK = '#1f2937';
export const FAINT = '#6b7280';
const RULE = '#9ca3af';
const SHADE = '#f3f4f6';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** Where the tax beside CGST is the union territory's: those without an assembly of their own. */
const UNION_TERRITORIES = new Set(['04', '26', '31', '35', '38']);

export const isCreditNote = ({ kind }: InvoiceDocument): boolean => kind === 'CREDIT_NOTE';
export const titleOf = (document: InvoiceDocument): string => (isCreditNote(document) ? 'CREDIT NOTE' : 'TAX INVOICE');

/** `2026-08-01` → `01-Aug-2026`, which nobody reads the other way round. */
export function dayOf(day: string): string {
  const [year = '', month = '', date = ''] = day.split('-');
  return `${date}-${MONTHS[Number(month) - 1] ?? month}-${year}`;
}

/** `18.00` → `18%`. */
export const percent = (rate: string): string => `${decimal(rate).toFixed()}%`;

export type TaxColumn = {
  name: string;
  key: 'cgst' | 'sgst' | 'igst';
  /** Which part of a rate of GST is this tax's. */
  rateOf: (rate: string) => string;
};

/** The taxes that a document has, in the order of their columns. */
export function taxColumns({ supply, placeOfSupply }: InvoiceDocument): TaxColumn[] {
  if (supply === 'INTER_STATE') return [{ name: 'IGST', key: 'igst', rateOf: percent }];
  const half = (rate: string): string => percent(decimal(rate).dividedBy(2).toFixed());
  return [
    { name: 'CGST', key: 'cgst', rateOf: half },
    { name: UNION_TERRITORIES.has(placeOfSupply.code) ? 'UTGST' : 'SGST', key: 'sgst', rateOf: half },
  ];
}

/** A small heading above what it names. */
export const label = (text: string): Content => ({ text, color: FAINT, fontSize: 7 });

export const columnName = (text: string, alignment: 'left' | 'right' | 'center' = 'right'): TableCell => ({
  text,
  bold: true,
  alignment,
});

/** Never broken over two lines: half a figure is another figure. */
export const figure = (text: string, bold = false): TableCell => ({ text, bold, alignment: 'right', noWrap: true });
export const amountCell = (amount: string, bold = false): TableCell => figure(formatIndian(amount), bold);

/** Names and values below each other, without lines. @param widths of the two columns, in points */
export const facts = (
  rows: readonly (readonly [name: string, value: string])[],
  widths: [names: number, values: number],
): Content => ({
  table: {
    widths,
    body: rows.map(([name, value]) => [
      { text: name, color: FAINT },
      { text: printable(value), bold: true },
    ]),
  },
  layout: {
    hLineWidth: () => 0,
    vLineWidth: () => 0,
    paddingLeft: () => 0,
    paddingRight: () => 0,
    paddingTop: () => 1,
    paddingBottom: () => 1,
  },
});

const PADDING = 3;
/** How thick the lines of tables are. */
export const LINE = 0.6;

/** How wide the columns of a framed table are together, when the table is as wide as the page. */
export const roomOf = (columns: number, padding = PADDING): number =>
  WIDTH - columns * 2 * padding - (columns + 1) * LINE;

/** A frame, with the first and the last rows set off. */
export function framed({ headerRows = 0, footerRows = 0, padding = PADDING } = {}): CustomTableLayout {
  return {
    hLineWidth: (line, { table }) => (line <= headerRows || line >= table.body.length - footerRows ? LINE : 0.25),
    vLineWidth: () => LINE,
    hLineColor: () => RULE,
    vLineColor: () => RULE,
    fillColor: (row, { table }) => (row < headerRows || row >= table.body.length - footerRows ? SHADE : null),
    paddingLeft: () => padding,
    paddingRight: () => padding,
    paddingTop: () => padding,
    paddingBottom: () => padding,
  };
}
