import type { z } from 'zod';
import { containingWords } from '../utils/search.ts';
import { orderBy, raw, sql, where, type Sql } from '../utils/sql.ts';
import type { creditNote, creditNoteSortColumns, listCreditNotesQuery } from '../validators/credit-notes.validator.ts';
import type { Buyer } from './buyer.service.ts';
import type { Seller } from './seller.service.ts';

export type CreditNoteFilter = z.output<typeof listCreditNotesQuery>;

/** One credit note as the database has it; seller and buyer hold more than is shown. */
export type CreditNoteRow = Omit<z.input<typeof creditNote>, 'amountInWords' | 'seller' | 'buyer'> & {
  seller: Seller;
  buyer: Buyer;
  pdfKey: string | null;
  pdfSha256: string | null;
};

const day = (column: string): Sql => raw(`to_char(${column}, 'YYYY-MM-DD')`);

const sortColumns: Record<(typeof creditNoteSortColumns)[number], string> = {
  createdAt: 'c.created_at',
  issueDate: 'c.issue_date',
};

const matching = ({ tenantId, invoiceId, status, issuedFrom, issuedTo, q }: CreditNoteFilter): Sql =>
  where(
    tenantId && sql`c.tenant_id = ${tenantId}`,
    invoiceId && sql`c.invoice_id = ${invoiceId}`,
    status && sql`c.status = ${status}::credit_note_status`,
    issuedFrom && sql`c.issue_date >= ${issuedFrom}::date`,
    issuedTo && sql`c.issue_date <= ${issuedTo}::date`,
    q && containingWords(sql`app.invoice_search_text(c.number, c.buyer_name, c.buyer_gstin)`, q),
  );

export const creditNoteRows = (filter: CreditNoteFilter): { rows: Sql; count: Sql } => ({
  rows: sql`
    select c.id, c.tenant_id as "tenantId", c.invoice_id as "invoiceId",
           (select i.number from invoices i where i.id = c.invoice_id) as "invoiceNumber", c.number, c.status, c.reason,
           c.buyer_name as "buyerName", ${day('c.issue_date')} as "issueDate", c.total::text, c.created_at as "createdAt"
      from credit_notes c ${matching(filter)} ${orderBy(sortColumns, filter.sort, filter.order, 'c.id')}`,
  count: sql`select count(*)::int as total from credit_notes c ${matching(filter)}`,
});

const items = sql`
  coalesce((
    select jsonb_agg(jsonb_build_object(
             'id', n.id, 'invoiceItemId', n.invoice_item_id, 'description', l.description, 'sacCode', l.sac_code,
             'taxRate', l.tax_rate::text, 'taxable', n.taxable::text, 'cgst', n.cgst::text, 'sgst', n.sgst::text,
             'igst', n.igst::text, 'total', n.total::text) order by n.position)
      from credit_note_items n join invoice_items l on l.id = n.invoice_item_id where n.credit_note_id = c.id), '[]')`;

const taxes = sql`
  coalesce((
    select jsonb_agg(jsonb_build_object('taxRate', r.tax_rate::text, 'taxable', r.taxable::text, 'cgst', r.cgst::text,
                                        'sgst', r.sgst::text, 'igst', r.igst::text) order by r.tax_rate desc)
      from (select l.tax_rate, sum(n.taxable) as taxable, sum(n.cgst) as cgst, sum(n.sgst) as sgst, sum(n.igst) as igst
              from credit_note_items n join invoice_items l on l.id = n.invoice_item_id
             where n.credit_note_id = c.id group by l.tax_rate) r), '[]')`;

const refunds = sql`
  coalesce((
    select jsonb_agg(jsonb_build_object('id', r.id, 'paymentId', r.payment_id, 'amount', r.amount::text, 'status', r.status)
                     order by r.created_at, r.id)
      from refunds r where r.credit_note_id = c.id), '[]')`;

/** One credit note with everything that belongs to it. */
export const creditNoteById = (id: string): Sql => sql`
  select c.id, c.tenant_id as "tenantId", c.invoice_id as "invoiceId",
         jsonb_build_object('number', i.number, 'issueDate', i.issue_date) as invoice, c.number,
         c.fiscal_year as "fiscalYear", c.status, c.reason, c.explanation, ${day('c.issue_date')} as "issueDate", c.seller,
         c.buyer, c.place_of_supply as "placeOfSupply", c.supply, ${items} as items, ${taxes} as taxes, c.taxable::text,
         c.cgst::text, c.sgst::text, c.igst::text, c.round_off::text as "roundOff", c.total::text,
         jsonb_build_object('credit', c.credit_amount::text, 'refund', c.refund_amount::text,
                            'offset', c.offset_amount::text) as disposition, ${refunds} as refunds,
         c.voided_at as "voidedAt", c.void_reason as "voidReason", c.pdf_key as "pdfKey", c.pdf_sha256 as "pdfSha256",
         c.created_at as "createdAt"
    from credit_notes c join invoices i on i.id = c.invoice_id where c.id = ${id}`;

/** Where a credit note is mailed to now. */
export const mailedCreditNote = (id: string): Sql => sql`
  select coalesce(p.email, t.email) as email
    from credit_notes c join tenants t on t.id = c.tenant_id left join billing_profiles p on p.tenant_id = c.tenant_id
   where c.id = ${id}`;
