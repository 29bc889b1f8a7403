import type { z } from 'zod';
import type { InvoiceStatus } from '../generated/prisma/enums.ts';
import { containingWords, isServedByTrigrams } from '../utils/search.ts';
import { join, orderBy, raw, sql, where, type Sql } from '../utils/sql.ts';
import type { invoice } from '../validators/invoice-views.validator.ts';
import type { invoiceSortColumns, listInvoicesQuery } from '../validators/invoices.validator.ts';
import type { Buyer } from './buyer.service.ts';
import type { Seller } from './seller.service.ts';

export type InvoiceFilter = z.output<typeof listInvoicesQuery>;

/** What of the invoices somebody sees, and on which day in India. */
export type InvoiceSight = {
  /** People of a tenant see nothing that was not issued. */
  drafts: boolean;
  today: string;
};

/** One invoice as the database has it; seller and buyer hold more than is shown. */
export type InvoiceRow = Omit<z.input<typeof invoice>, 'amountInWords' | 'seller' | 'buyer'> & {
  seller: Seller | null;
  buyer: Buyer | null;
  pdfKey: string | null;
  pdfSha256: string | null;
};

const day = (column: string): Sql => raw(`to_char(${column}, 'YYYY-MM-DD')`);

const listColumns = sql`
  i.id, i.tenant_id as "tenantId", (select t.name from tenants t where t.id = i.tenant_id) as "tenantName",
  i.subscription_id as "subscriptionId", i.number, i.status, i.reason, i.buyer_name as "buyerName",
  ${day('i.issue_date')} as "issueDate", ${day('i.due_date')} as "dueDate", i.total::text,
  i.amount_due::text as "amountDue", i.created_at as "createdAt"`;

const sortColumns: Record<(typeof invoiceSortColumns)[number], string> = {
  createdAt: 'i.created_at',
  issueDate: 'i.issue_date',
  dueDate: 'i.due_date',
  total: 'i.total',
};

const oneOf = (statuses: readonly InvoiceStatus[]): Sql =>
  sql`i.status in (${join(statuses.map((status) => sql`${status}::invoice_status`))})`;

const isOverdue = (today: string): Sql => sql`(i.status = 'OPEN' and i.due_date < ${today}::date)`;

const matching = (filter: InvoiceFilter, { drafts, today }: InvoiceSight): Sql =>
  where(
    filter.tenantId && sql`i.tenant_id = ${filter.tenantId}`,
    filter.subscriptionId && sql`i.subscription_id = ${filter.subscriptionId}`,
    filter.status && oneOf(filter.status),
    !drafts && sql`i.status <> 'DRAFT'`,
    filter.reason && sql`i.reason = ${filter.reason}::invoice_reason`,
    filter.issuedFrom && sql`i.issue_date >= ${filter.issuedFrom}::date`,
    filter.issuedTo && sql`i.issue_date <= ${filter.issuedTo}::date`,
    filter.dueFrom && sql`i.due_date >= ${filter.dueFrom}::date`,
    filter.dueTo && sql`i.due_date <= ${filter.dueTo}::date`,
    filter.overdue === true && isOverdue(today),
    filter.overdue === false && sql`not ${isOverdue(today)}`,
    filter.minTotal && sql`i.total >= ${filter.minTotal}::numeric`,
    filter.maxTotal && sql`i.total <= ${filter.maxTotal}::numeric`,
    filter.q && containingWords(sql`app.invoice_search_text(i.number, i.buyer_name, i.buyer_gstin)`, filter.q),
  );

/** The tenant's name is looked up in the select list, which comes after sorting: for the rows of the page alone. */
export const invoiceRows = (filter: InvoiceFilter, sight: InvoiceSight): { rows: Sql; count: Sql } => {
  const conditions = matching(filter, sight);
  const order = orderBy(sortColumns, filter.sort, filter.order, 'i.id');
  const isFound = filter.q !== undefined && isServedByTrigrams(filter.q);
  return {
    rows: isFound
      ? sql`with found as materialized (${found(conditions)}) select ${listColumns} from found i ${order}`
      : sql`select ${listColumns} from invoices i ${conditions} ${order}`,
    count: sql`select count(*)::int as total from invoices i ${conditions}`,
  };
};

/**
 * Found by the index of the search, then sorted. The planner cannot know how rare a number or a name is; it would go along
 * the order of the list, and for a rare one through every invoice there is.
 */
const found = (conditions: Sql): Sql => sql`
  select i.id, i.tenant_id, i.subscription_id, i.number, i.status, i.reason, i.buyer_name, i.issue_date, i.due_date, i.total,
         i.amount_due, i.created_at
    from invoices i ${conditions}`;

const period = (start: string, end: string): Sql =>
  sql`case when ${raw(start)} is not null then jsonb_build_object('start', ${raw(start)}, 'end', ${raw(end)}) end`;

const items = sql`
  coalesce((
    select jsonb_agg(jsonb_build_object(
             'id', l.id, 'kind', l.kind, 'description', l.description, 'sacCode', l.sac_code, 'quantity', l.quantity::text,
             'unitPrice', l.unit_price::text, 'amount', l.amount::text, 'discount', l.discount::text,
             'taxable', l.taxable::text, 'taxRate', l.tax_rate::text, 'cgst', l.cgst::text, 'sgst', l.sgst::text,
             'igst', l.igst::text, 'total', l.total::text, 'period', ${period('l.period_start', 'l.period_end')})
             order by l.position)
      from invoice_items l where l.invoice_id = i.id), '[]')`;

