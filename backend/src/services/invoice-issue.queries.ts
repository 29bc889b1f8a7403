import type { InvoiceReason, InvoiceStatus } from '../generated/prisma/enums.ts';
import { rupees, type Amount } from '../utils/money.ts';
import { sql, type Sql } from '../utils/sql.ts';
import { newId } from '../utils/ids.ts';
import type { InvoiceAmounts, PricedLine } from './invoice-amounts.policy.ts';

// The statements that put an invoice down. Raw, since thousands are issued in one run.

export type DraftRow = {
  id: string;
  tenantId: string;
  subscriptionId: string | null;
  reason: InvoiceReason;
  collectionMethod: string;
  periodStart: string | null;
  periodEnd: string | null;
  occurrence: number;
  notes: string | null;
  createdById: string | null;
  createdAt: Date;
};

export const insertDraft = (row: DraftRow): Sql => sql`
  insert into invoices (id, tenant_id, subscription_id, status, reason, collection_method, period_start, period_end,
                        occurrence, notes, created_by_id, created_at, updated_at)
  values (${row.id}, ${row.tenantId}, ${row.subscriptionId}, 'DRAFT', ${row.reason}::invoice_reason,
          ${row.collectionMethod}::collection_method, ${row.periodStart}::date, ${row.periodEnd}::date, ${row.occurrence},
          ${row.notes}, ${row.createdById}, ${row.createdAt}, ${row.createdAt})
  returning id`;

/** A line as its table has it, but for what tells it from others. Money as text, with two decimals. */
export const lineColumns = (line: PricedLine) => ({
  kind: line.kind,
  description: line.description,
  sac_code: line.sacCode,
  quantity: String(line.quantity),
  unit_price: rupees(line.unitPrice),
  amount: rupees(line.amount),
  discount: rupees(line.discount),
  taxable: rupees(line.taxable),
  tax_rate: rupees(line.taxRate),
  cgst: rupees(line.cgst),
  sgst: rupees(line.sgst),
  igst: rupees(line.igst),
  total: rupees(line.total),
  period_start: line.period?.start ?? null,
  period_end: line.period?.end ?? null,
  plan_version_id: line.planVersionId ?? null,
  add_on_id: line.addOnId ?? null,
});

const lineRow = (line: PricedLine, index: number) => ({ id: newId(), position: index + 1, ...lineColumns(line) });

export const insertLines = (tenantId: string, invoiceId: string, lines: readonly PricedLine[]): Sql => sql`
  insert into invoice_items (id, tenant_id, invoice_id, position, kind, description, sac_code, quantity, unit_price, amount,
                             discount, taxable, tax_rate, cgst, sgst, igst, total, period_start, period_end,
                             plan_version_id, add_on_id)
  select x.id, ${tenantId}, ${invoiceId}, x.position, x.kind, x.description, x.sac_code, x.quantity, x.unit_price, x.amount,
         x.discount, x.taxable, x.tax_rate, x.cgst, x.sgst, x.igst, x.total, x.period_start, x.period_end,
         x.plan_version_id, x.add_on_id
    from jsonb_populate_recordset(null::invoice_items, ${JSON.stringify(lines.map(lineRow))}::jsonb) x
  returning 1 as added`;

export const deleteLines = (invoiceId: string): Sql =>
  sql`delete from invoice_items where invoice_id = ${invoiceId} returning 1 as removed`;

/** What the sums of a draft are, as long as it is one. */
export const setDraftSums = (invoiceId: string, amounts: InvoiceAmounts, now: Date): Sql => sql`
  update invoices set ${sums(amounts)}, version = version + 1, updated_at = ${now} where id = ${invoiceId} and status = 'DRAFT'
  returning version`;

const sums = (amounts: InvoiceAmounts): Sql => {
  const text = (value: Amount) => rupees(value);
  return sql`
    subtotal = ${text(amounts.subtotal)}::numeric, discount_total = ${text(amounts.discountTotal)}::numeric,
    taxable = ${text(amounts.taxable)}::numeric, cgst = ${text(amounts.cgst)}::numeric, sgst = ${text(amounts.sgst)}::numeric,
    igst = ${text(amounts.igst)}::numeric, round_off = ${text(amounts.roundOff)}::numeric, total = ${text(amounts.total)}::numeric`;
};

export type IssueFacts = {
  invoiceId: string;
  prefix: string;
  /** Digits of the serial. */
  digits: number;
  fiscalYear: string;
  issueDate: string;
  dueDate: string;
  seller: object;
  buyer: object;
  buyerName: string;
  buyerGstin: string | null;
  placeOfSupply: string;
  supply: string;
  collectAfter: Date | null;
  now: Date;
};

export type IssuedRow = { number: string; status: InvoiceStatus; version: number };

/**
 * Gives a draft its number: from here on its series waits for the end of the transaction, so this comes last of what
 * takes time (rule 17).
 */
export const issueDraft = (facts: IssueFacts, amounts: InvoiceAmounts): Sql => sql`
  with given as (select app.take_serial('INVOICE', ${facts.fiscalYear}, ${facts.prefix}) as serial)
  update invoices set
    ${sums(amounts)}, serial = given.serial, fiscal_year = ${facts.fiscalYear},
    number = ${`${facts.prefix}/${facts.fiscalYear}/`} || lpad(given.serial::text, greatest(${facts.digits}::int, length(given.serial::text)), '0'),
    status = (case when ${rupees(amounts.total)}::numeric = 0 then 'PAID' else 'OPEN' end)::invoice_status,
    amount_due = ${rupees(amounts.total)}::numeric,
    paid_at = case when ${rupees(amounts.total)}::numeric = 0 then ${facts.now}::timestamptz end,
    issue_date = ${facts.issueDate}::date, due_date = ${facts.dueDate}::date,
    seller = ${JSON.stringify(facts.seller)}::jsonb, buyer = ${JSON.stringify(facts.buyer)}::jsonb,
    buyer_name = ${facts.buyerName}, buyer_gstin = ${facts.buyerGstin}, place_of_supply = ${facts.placeOfSupply},
    supply = ${facts.supply}::supply_type, finalized_at = ${facts.now},
    collect_after = case when ${rupees(amounts.total)}::numeric > 0 then ${facts.collectAfter}::timestamptz end,
    version = version + 1, updated_at = ${facts.now}
    from given
   where invoices.id = ${facts.invoiceId} and invoices.status = 'DRAFT'
  returning invoices.number, invoices.status, invoices.version`;

export type DraftLineRow = {
  kind: PricedLine['kind'];
  description: string;
  sacCode: string;
  quantity: string;
  unitPrice: string;
  discount: string;
  periodStart: string | null;
  periodEnd: string | null;
  planVersionId: string | null;
  addOnId: string | null;
};

export const draftLines = (invoiceId: string): Sql => sql`
  select kind, description, sac_code as "sacCode", quantity::text, unit_price::text as "unitPrice", discount::text,
         to_char(period_start, 'YYYY-MM-DD') as "periodStart", to_char(period_end, 'YYYY-MM-DD') as "periodEnd",
         plan_version_id as "planVersionId", add_on_id as "addOnId"
    from invoice_items where invoice_id = ${invoiceId} order by position`;
