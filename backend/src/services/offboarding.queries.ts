import { sql, type Sql } from '../utils/sql.ts';

const offboardingColumns = sql`
  o.id, o.tenant_id as "tenantId", o.reason, o.status_before as "statusBefore",
  o.requested_by_id as "requestedById", o.requested_by_name as "requestedByName", o.requested_at as "requestedAt",
  o.grace_ends_at as "graceEndsAt", o.notice_sent_at as "noticeSentAt", o.cancelled_at as "cancelledAt",
  o.cancelled_by_name as "cancelledByName", o.purge_started_at as "purgeStartedAt", o.purged_at as "purgedAt",
  o.certificate, o.certificate_hash as "certificateHash"`;

/** A tenant whether or not it is purged, as far as off-boarding goes. */
export const leavingTenant = (id: string): Sql => sql`select id, status from tenants where id = ${id}`;

export const newestOffboarding = (tenantId: string): Sql => sql`
  select ${offboardingColumns} from offboardings o where o.tenant_id = ${tenantId} order by o.requested_at desc limit 1`;

export const openOffboarding = (tenantId: string): Sql => sql`
  select ${offboardingColumns} from offboardings o
   where o.tenant_id = ${tenantId} and o.cancelled_at is null and o.purged_at is null for update`;

export const holdInForce = (tenantId: string): Sql => sql`
  select id, reason, placed_by_id as "placedById", placed_by_name as "placedByName", placed_at as "placedAt",
         lifted_at as "liftedAt", lifted_by_name as "liftedByName", lift_reason as "liftReason"
    from legal_holds where tenant_id = ${tenantId} and lifted_at is null`;

export const newestHold = (tenantId: string): Sql => sql`
  select id, reason, placed_by_id as "placedById", placed_by_name as "placedByName", placed_at as "placedAt",
         lifted_at as "liftedAt", lifted_by_name as "liftedByName", lift_reason as "liftReason"
    from legal_holds where tenant_id = ${tenantId} order by placed_at desc, id desc limit 1`;

/**
 * Whether a tenant owes something, or money is on its way from or to it: its purge waits (rule 12). What was written off or
 * voided is owed no more.
 */
export const unsettled = (tenantId: Sql): Sql => sql`
  (exists (select from invoices i where i.tenant_id = ${tenantId} and i.status = 'OPEN')
   or exists (select from payments p
               where p.tenant_id = ${tenantId} and p.status in ('CREATED', 'AUTHORIZED', 'UNKNOWN'))
   or exists (select from refunds r where r.tenant_id = ${tenantId} and r.status = 'PENDING'))`;

/** What the purge of a tenant waits for. */
export const unsettledOf = (tenantId: string): Sql => sql`
  select (select count(*)::int from invoices where tenant_id = ${tenantId} and status = 'OPEN') as "openInvoices",
         (select coalesce(sum(amount_due), 0)::numeric(14, 2)::text from invoices
           where tenant_id = ${tenantId} and status = 'OPEN') as "amountDue",
         (select count(*)::int from payments
           where tenant_id = ${tenantId} and status in ('CREATED', 'AUTHORIZED', 'UNKNOWN')) as "paymentsUnderWay",
         (select count(*)::int from refunds where tenant_id = ${tenantId} and status = 'PENDING') as "refundsUnderWay"`;

const withoutHold = sql`
  o.cancelled_at is null and o.purged_at is null
  and not exists (select from legal_holds h where h.tenant_id = o.tenant_id and h.lifted_at is null)`;

/** Those whose owners are to be told now that the purge is near. */
export const dueNotices = (graceEndsBefore: Date, most: number): Sql => sql`
  select o.id, o.tenant_id as "tenantId" from offboardings o
   where o.grace_ends_at <= ${graceEndsBefore} and o.notice_sent_at is null and ${withoutHold}
   order by o.grace_ends_at limit ${most}`;

/** Those whose time has come: the grace is over, the notice is old enough, and nothing holds them. */
export const duePurges = (now: Date, noticeBefore: Date, after: string, most: number): Sql => sql`
  select o.id, o.tenant_id as "tenantId" from offboardings o
   where o.grace_ends_at <= ${now} and o.notice_sent_at <= ${noticeBefore} and ${withoutHold} and o.id > ${after}
   order by o.id limit ${most}`;

/** Owners who can be written to. */
export const ownersToTell = (tenantId: string, most: number): Sql => sql`
  select id from users
   where tenant_id = ${tenantId} and kind = 'OWNER' and status in ('ACTIVE', 'PENDING') and email is not null
     and deleted_at is null
   order by created_at, id limit ${most}`;
