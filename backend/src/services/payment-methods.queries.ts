import type { PaymentMethodKind, PaymentMethodStatus } from '../generated/prisma/enums.ts';
import { orderBy, sql, where, type Sql } from '../utils/sql.ts';

export type PaymentMethodFilter = {
  tenantId?: string | undefined;
  status?: PaymentMethodStatus | undefined;
  sort: 'createdAt';
  order: 'asc' | 'desc';
};

const columns = sql`
  m.id, m.tenant_id as "tenantId", m.kind, m.status, m.label, m.brand, m.last4, m.vpa, m.expiry_month as "expiryMonth",
  m.expiry_year as "expiryYear", m.mandate_max_amount::text as "mandateMaxAmount", m.is_default as "isDefault",
  m.checkout_url as "checkoutUrl", m.version, m.created_at as "createdAt", m.updated_at as "updatedAt"`;

export const methodById = (id: string): Sql => sql`select ${columns} from payment_methods m where m.id = ${id}`;

/** Those that were removed are shown only to who asks for them. */
const matching = ({ tenantId, status }: PaymentMethodFilter): Sql =>
  where(
    tenantId && sql`m.tenant_id = ${tenantId}`,
    status ? sql`m.status = ${status}::payment_method_status` : sql`m.status <> 'REMOVED'`,
  );

export const methodRows = (filter: PaymentMethodFilter): { rows: Sql; count: Sql } => ({
  rows: sql`select ${columns} from payment_methods m ${matching(filter)} ${orderBy({ createdAt: 'm.created_at' }, filter.sort, filter.order, 'm.id')}`,
  count: sql`select count(*)::int as total from payment_methods m ${matching(filter)}`,
});

/** Whose method it is to be, and as whom the gateway knows them. */
export type Payer = { name: string; email: string; phone: string | null; gatewayCustomerId: string | null };

/** The customer of another gateway than this one is none. */
export const payerOf = (tenantId: string, gateway: string): Sql => sql`
  select coalesce(p.legal_name, t.name) as name, coalesce(p.email, t.email) as email, t.phone,
         case when not exists (select from payment_methods m where m.tenant_id = t.id and m.gateway <> ${gateway}
                                  and m.gateway_customer_id = a.gateway_customer_id)
              then a.gateway_customer_id end as "gatewayCustomerId"
    from tenants t left join billing_profiles p on p.tenant_id = t.id left join billing_accounts a on a.tenant_id = t.id
   where t.id = ${tenantId} and t.status <> 'PURGED'`;

/** Invoices are due, are charged by themselves, and there is nothing else to charge them to. */
export const isNeeded = (tenantId: string, exceptId: string): Sql => sql`
  select 1 where not exists (
      select from payment_methods where tenant_id = ${tenantId} and status = 'ACTIVE' and id <> ${exceptId})
    and exists (
      select from subscriptions s join invoices i on i.subscription_id = s.id and i.status = 'OPEN' and i.amount_due > 0
       where s.tenant_id = ${tenantId} and s.status in ('TRIAL', 'ACTIVE', 'PAST_DUE', 'PAUSED')
         and s.collection_method = 'AUTOMATIC')`;

export type MandateRow = {
  id: string;
  tenantId: string;
  kind: PaymentMethodKind;
  status: PaymentMethodStatus;
  gateway: string;
  gatewayCustomerId: string;
  gatewayTokenId: string | null;
  gatewayOrderId: string | null;
};

const mandate = (condition: Sql): Sql => sql`
  select m.id, m.tenant_id as "tenantId", m.kind, m.status, m.gateway, m.gateway_customer_id as "gatewayCustomerId",
         m.gateway_token_id as "gatewayTokenId", m.gateway_order_id as "gatewayOrderId"
    from payment_methods m where ${condition}`;

export const mandateById = (id: string): Sql => mandate(sql`m.id = ${id}`);
export const mandateOfOrder = (gateway: string, orderId: string): Sql =>
  mandate(sql`m.gateway_order_id = ${orderId} and m.gateway = ${gateway}`);
export const mandateOfToken = (gateway: string, tokenId: string): Sql =>
  mandate(sql`m.gateway_token_id = ${tokenId} and m.gateway = ${gateway}`);

/** Payers who were sent to the gateway not long ago, and of whom nothing was heard. */
export const pendingMandates = (since: Date, gateway: string, limit: number): Sql => sql`
  select id from payment_methods
   where status = 'PENDING' and created_at > ${since} and gateway = ${gateway} order by created_at, id limit ${limit}`;
