import type { JobContext } from '../queues/job-context.ts';
import { gstr1Headings, listedCells, summaryCells } from './gstr1-csv.ts';
import { gstr1Json } from './gstr1-json.ts';
import type { Gstr1Return, Listed } from './gstr1-return.ts';
import { gstr1Summary, type DocumentKind, type Gstr1Summary } from './gstr1-summary.ts';
import { byRate, sectionOf, type Supplied } from './gstr1.policy.ts';
import {
  creditNotesOfReturn,
  invoicesOfReturn,
  sacDescriptions,
  type DocumentRow,
  type Place,
  type Wanted,
} from './report-gstr1.queries.ts';
import { csvTable, readOn, type Told } from './report-table.ts';
import { lastDayOf } from './revenue-periods.policy.ts';

const CELLS_AT_ONCE = 1_000;

/**
 * The return of outward supplies of a month, GSTR-1 (rule 18). Void documents are in no section and count as cancelled; a
 * credit note counts in the month of its own issue, and where it takes back small supplies to unregistered buyers it
 * reduces their sums. Supplies without tax stand in their section with a rate of 0.
 * @param wanted `gstin`: which registration of ours; `month`: `YYYY-MM`
 */
export async function* gstr1Report(
  ctx: JobContext,
  { month, gstin, format }: { month: string; gstin: string; format: string },
  told: Told,
): AsyncGenerator<string> {
  const described = await ctx.sql.many<{ sac: string; description: string }>(sacDescriptions());
  const summary = gstr1Summary(month);
  const range = { gstin, from: `${month}-01`, to: lastDayOf(month) };
  const descriptions = new Map(described.map(({ sac, description }) => [sac, description]));
  if (format === 'CSV') {
    const documents = listed(ctx, range, summary, async () => {});
    yield* csvTable(gstr1Headings, allCells({ documents, summary, descriptions }), told);
    return;
  }
  yield* gstr1Json({ gstin, month, documents: listed(ctx, range, summary, told), summary, descriptions });
}

/** What is told one by one, section by section; everything else is summed up on the way. */
async function* listed(
  ctx: JobContext,
  range: Omit<Wanted, 'registered'>,
  summary: Gstr1Summary,
  told: Told,
): AsyncGenerator<Listed> {
  let read = 0;
  for (const [kind, select] of [
    ['INVOICE', invoicesOfReturn],
    ['CREDIT_NOTE', creditNotesOfReturn],
  ] as const) {
    for (const registered of [true, false]) {
      const batches = readOn<DocumentRow, Place>(
        ctx,
        (after, most) => select({ ...range, registered }, after, most),
        ({ number, ctin, pos }) => ({ group: ctin ?? pos, number }),
      );
      for await (const rows of batches) {
        for (const row of rows) yield* placed(kind, row, summary);
        read += rows.length;
        await told(read);
      }
    }
  }
}

/** Puts a document where it belongs. */
function placed(kind: DocumentKind, row: DocumentRow, summary: Gstr1Summary): Listed[] {
  summary.count({ kind, ...row });
  if (row.isVoid) return [];
  summary.addCodes({ kind, ctin: row.ctin }, row.parts);
  const section = sectionOf(suppliedBy(row));
  if (section === 'b2cs') {
    summary.addSmall({ kind, ...row }, row.parts);
    return [];
  }
  const { number, issueDate, total, pos } = row;
  const ofNote = section === 'b2b' ? 'cdnr' : 'cdnur';
  return [
    {
      section: kind === 'INVOICE' ? section : ofNote,
      group: row.ctin ?? pos,
      number,
      issueDate,
      total,
      pos,
      rates: byRate(row.parts),
    },
  ];
}

/** A note stands where its invoice does. */
const suppliedBy = (row: DocumentRow): Supplied => ({
  ...row,
  total: row.invoiceTotal ?? row.total,
  issueDate: row.invoiceDate ?? row.issueDate,
});

async function* allCells({ documents, ...rest }: Pick<Gstr1Return, 'documents' | 'summary' | 'descriptions'>) {
  let rows: ReturnType<typeof listedCells> = [];
  for await (const document of documents) {
    rows.push(...listedCells(document));
    if (rows.length < CELLS_AT_ONCE) continue;
    yield rows;
    rows = [];
  }
  yield rows;
  yield summaryCells(rest);
}
