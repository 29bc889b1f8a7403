import type { PaymentChannel, PaymentStatus } from '../generated/prisma/enums.ts';
import { sql, type Sql } from '../utils/sql.ts';

// What mails tell of payments. Money and days are text; days are in India.

const payer = sql`coalesce(b.legal_name, t.name) as name, coalesce(b.email, t.email) as email`;
const from = sql`join tenants t on t.id = i.tenant_id and t.status <> 'PURGED' left join billing_profiles b on b.tenant_id = t.id`;

export type DebitNotice = {
  tenantId: string;
  name: string;
  email: string;
  number: string;
  amountDue: string;
  isOpen: boolean;
  label: string | null;
  /** When it is charged by itself, or dunning tries again; null: neither. */
  collectOn: string | null;
  attemptOn: string | null;
};

/** The method is the one that would be charged now: the subscription's, else the tenant's. */
export const debitNotice = (invoiceId: string): Sql => sql`
  select i.tenant_id as "tenantId", ${payer}, i.number, i.amount_due::text as "amountDue", i.status = 'OPEN' as "isOpen",
         (select m.label from payment_methods m
           where m.tenant_id = i.tenant_id and m.status = 'ACTIVE'
             and (m.is_default or m.id = (select s.payment_method_id from subscriptions s where s.id = i.subscription_id))
           order by m.is_default limit 1) as label,
         to_char(i.collect_after at time zone 'Asia/Kolkata', 'YYYY-MM-DD') as "collectOn",
         (select to_char(r.next_on, 'YYYY-MM-DD') from dunning_runs r where r.invoice_id = i.id and r.status = 'ACTIVE') as "attemptOn"
    from invoices i ${from} where i.id = ${invoiceId}`;

export type ReceivedNotice = {
  tenantId: string;
  name: string;
  email: string;
  status: PaymentStatus;
  amount: string;
  receivedOn: string;
  method: PaymentChannel;
  label: string | null;
  reference: string | null;
  /** Of the invoices that it has paid, with commas between them. */
  numbers: string | null;
  /** What went to the credit balance. */
  credited: string;
  /** What is still due of them. */
  amountDue: string;
};

export const receivedNotice = (paymentId: string): Sql => sql`
  select i.tenant_id as "tenantId", ${payer}, i.status, i.amount::text, to_char(i.received_on, 'YYYY-MM-DD') as "receivedOn",
         i.method, (select m.label from payment_methods m where m.id = i.payment_method_id) as label,
         coalesce(i.reference, i.gateway_payment_id) as reference, a.numbers,
         (i.amount - coalesce(a.used, 0))::text as credited, coalesce(a.due, 0)::text as "amountDue"
    from payments i ${from}
    left join lateral (
      select string_agg(v.number, ', ' order by v.number) as numbers, sum(l.amount) as used, sum(v.amount_due) as due
        from payment_allocations l join invoices v on v.id = l.invoice_id where l.payment_id = i.id) a on true
   where i.id = ${paymentId}`;
