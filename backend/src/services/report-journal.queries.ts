import { PLATFORM_TIME_ZONE } from '../config/constants.ts';
import type { PaymentChannel } from '../generated/prisma/enums.ts';
import { addDays, startOfDay } from '../utils/india-day.ts';
import { empty, sql, type Sql } from '../utils/sql.ts';

// What goes into the books of some days, in the order of days. Days are text in India; money is text, in rupees.

export type Days = { from: string; to: string };
/** A place in the order. */
export type Place = { day: string; id: string };
type Party = { party: string; gstin: string | null };

const on = (column: Sql, id: Sql, { from, to }: Days, after: Place | undefined): Sql => sql`
  ${column} >= ${from}::date and ${column} <= ${to}::date
  ${after ? sql`and (${column}, ${id}) > (${after.day}::date, ${after.id})` : empty}`;

const dayText = (column: Sql): Sql => sql`to_char(${column}, 'YYYY-MM-DD') as day`;

export type DocumentRow = Place &
  Party & {
    number: string;
    /** Of a credit note. */
    invoiceNumber: string | null;
    taxable: string;
    cgst: string;
    sgst: string;
    igst: string;
    roundOff: string;
    total: string;
  };

const amounts = sql`
  d.taxable::text, d.cgst::text, d.sgst::text, d.igst::text, d.round_off::text as "roundOff", d.total::text,
  d.buyer_name as party, d.buyer_gstin as gstin`;

/** Invoices that were issued and not voided; those over nothing are no vouchers. */
export const journalInvoices = (days: Days, after: Place | undefined, most: number): Sql => sql`
  select d.id, ${dayText(sql`d.issue_date`)}, d.number, null::text as "invoiceNumber", ${amounts}
    from invoices d
   where d.number is not null and d.status <> 'VOID' and (d.total > 0 or d.taxable <> 0)
     and ${on(sql`d.issue_date`, sql`d.id`, days, after)}
   order by d.issue_date, d.id limit ${most}`;

export const journalCreditNotes = (days: Days, after: Place | undefined, most: number): Sql => sql`
  select d.id, ${dayText(sql`d.issue_date`)}, d.number, i.number as "invoiceNumber", ${amounts}
    from credit_notes d join invoices i on i.id = d.invoice_id
   where d.status = 'ISSUED' and ${on(sql`d.issue_date`, sql`d.id`, days, after)}
   order by d.issue_date, d.id limit ${most}`;

/** By which name a tenant stands in the books: that of its invoice, else that of its billing profile, else its own. */
const party = (payment: Sql): Sql => sql`
  coalesce((select i.buyer_name from invoices i where i.id = ${payment}.invoice_id), b.legal_name, t.name) as party,
  coalesce(b.gstin, t.gstin) as gstin`;
const parties = (payment: Sql): Sql => sql`
  join tenants t on t.id = ${payment}.tenant_id left join billing_profiles b on b.tenant_id = ${payment}.tenant_id`;

export type ReceiptRow = Place &
  Party & {
    transactionId: string;
    method: PaymentChannel;
    gateway: string | null;
    reference: string | null;
    amount: string;
    /** What the gateway keeps, with its tax. */
    fee: string;
    tax: string;
    invoices: string | null;
  };

/** Money that came. What is paid from a credit balance is none: it stands in the party's ledger already. */
export const journalReceipts = (days: Days, after: Place | undefined, most: number): Sql => sql`
  select p.id, ${dayText(sql`p.received_on`)}, p.transaction_id as "transactionId", p.method, p.gateway, p.reference,
         p.amount::text, p.gateway_fee::text as fee, p.gateway_tax::text as tax, ${party(sql`p`)},
         (select string_agg(distinct i.number, ', ' order by i.number) from payment_allocations a
            join invoices i on i.id = a.invoice_id where a.payment_id = p.id and a.amount > 0) as invoices
    from payments p ${parties(sql`p`)}
   where p.status = 'SUCCEEDED' and p.method <> 'CREDIT_BALANCE' and ${on(sql`p.received_on`, sql`p.id`, days, after)}
   order by p.received_on, p.id limit ${most}`;

export type RefundRow = Place &
  Party & {
    transactionId: string;
    method: PaymentChannel;
    gateway: string | null;
    reference: string | null;
    amount: string;
    creditNote: string | null;
  };

/** Money that went back, by the day on which it is known to have gone. */
export const journalRefunds = (days: Days, after: Place | undefined, most: number): Sql => {
  const day = sql`(r.updated_at at time zone ${PLATFORM_TIME_ZONE})::date`;
  return sql`
  select r.id, ${dayText(day)}, coalesce(r.gateway_refund_id, r.id) as "transactionId", p.method, p.gateway, r.reference,
         r.amount::text, n.number as "creditNote", ${party(sql`p`)}
    from refunds r join payments p on p.id = r.payment_id left join credit_notes n on n.id = r.credit_note_id
         ${parties(sql`p`)}
   where r.status = 'SUCCEEDED' and r.updated_at >= ${startOfDay(days.from)} and r.updated_at < ${startOfDay(addDays(days.to, 1))}
     ${after ? sql`and (${day}, r.id) > (${after.day}::date, ${after.id})` : empty}
   order by 2, r.id limit ${most}`;
};
