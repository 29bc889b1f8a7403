import type { PaymentInitiator } from '../generated/prisma/enums.ts';
import { sql, type Sql } from '../utils/sql.ts';
import type { Place } from './payments.queries.ts';

export type NewAttempt = {
  paymentId: string;
  invoiceId: string;
  tenantId: string;
  subscriptionId: string | null;
  /** Rupees, as text: all that is due. */
  amount: string;
  initiatedBy: PaymentInitiator;
  paymentMethodId: string | undefined;
  attemptNumber: number | undefined;
  gateway: string;
  pollAfter: Date;
  createdById: string | null;
  now: Date;
};

/** What a charge needs to be told. */
export type AttemptRow = {
  /** Null where another attempt is under way. */
  paymentId: string | null;
  paymentMethodId: string;
  customerId: string;
  tokenId: string;
  /** Rupees; null: no limit is known. */
  mandateMax: string | null;
  number: string | null;
  email: string;
  phone: string | null;
};

const charged = sql`
  m.id as "paymentMethodId", m.gateway_customer_id as "customerId", m.gateway_token_id as "tokenId",
  m.mandate_max_amount::text as "mandateMax", i.number, i.buyer ->> 'email' as email, i.buyer ->> 'phone' as phone`;

const chargeable = (gateway: string): Sql =>
  sql`m.status = 'ACTIVE' and m.gateway = ${gateway} and m.gateway_token_id is not null`;

/**
 * Notes an attempt down, with the payment method that it is for: the one that is named, else the subscription's, else the
 * tenant's. No row: there is none. The invoice is locked by the caller.
 */
export const beginAttempt = (attempt: NewAttempt, stopsCollecting: boolean): Sql => sql`
  with m as (
    select m.* from payment_methods m
     where m.tenant_id = ${attempt.tenantId} and ${chargeable(attempt.gateway)}
       and case when ${attempt.paymentMethodId ?? null}::text is null
                then m.is_default or m.id = (select s.payment_method_id from subscriptions s where s.id = ${attempt.subscriptionId})
                else m.id = ${attempt.paymentMethodId ?? null} end
     order by m.is_default limit 1
  ), attempt as (
    insert into payments (id, tenant_id, invoice_id, transaction_id, amount, method, status, initiated_by, gateway,
                          payment_method_id, attempt_number, poll_after, created_by_id, created_at, updated_at)
    select ${attempt.paymentId}, ${attempt.tenantId}, ${attempt.invoiceId}, ${attempt.paymentId}, ${attempt.amount}::numeric,
           m.kind::text::payment_channel, 'CREATED', ${attempt.initiatedBy}::payment_initiator, ${attempt.gateway}, m.id,
           ${attempt.attemptNumber ?? null}::int, ${attempt.pollAfter}, ${attempt.createdById}, ${attempt.now}, ${attempt.now}
      from m
    on conflict do nothing
    returning id
  ), stopped as (
    update invoices set collect_after = null, updated_at = ${attempt.now}
     where id = ${attempt.invoiceId} and ${stopsCollecting}::boolean and exists (select from attempt)
  )
  select attempt.id as "paymentId", ${charged} from m join invoices i on i.id = ${attempt.invoiceId} left join attempt on true`;

/** The same for an attempt that was noted down and never made, if it still can be: its invoice is locked with it. */
export const resumableAttempt = (paymentId: string, gateway: string): Sql => sql`
  select p.id as "paymentId", ${charged}
    from payments p join invoices i on i.id = p.invoice_id join payment_methods m on m.id = p.payment_method_id
   where p.id = ${paymentId} and p.status = 'CREATED' and p.gateway_order_id is null and i.status = 'OPEN'
     and i.amount_due = p.amount and ${chargeable(gateway)}`;

/**
 * From here on it counts as charged, whatever happens: of two who are at the same attempt one gets the row, and charges.
 */
export const claimAttempt = (paymentId: string, orderId: string, now: Date): Sql => sql`
  update payments set gateway_order_id = ${orderId}, updated_at = ${now}
   where id = ${paymentId} and status = 'CREATED' and gateway_order_id is null
  returning id`;

/** It was not charged after all, and may be once more. */
export const releaseAttempt = (paymentId: string, pollAfter: Date, now: Date): Sql => sql`
  update payments set gateway_order_id = null, poll_after = ${pollAfter}, polls = polls + 1, updated_at = ${now}
   where id = ${paymentId} and status = 'CREATED'
  returning id`;

/** It is charged by itself from then on; null: not any more. */
export const collectFrom = (invoiceId: string, at: Date | null, now: Date): Sql => sql`
  update invoices set collect_after = ${at}::timestamptz, updated_at = ${now}
   where id = ${invoiceId} and status = 'OPEN' returning id`;

/** Invoices that are to be charged by now, page by page. One that is being paid waits for what comes of it. */
export const invoicesToCollect = (now: Date, after: Place | undefined, limit: number): Sql => sql`
  select i.id, to_char(i.collect_after at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at from invoices i
   where i.status = 'OPEN' and i.collect_after <= ${now}
     and (i.collect_after, i.id) > (${after?.at ?? '1900-01-01T00:00:00Z'}::timestamptz, ${after?.id ?? ''})
     and not exists (select from payments p where p.invoice_id = i.id and p.status in ('CREATED', 'AUTHORIZED', 'UNKNOWN'))
   order by i.collect_after, i.id limit ${limit}`;
