import { decimal, type Decimal } from '../utils/money.ts';
import type { Gstr1Return, Listed } from './gstr1-return.ts';
import type { Series } from './gstr1-summary.ts';
import type { Taxes } from './gstr1.policy.ts';
import { money, type Cell } from './report-table.ts';

// A return as one table, for people: `section` says where a row stands in the form.

/** What stands above the columns of the CSV; which of them a row fills is up to its section. */
export const gstr1Headings = [
  'section',
  'recipient_gstin',
  'number',
  'date',
  'value',
  'place_of_supply',
  'reverse_charge',
  'type',
  'hsn_sac',
  'description',
  'rate',
  'taxable_value',
  'integrated_tax',
  'central_tax',
  'state_tax',
  'cess',
  'from',
  'to',
  'total_number',
  'cancelled',
  'net_issued',
] as const;

type Row = Partial<Record<(typeof gstr1Headings)[number], Cell>>;

const cells = (row: Row): Cell[] => gstr1Headings.map((heading) => row[heading] ?? null);

const taxCells = (rate: string, { taxable, cgst, sgst, igst }: Taxes): Row => ({
  rate: decimal(rate).toString(),
  taxable_value: money(text(taxable)),
  integrated_tax: money(text(igst)),
  central_tax: money(text(cgst)),
  state_tax: money(text(sgst)),
  cess: money('0.00'),
});
const text = (amount: Decimal): string => amount.toFixed(2);

/** One row for each document and rate. */
export const listedCells = (document: Listed): Cell[][] =>
  document.rates.map(({ rate, taxes }) =>
    cells({
      section: document.section,
      recipient_gstin: document.section === 'b2b' || document.section === 'cdnr' ? document.group : null,
      number: document.number,
      date: document.issueDate,
      value: money(document.total),
      place_of_supply: document.pos,
      reverse_charge: 'N',
      type: { b2b: 'R', b2cl: null, cdnr: 'C', cdnur: 'C' }[document.section],
      ...taxCells(rate, taxes),
    }),
  );

/** One row for each sum, and for each series of documents. */
export function summaryCells({ summary, descriptions }: Pick<Gstr1Return, 'summary' | 'descriptions'>): Cell[][] {
  const small = summary
    .smallSupplies()
    .map(({ supply, pos, rate, taxes }) =>
      cells({ section: 'b2cs', place_of_supply: pos, type: supply, ...taxCells(rate, taxes) }),
    );
  const names = { all: 'hsn', b2b: 'hsn_b2b', b2c: 'hsn_b2c' } as const;
  const codes = summary.buyers.flatMap((buyers) =>
    summary.codesOf(buyers).map(({ sac, rate, taxes }) =>
      cells({
        section: names[buyers],
        hsn_sac: sac,
        description: descriptions.get(sac) ?? null,
        ...taxCells(rate, taxes),
      }),
    ),
  );
  const series = (['INVOICE', 'CREDIT_NOTE'] as const).flatMap((kind) => summary.seriesOf(kind).map(seriesCells));
  return [...small, ...codes, ...series];
}

const seriesCells = ({ kind, from, to, count, cancelled }: Series): Cell[] =>
  cells({
    section: 'doc_issue',
    type: kind,
    from,
    to,
    total_number: String(count),
    cancelled: String(cancelled),
    net_issued: String(count - cancelled),
  });
