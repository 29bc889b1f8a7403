import type { PaymentChannel } from '../generated/prisma/enums.ts';
import { sql, type Sql } from '../utils/sql.ts';
import type { LockedInvoice } from './invoice-settlement.service.ts';

/** Ids as the database takes a list of them. */
const listOf = (ids: readonly string[]): Sql =>
  sql`(select value from jsonb_array_elements_text(${JSON.stringify(ids)}::jsonb))`;

/** In one order, whoever locks several: the subscriptions of invoices, then these. */
export const lockSubscriptionsOf = (invoiceIds: readonly string[]): Sql => sql`
  select 1 from subscriptions
   where id in (select subscription_id from invoices where id in ${listOf(invoiceIds)}) order by id for update`;

export type InvoiceToSettle = Pick<LockedInvoice, 'id' | 'tenantId' | 'number' | 'status' | 'issueDate' | 'amountDue'>;

export const lockInvoices = (ids: readonly string[]): Sql => sql`
  select id, tenant_id as "tenantId", number, status, to_char(issue_date, 'YYYY-MM-DD') as "issueDate",
         amount_due::text as "amountDue"
    from invoices where id in ${listOf(ids)} order by id for update`;

/** A transfer or cheque is told apart by its number: the tenant's account is locked by the caller. */
export const sameReference = (tenantId: string, method: PaymentChannel, reference: string): Sql => sql`
  select id from payments
   where tenant_id = ${tenantId} and method = ${method}::payment_channel and initiated_by = 'OFFLINE'
     and lower(reference) = lower(${reference}) limit 1`;

/** How invoices stand. */
export const balancesOf = (ids: readonly string[]): Sql => sql`
  select i.id, i.number, i.status, i.total::text, i.amount_paid::text as "amountPaid",
         i.amount_credited::text as "amountCredited", i.amount_due::text as "amountDue", i.paid_at as "paidAt", i.version
    from invoices i where i.id in ${listOf(ids)} order by i.id`;
