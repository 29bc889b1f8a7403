import type { DeclineKind, PaymentChannel, PaymentInitiator, PaymentStatus } from '../generated/prisma/enums.ts';
import { orderBy, sql, where, type Sql } from '../utils/sql.ts';

// Payments as they are shown, and the facts that what happens to them follows from. Money and days are text.

export type PaymentFilter = {
  tenantId?: string | undefined;
  invoiceId?: string | undefined;
  status?: PaymentStatus | undefined;
  method?: PaymentChannel | undefined;
  /** Days in India on which it was made. */
  from?: string | undefined;
  to?: string | undefined;
  sort: 'createdAt';
  order: 'asc' | 'desc';
};

const columns = sql`
  p.id, p.tenant_id as "tenantId", p.invoice_id as "invoiceId",
  (select i.number from invoices i where i.id = p.invoice_id) as "invoiceNumber",
  p.transaction_id as "transactionId", p.amount::text, p.amount_refunded::text as "amountRefunded", p.method, p.status,
  p.initiated_by as "initiatedBy", p.attempt_number as "attemptNumber",
  (select jsonb_build_object('id', m.id, 'label', m.label, 'last4', m.last4)
     from payment_methods m where m.id = p.payment_method_id) as "paymentMethod",
  case when p.failure_code is not null
       then jsonb_build_object('code', p.failure_code, 'message', p.failure_message, 'decline', p.decline) end as failure,
  p.reference, p.notes, to_char(p.received_on, 'YYYY-MM-DD') as "receivedOn", p.succeeded_at as "succeededAt",
  p.failed_at as "failedAt", p.created_at as "createdAt",
  coalesce((select jsonb_agg(jsonb_build_object('invoiceId', a.invoice_id, 'invoiceNumber', i.number, 'amount', a.amount::text)
                             order by a.created_at, a.id)
              from payment_allocations a join invoices i on i.id = a.invoice_id where a.payment_id = p.id), '[]') as allocations`;

export const paymentById = (id: string): Sql => sql`select ${columns} from payments p where p.id = ${id}`;

const startOf = (day: string): Sql => sql`(${day}::date::timestamp at time zone 'Asia/Kolkata')`;

const matching = ({ tenantId, invoiceId, status, method, from, to }: PaymentFilter): Sql =>
  where(
    tenantId && sql`p.tenant_id = ${tenantId}`,
    invoiceId && sql`p.invoice_id = ${invoiceId}`,
    status && sql`p.status = ${status}::payment_status`,
    method && sql`p.method = ${method}::payment_channel`,
    from && sql`p.created_at >= ${startOf(from)}`,
    to && sql`p.created_at < ${startOf(to)} + interval '1 day'`,
  );

/** What belongs to it is looked up in the select list: for the rows of the page alone. */
export const paymentRows = (filter: PaymentFilter): { rows: Sql; count: Sql } => ({
  rows: sql`select ${columns} from payments p ${matching(filter)} ${orderBy({ createdAt: 'p.created_at' }, filter.sort, filter.order, 'p.id')}`,
  count: sql`select count(*)::int as total from payments p ${matching(filter)}`,
});

export type PaymentFacts = {
  id: string;
  tenantId: string;
  invoiceId: string | null;
  subscriptionId: string | null;
  /** Rupees. */
  amount: string;
  status: PaymentStatus;
  decline: DeclineKind | null;
  initiatedBy: PaymentInitiator;
  paymentMethodId: string | null;
  gateway: string | null;
  /** Of a charge that was sent, or is about to be. */
  gatewayOrderId: string | null;
  gatewayPaymentId: string | null;
  polls: number;
  createdAt: Date;
};

const facts = (condition: Sql): Sql => sql`
  select p.id, p.tenant_id as "tenantId", p.invoice_id as "invoiceId", i.subscription_id as "subscriptionId",
         p.amount::text, p.status, p.decline, p.initiated_by as "initiatedBy", p.payment_method_id as "paymentMethodId",
         p.gateway, p.gateway_order_id as "gatewayOrderId", p.gateway_payment_id as "gatewayPaymentId", p.polls,
         p.created_at as "createdAt"
    from payments p left join invoices i on i.id = p.invoice_id where ${condition}`;

