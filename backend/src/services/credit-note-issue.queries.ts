import type { CreditNoteReason, CreditNoteStatus, SupplyType } from '../generated/prisma/enums.ts';
import { sql, type Sql } from '../utils/sql.ts';
import type { Buyer } from './buyer.service.ts';
import type { Seller } from './seller.service.ts';

// What a credit note is made of, and the statements that put it down. Money is text, rupees.

type Taxed = { taxable: string; cgst: string; sgst: string; igst: string };

/** An invoice as far as it can be credited; of lines and sums, what standing credit notes have taken back. */
export type CreditableRow = Taxed & {
  number: string;
  roundOff: string;
  total: string;
  amountPaid: string;
  amountDue: string;
  seller: Seller;
  buyer: Buyer;
  buyerName: string;
  buyerGstin: string | null;
  placeOfSupply: string;
  supply: SupplyType;
  creditedRoundOff: string;
  /** To the credit balance or back to the payer. */
  givenBack: string;
  items: (Taxed & { id: string; description: string; sacCode: string; taxRate: string; credited: Taxed })[];
};

export const creditableInvoice = (id: string): Sql => sql`
  select i.number, i.taxable::text, i.cgst::text, i.sgst::text, i.igst::text, i.round_off::text as "roundOff", i.total::text,
         i.amount_paid::text as "amountPaid", i.amount_due::text as "amountDue", i.seller, i.buyer,
         i.buyer_name as "buyerName", i.buyer_gstin as "buyerGstin", i.place_of_supply as "placeOfSupply", i.supply,
         n.round_off::text as "creditedRoundOff", n.given_back::text as "givenBack",
         (select jsonb_agg(jsonb_build_object(
                   'id', l.id, 'description', l.description, 'sacCode', l.sac_code, 'taxRate', l.tax_rate::text,
                   'taxable', l.taxable::text, 'cgst', l.cgst::text, 'sgst', l.sgst::text, 'igst', l.igst::text,
                   'credited', jsonb_build_object('taxable', t.taxable::text, 'cgst', t.cgst::text, 'sgst', t.sgst::text,
                                                  'igst', t.igst::text)) order by l.position)
            from invoice_items l
            cross join lateral (
              select coalesce(sum(e.taxable), 0) as taxable, coalesce(sum(e.cgst), 0) as cgst,
                     coalesce(sum(e.sgst), 0) as sgst, coalesce(sum(e.igst), 0) as igst
                from credit_note_items e join credit_notes c on c.id = e.credit_note_id
               where e.invoice_item_id = l.id and c.status = 'ISSUED') t
           where l.invoice_id = i.id) as items
    from invoices i
    cross join lateral (
      select coalesce(sum(round_off), 0) as round_off, coalesce(sum(credit_amount + refund_amount), 0) as given_back
        from credit_notes where invoice_id = i.id and status = 'ISSUED') n
   where i.id = ${id}`;

/** What came through the gateway can go back through it. */
const isRefundable = sql`p.status = 'SUCCEEDED' and p.gateway_payment_id is not null`;

/** The payments of an invoice that can be refunded, which nobody else refunds until the end of the transaction. */
export const lockPaymentsOf = (invoiceId: string): Sql => sql`
  select p.id from payments p
   where ${isRefundable}
     and p.id in (select payment_id from payment_allocations where invoice_id = ${invoiceId})
   order by p.id for update of p`;

export type RefundableRow = { id: string; refundable: string };

/**
 * What of each payment can go back because of an invoice, the newest first: no more than what of it lies on the invoice and
 * did not go back already, nor than what is left of the payment.
 */
export const refundablePayments = (invoiceId: string): Sql => sql`
  select p.id,
         greatest(least(p.amount - gone.all_of_it, allocated.amount - gone.for_invoice), 0)::text as refundable
    from (select payment_id, sum(amount) as amount from payment_allocations where invoice_id = ${invoiceId} group by 1) allocated
    join payments p on p.id = allocated.payment_id and ${isRefundable}
    cross join lateral (
      select coalesce(sum(r.amount), 0) as all_of_it,
             coalesce(sum(r.amount) filter (where c.invoice_id = ${invoiceId}), 0) as for_invoice
        from refunds r left join credit_notes c on c.id = r.credit_note_id
       where r.payment_id = p.id and r.status <> 'FAILED') gone
   order by p.created_at desc, p.id desc`;

export type NewCreditNote = Taxed & {
  id: string;
  tenantId: string;
  invoiceId: string;
  prefix: string;
  /** Digits of the serial. */
  digits: number;
  fiscalYear: string;
  issueDate: string;
  reason: CreditNoteReason;
  explanation: string | null;
  seller: Seller;
  buyer: Buyer;
  buyerName: string;
  buyerGstin: string | null;
  placeOfSupply: string;
  supply: SupplyType;
  roundOff: string;
  total: string;
  credit: string;
  refund: string;
  offset: string;
  createdById: string | null;
  now: Date;
};

/** Puts a credit note down under the next number: from here on its series waits for the end of the transaction (rule 17). */
export const insertCreditNote = (note: NewCreditNote): Sql => sql`
  insert into credit_notes (id, tenant_id, invoice_id, number, fiscal_year, serial, reason, explanation, issue_date, seller,
                            buyer, buyer_name, buyer_gstin, place_of_supply, supply, taxable, cgst, sgst, igst, round_off,
                            total, credit_amount, refund_amount, offset_amount, created_by_id, created_at)
  select ${note.id}, ${note.tenantId}, ${note.invoiceId},
         ${`${note.prefix}/${note.fiscalYear}/`} || lpad(serial::text, greatest(${note.digits}::int, length(serial::text)), '0'),
         ${note.fiscalYear}, serial, ${note.reason}::credit_note_reason, ${note.explanation}, ${note.issueDate}::date,
         ${JSON.stringify(note.seller)}::jsonb, ${JSON.stringify(note.buyer)}::jsonb, ${note.buyerName}, ${note.buyerGstin},
         ${note.placeOfSupply}, ${note.supply}::supply_type, ${note.taxable}::numeric, ${note.cgst}::numeric,
         ${note.sgst}::numeric, ${note.igst}::numeric, ${note.roundOff}::numeric, ${note.total}::numeric,
         ${note.credit}::numeric, ${note.refund}::numeric, ${note.offset}::numeric, ${note.createdById}, ${note.now}
    from app.take_serial('CREDIT_NOTE', ${note.fiscalYear}, ${note.prefix}) serial
  returning number`;

export type LockedCreditNote = {
  id: string;
  tenantId: string;
  invoiceId: string;
  number: string;
  status: CreditNoteStatus;
  /** What it has put to the credit balance; a refund that failed went there too. */
  credited: string;
  offset: string;
  /** Whether money went back for it, or is about to. */
  isRefunded: boolean;
};

export const lockCreditNote = (id: string): Sql => sql`
  select c.id, c.tenant_id as "tenantId", c.invoice_id as "invoiceId", c.number, c.status,
         (c.credit_amount + r.failed)::text as credited, c.offset_amount::text as "offset", r.others > 0 as "isRefunded"
    from credit_notes c
    cross join lateral (
      select coalesce(sum(amount) filter (where status = 'FAILED'), 0) as failed, count(*) filter (where status <> 'FAILED') as others
        from refunds where credit_note_id = c.id) r
   where c.id = ${id} for update of c`;

export const invoiceOfNote = (id: string): Sql =>
  sql`select invoice_id as "invoiceId" from credit_notes where id = ${id}`;
