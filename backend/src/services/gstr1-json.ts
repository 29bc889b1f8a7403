import { decimal, type Amount } from '../utils/money.ts';
import type { Gstr1Return, Listed } from './gstr1-return.ts';
import type { CodeSum, Gstr1Summary } from './gstr1-summary.ts';
import type { Taxes } from './gstr1.policy.ts';

// A return as the offline tool of the GST portal writes it, and as the portal takes it.

/** As the portal counts: rupees and percent, as numbers with two decimals, which a double holds exactly up to 15 digits. */
const number = (amount: Amount): number => Number(decimal(amount).toFixed(2));

/** The portal takes days as DD-MM-YYYY. */
const portalDay = (day: string): string => day.split('-').toReversed().join('-');

const LONGEST_DESCRIPTION = 30;
/** Service accounting codes are counted in no unit. */
const UNIT = { uqc: 'NA', qty: 0 } as const;

const taxesOf = ({ taxable, cgst, sgst, igst }: Taxes) => ({
  txval: number(taxable),
  iamt: number(igst),
  camt: number(cgst),
  samt: number(sgst),
  csamt: 0,
});

/** Supplies to other states alone have no other tax to tell of. */
const integratedOf = ({ taxable, igst }: Taxes) => ({ txval: number(taxable), iamt: number(igst), csamt: 0 });

const items = (document: Listed, of: (taxes: Taxes) => object) =>
  document.rates.map(({ rate, taxes }, index) => ({ num: index + 1, itm_det: { rt: number(rate), ...of(taxes) } }));

const portalNames = (document: Listed) => ({
  b2b: () => ({
    inum: document.number,
    idt: portalDay(document.issueDate),
    val: number(document.total),
    pos: document.pos,
    rchrg: 'N',
    inv_typ: 'R',
    itms: items(document, taxesOf),
  }),
  b2cl: () => ({
    inum: document.number,
    idt: portalDay(document.issueDate),
    val: number(document.total),
    itms: items(document, integratedOf),
  }),
  cdnr: () => ({
    ntty: 'C',
    nt_num: document.number,
    nt_dt: portalDay(document.issueDate),
    val: number(document.total),
    pos: document.pos,
    rchrg: 'N',
    inv_typ: 'R',
    itms: items(document, taxesOf),
  }),
  cdnur: () => ({
    typ: 'B2CL',
    ntty: 'C',
    nt_num: document.number,
    nt_dt: portalDay(document.issueDate),
    val: number(document.total),
    pos: document.pos,
    itms: items(document, integratedOf),
  }),
});

/** One element of a section's list: the documents of one buyer or state, or one note to an unregistered buyer. */
function elements(documents: readonly Listed[]): object[] {
  const [first] = documents;
  if (!first) return [];
  const told = documents.map((document) => portalNames(document)[document.section]());
  if (first.section === 'b2b') return [{ ctin: first.group, inv: told }];
  if (first.section === 'b2cl') return [{ pos: first.group, inv: told }];
  if (first.section === 'cdnr') return [{ ctin: first.group, nt: told }];
  return told;
}

const codeRows = (rows: readonly CodeSum[], descriptions: ReadonlyMap<string, string>) =>
  rows.map(({ sac, rate, taxes }, index) => ({
    num: index + 1,
    hsn_sc: sac,
    desc: (descriptions.get(sac) ?? '').slice(0, LONGEST_DESCRIPTION),
    ...UNIT,
    rt: number(rate),
    ...taxesOf(taxes),
  }));

/** The kinds of documents by the number that the portal gives them. */
const DOCUMENT_NUMBERS = { INVOICE: 1, CREDIT_NOTE: 5 } as const;

function documentsIssued(summary: Gstr1Summary) {
  const kinds = Object.entries(DOCUMENT_NUMBERS) as [keyof typeof DOCUMENT_NUMBERS, number][];
  return kinds.flatMap(([kind, doc_num]) => {
    const docs = summary.seriesOf(kind).map(({ from, to, count, cancelled }, index) => ({
      num: index + 1,
      from,
      to,
      totnum: count,
      cancel: cancelled,
      net_issue: count - cancelled,
    }));
    return docs.length > 0 ? [{ doc_num, docs }] : [];
  });
}

/** What is summed up, once all documents are read; lists that the return can do without are left out when empty. */
function summarised(summary: Gstr1Summary, descriptions: ReadonlyMap<string, string>): object {
  const b2cs = summary.smallSupplies().map(({ supply, pos, rate, taxes }) => ({
    sply_ty: supply,
    pos,
    typ: 'OE',
    rt: number(rate),
    ...taxesOf(taxes),
  }));
  const names = { all: 'data', b2b: 'hsn_b2b', b2c: 'hsn_b2c' } as const;
  const hsn = summary.buyers.map((buyers) => [names[buyers], codeRows(summary.codesOf(buyers), descriptions)]);
  return {
    ...(b2cs.length > 0 && { b2cs }),
    hsn: Object.fromEntries(hsn) as object,
    doc_issue: { doc_det: documentsIssued(summary) },
  };
}

/** The version of the offline tool whose file this is, and what that one puts where a hash could stand. */
const TOOL = { version: 'GST3.2.1', hash: 'hash' } as const;

/** The file that the portal takes. Never more than the documents of one buyer are in memory. */
export async function* gstr1Json(one: Gstr1Return): AsyncGenerator<string> {
  const [year, month] = one.month.split('-');
  const head = { gstin: one.gstin, fp: `${month}${year}`, ...TOOL };
  yield JSON.stringify(head).slice(0, -1);
  let section: Listed['section'] | undefined;
  let isFirst = true;
  let group: Listed[] = [];
  const flush = (): string => {
    const texts = elements(group).map((element) => JSON.stringify(element));
    group = [];
    const text = texts.map((element, index) => (isFirst && index === 0 ? element : `,${element}`)).join('\n');
    if (texts.length > 0) isFirst = false;
    return text;
  };
  for await (const document of one.documents) {
    const [last] = group;
    if (last && (last.section !== document.section || last.group !== document.group)) yield flush();
    if (document.section !== section) {
      yield `${section === undefined ? '' : ']'},\n"${document.section}":[`;
      section = document.section;
      isFirst = true;
    }
    group.push(document);
  }
  yield `${flush()}${section === undefined ? '' : ']'},\n`;
  yield `${JSON.stringify(summarised(one.summary, one.descriptions)).slice(1)}\n`;
}