export const paymentFacts = (id: string): Sql => facts(sql`p.id = ${id}`);

/** Of an order at the gateway: each is made for one payment of ours. */
export const paymentOfOrder = (gateway: string, orderId: string): Sql =>
  facts(sql`p.gateway_order_id = ${orderId} and p.gateway = ${gateway}`);

export const lockSubscriptionRow = (id: string): Sql => sql`select 1 from subscriptions where id = ${id} for update`;

export type OutcomeRow = {
  id: string;
  status: PaymentStatus;
  gatewayPaymentId: string | null;
  method: PaymentChannel | null;
  /** Rupees. */
  fee: string;
  tax: string;
  /** JSON. */
  response: string | null;
  failure: { code: string; message: string; decline: DeclineKind | null } | null;
  pollAfter: Date | null;
  /** The day in India. */
  today: string;
  now: Date;
};

/** From which states there is a way forward to each (rule 23). Money may come after all; what came stays. */
const forward: Record<PaymentStatus, string> = {
  CREATED: '{}',
  UNKNOWN: '{CREATED,UNKNOWN}',
  AUTHORIZED: '{CREATED,UNKNOWN,AUTHORIZED}',
  FAILED: '{CREATED,UNKNOWN,AUTHORIZED}',
  SUCCEEDED: '{CREATED,UNKNOWN,AUTHORIZED,FAILED}',
};

/** Moves a payment forward, unless it is there already or beyond. Of two who tell the same, one gets the row. */
export const moveForward = (row: OutcomeRow): Sql => {
  const isSuccess = row.status === 'SUCCEEDED';
  const isFailure = row.status === 'FAILED';
  return sql`
    update payments set
      status = ${row.status}::payment_status, method = coalesce(${row.method}::payment_channel, method),
      gateway_payment_id = coalesce(${row.gatewayPaymentId}, gateway_payment_id),
      transaction_id = coalesce(${row.gatewayPaymentId}, transaction_id),
      gateway_fee = ${row.fee}::numeric, gateway_tax = ${row.tax}::numeric,
      gateway_response = coalesce(${row.response}::jsonb, gateway_response),
      failure_code = ${row.failure?.code ?? null}, failure_message = ${row.failure?.message ?? null},
      decline = ${row.failure?.decline ?? null}::decline_kind,
      poll_after = ${row.pollAfter}::timestamptz, polls = polls + ${row.pollAfter ? 1 : 0}::int,
      received_on = case when ${isSuccess}::boolean then ${row.today}::date end,
      succeeded_at = case when ${isSuccess}::boolean then ${row.now}::timestamptz end,
      failed_at = case when ${isFailure}::boolean then ${row.now}::timestamptz else failed_at end, updated_at = ${row.now}
     where id = ${row.id} and status::text = any (${forward[row.status]}::text[])
    returning id`;
};

/** Asks again later; nothing else is known. */
export const pollLater = (id: string, at: Date, now: Date): Sql => sql`
  update payments set poll_after = ${at}, polls = polls + 1, updated_at = ${now}
   where id = ${id} and status in ('CREATED', 'AUTHORIZED', 'UNKNOWN') returning id`;

export type Place = { at: string; id: string };

/** Payments about which the gateway is to be asked, page by page. */
export const paymentsToPoll = (now: Date, after: Place | undefined, limit: number): Sql => sql`
  select id, to_char(poll_after at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at from payments
   where status in ('CREATED', 'AUTHORIZED', 'UNKNOWN') and poll_after <= ${now}
     and (poll_after, id) > (${after?.at ?? '1900-01-01T00:00:00Z'}::timestamptz, ${after?.id ?? ''})
   order by poll_after, id limit ${limit}`;
