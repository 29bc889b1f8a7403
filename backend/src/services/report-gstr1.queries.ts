import type { SupplyType } from '../generated/prisma/enums.ts';
import { empty, sql, type Sql } from '../utils/sql.ts';
import type { TaxedPart } from './gstr1.policy.ts';

/** An invoice or a credit note of the return. Days are text in India; money is text, in rupees. */
export type DocumentRow = {
  number: string;
  serial: number;
  isVoid: boolean;
  issueDate: string;
  ctin: string | null;
  pos: string;
  supply: SupplyType;
  total: string;
  parts: TaxedPart[];
  /** Of a credit note: what it takes back from. */
  invoiceTotal: string | null;
  invoiceDate: string | null;
};

/** Which documents: those of one registration of ours, of some days, to registered buyers or to others. */
export type Wanted = { gstin: string; from: string; to: string; registered: boolean };
/** A place in their order: by buyer or state, then by number. */
export type Place = { group: string; number: string };

const partsOf = (lines: Sql): Sql => sql`
  coalesce((select jsonb_agg(jsonb_build_object('rate', l.rate::text, 'sac', l.sac, 'taxable', l.taxable::text,
                     'cgst', l.cgst::text, 'sgst', l.sgst::text, 'igst', l.igst::text) order by l.rate, l.sac)
              from (${lines}) l), '[]') as parts`;

const sums = sql`sum(m.taxable) as taxable, sum(m.cgst) as cgst, sum(m.sgst) as sgst, sum(m.igst) as igst`;

const groupOf = ({ registered }: Wanted): Sql => (registered ? sql`d.buyer_gstin` : sql`d.place_of_supply`);

const matching = (wanted: Wanted, after: Place | undefined): Sql => sql`
  d.issue_date >= ${wanted.from}::date and d.issue_date <= ${wanted.to}::date and d.seller->>'gstin' = ${wanted.gstin}
  and d.buyer_gstin is ${wanted.registered ? sql`not null` : sql`null`}
  ${after ? sql`and (${groupOf(wanted)}, d.number) > (${after.group}, ${after.number})` : empty}`;

const columns = sql`
  d.number, d.serial, d.status::text = 'VOID' as "isVoid", to_char(d.issue_date, 'YYYY-MM-DD') as "issueDate",
  d.buyer_gstin as ctin, d.place_of_supply as pos, d.supply, d.total::text`;

export const invoicesOfReturn = (wanted: Wanted, after: Place | undefined, most: number): Sql => sql`
  select ${columns}, null::text as "invoiceTotal", null::text as "invoiceDate",
         ${partsOf(sql`select m.tax_rate as rate, m.sac_code as sac, ${sums} from invoice_items m
                        where m.invoice_id = d.id group by m.tax_rate, m.sac_code`)}
    from invoices d where d.number is not null and ${matching(wanted, after)}
   order by ${groupOf(wanted)}, d.number limit ${most}`;

export const creditNotesOfReturn = (wanted: Wanted, after: Place | undefined, most: number): Sql => sql`
  select ${columns}, i.total::text as "invoiceTotal", to_char(i.issue_date, 'YYYY-MM-DD') as "invoiceDate",
         ${partsOf(sql`select t.tax_rate as rate, t.sac_code as sac, ${sums}
                         from credit_note_items m join invoice_items t on t.id = m.invoice_item_id
                        where m.credit_note_id = d.id group by t.tax_rate, t.sac_code`)}
    from credit_notes d join invoices i on i.id = d.invoice_id where ${matching(wanted, after)}
   order by ${groupOf(wanted)}, d.number limit ${most}`;

/** What service accounting codes stand for, as it was last said. */
export const sacDescriptions = (): Sql => sql`
  select distinct on (sac_code) sac_code as sac, description from tax_rates order by sac_code, effective_from desc`;
