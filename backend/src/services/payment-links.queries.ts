import type { InvoiceStatus, PaymentLinkStatus } from '../generated/prisma/enums.ts';
import { sql, type Sql } from '../utils/sql.ts';

export type LinkRow = {
  id: string;
  tenantId: string;
  invoiceId: string;
  gateway: string;
  gatewayLinkId: string;
  url: string;
  /** Rupees. */
  amount: string;
  status: PaymentLinkStatus;
  expiresAt: Date;
  createdAt: Date;
};

const columns = sql`
  l.id, l.tenant_id as "tenantId", l.invoice_id as "invoiceId", l.gateway, l.gateway_link_id as "gatewayLinkId", l.url,
  l.amount::text, l.status, l.expires_at as "expiresAt", l.created_at as "createdAt"`;

export const linkById = (id: string): Sql => sql`select ${columns} from payment_links l where l.id = ${id}`;

export const linkOfGateway = (gateway: string, gatewayLinkId: string): Sql => sql`
  select ${columns} from payment_links l where l.gateway_link_id = ${gatewayLinkId} and l.gateway = ${gateway}`;

/** All of an invoice, the newest first. */
export const linksOf = (invoiceId: string): Sql => sql`
  select ${columns} from payment_links l where l.invoice_id = ${invoiceId} order by l.created_at desc, l.id desc`;

export type PayableInvoice = {
  id: string;
  tenantId: string;
  number: string | null;
  status: InvoiceStatus;
  /** Rupees. */
  amountDue: string;
  buyer: { name: string; email: string; phone: string | null };
  /** A charge is under way. */
  isBeingPaid: boolean;
};

export const payableInvoice = (id: string): Sql => sql`
  select i.id, i.tenant_id as "tenantId", i.number, i.status, i.amount_due::text as "amountDue",
         jsonb_build_object('name', i.buyer_name, 'email', i.buyer ->> 'email', 'phone', i.buyer ->> 'phone') as buyer,
         exists (select from payments p where p.invoice_id = i.id and p.status in ('CREATED', 'AUTHORIZED', 'UNKNOWN')) as "isBeingPaid"
    from invoices i where i.id = ${id}`;

/** Links at which nobody has looked for a while, of invoices that are still to be paid: a webhook may be lost. */
export const linksToLookAt = (lookedBefore: Date, gateway: string, limit: number): Sql => sql`
  select l.id from invoices i join payment_links l on l.invoice_id = i.id
   where i.status = 'OPEN' and l.status = 'OPEN' and l.gateway = ${gateway} and l.updated_at <= ${lookedBefore}
   order by l.updated_at, l.id limit ${limit}`;

export const subscriptionOf = (invoiceId: string): Sql =>
  sql`select subscription_id as "subscriptionId" from invoices where id = ${invoiceId}`;