const taxes = sql`
  coalesce((
    select jsonb_agg(jsonb_build_object('taxRate', r.tax_rate::text, 'taxable', r.taxable::text, 'cgst', r.cgst::text,
                                        'sgst', r.sgst::text, 'igst', r.igst::text) order by r.tax_rate desc)
      from (select l.tax_rate, sum(l.taxable) as taxable, sum(l.cgst) as cgst, sum(l.sgst) as sgst, sum(l.igst) as igst
              from invoice_items l where l.invoice_id = i.id group by l.tax_rate) r), '[]')`;

/** What was taken away again is not there. */
const payments = sql`
  coalesce((
    select jsonb_agg(jsonb_build_object('id', a.id, 'amount', a.amount::text, 'method', a.method, 'date', a.received_on)
                     order by a.received_on, a.id)
      from (select p.id, p.method, p.received_on, sum(a.amount) as amount
              from payment_allocations a join payments p on p.id = a.payment_id
             where a.invoice_id = i.id group by p.id having sum(a.amount) <> 0) a), '[]')`;

const creditNotes = sql`
  coalesce((
    select jsonb_agg(jsonb_build_object('id', c.id, 'number', c.number, 'status', c.status, 'issueDate', c.issue_date,
                                        'total', c.total::text) order by c.created_at, c.id)
      from credit_notes c where c.invoice_id = i.id), '[]')`;

/** One invoice with everything that belongs to it. */
export const invoiceById = (id: string, drafts: boolean): Sql => sql`
  select i.id, i.tenant_id as "tenantId", i.subscription_id as "subscriptionId", i.number, i.fiscal_year as "fiscalYear",
         i.status, i.reason, i.collection_method as "collectionMethod", ${period('i.period_start', 'i.period_end')} as period,
         ${day('i.issue_date')} as "issueDate", ${day('i.due_date')} as "dueDate", i.seller, i.buyer,
         i.place_of_supply as "placeOfSupply", i.supply, ${items} as items, ${taxes} as taxes, i.subtotal::text,
         i.discount_total::text as "discountTotal", i.taxable::text, i.cgst::text, i.sgst::text, i.igst::text,
         i.round_off::text as "roundOff", i.total::text, i.amount_paid::text as "amountPaid",
         i.amount_credited::text as "amountCredited", i.amount_due::text as "amountDue", ${payments} as payments,
         ${creditNotes} as "creditNotes",
         (select r.id from dunning_runs r where r.invoice_id = i.id and r.status = 'ACTIVE') as "dunningRunId",
         i.notes, i.finalized_at as "finalizedAt", i.paid_at as "paidAt", i.voided_at as "voidedAt",
         i.void_reason as "voidReason", i.uncollectible_at as "uncollectibleAt", i.sent_at as "sentAt",
         i.collect_after as "collectAfter", i.pdf_key as "pdfKey", i.pdf_sha256 as "pdfSha256", i.version,
         i.created_at as "createdAt", i.updated_at as "updatedAt"
    from invoices i where i.id = ${id} and (${drafts} or i.status <> 'DRAFT')`;

export type MailedInvoice = {
  id: string;
  tenantId: string;
  number: string;
  status: InvoiceStatus;
  buyerName: string;
  issueDate: string;
  dueDate: string;
  total: string;
  amountDue: string;
  /** Where invoices of the tenant go now. */
  email: string;
};

/** An invoice that was issued, as far as a mail needs it. */
export const mailedInvoice = (id: string): Sql => sql`
  select i.id, i.tenant_id as "tenantId", i.number, i.status, i.buyer_name as "buyerName",
         ${day('i.issue_date')} as "issueDate", ${day('i.due_date')} as "dueDate", i.total::text,
         i.amount_due::text as "amountDue", coalesce(p.email, t.email) as email
    from invoices i join tenants t on t.id = i.tenant_id left join billing_profiles p on p.tenant_id = i.tenant_id
   where i.id = ${id} and i.number is not null`;

/** What of which payment lies on an invoice, and of which kind it is. */
export const allocationsOf = (invoiceId: string): Sql => sql`
  select p.id as "paymentId", p.method, sum(a.amount)::text as amount
    from payment_allocations a join payments p on p.id = a.payment_id
   where a.invoice_id = ${invoiceId} group by p.id having sum(a.amount) <> 0 order by p.id`;

/** What stands in the way of voiding an invoice: a credit note, or an attempt at a payment whose outcome is not known. */
export const holdsOn = (invoiceId: string): Sql => sql`
  select (select number from credit_notes where invoice_id = ${invoiceId} and status = 'ISSUED' order by id limit 1) as "creditNote",
         (select id from payments where invoice_id = ${invoiceId} and status in ('CREATED', 'AUTHORIZED', 'UNKNOWN') limit 1) as attempt`;

export const subscriptionOf = (invoiceId: string): Sql =>
  sql`select subscription_id as "subscriptionId" from invoices where id = ${invoiceId}`;

export const numbersOf = (ids: readonly string[]): Sql =>
  sql`select id, number from invoices where id in (${join(ids)})`;
