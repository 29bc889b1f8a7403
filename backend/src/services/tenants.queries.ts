import type { z } from 'zod';
import { searching } from '../utils/search.ts';
import { orderBy, sql, where, type Sql } from '../utils/sql.ts';
import type {
  listTenantsQuery,
  listTenantUsersQuery,
  tenantSortColumns,
  userSortColumns,
} from '../validators/tenants.validator.ts';

export type TenantFilter = z.output<typeof listTenantsQuery>;
export type TenantUserFilter = z.output<typeof listTenantUsersQuery>;

const tenantColumns = sql`
  t.id, t.name, t.slug, t.email, t.phone, t.gstin, t.address_line as "addressLine", t.city, t.state, t.pincode,
  t.time_zone as "timeZone", t.status, t.trial_ends_at as "trialEndsAt", t.version,
  t.created_at as "createdAt", t.updated_at as "updatedAt",
  (select jsonb_build_object('id', u.id, 'name', u.name, 'email', u.email, 'status', u.status)
     from users u where u.tenant_id = t.id and u.kind = 'OWNER' and u.deleted_at is null order by u.created_at, u.id limit 1) as owner,
  (select jsonb_build_object('id', s.id, 'planId', s.plan_id, 'planName', p.name, 'status', s.status,
                             'billingCycle', s.billing_cycle, 'currentPeriodEnd', s.current_period_end)
     from subscriptions s join subscription_plans p on p.id = s.plan_id
    where s.tenant_id = t.id order by s.ended_on is null desc, s.created_at desc, s.id desc limit 1) as subscription`;

export const tenantById = (id: string): Sql =>
  sql`select ${tenantColumns} from tenants t where t.id = ${id} and t.status <> 'PURGED'`;

/** Whether there is such a tenant within the scope. */
export const tenantExists = (id: string): Sql => sql`select 1 from tenants where id = ${id} and status <> 'PURGED'`;

const sortColumns: Record<(typeof tenantSortColumns)[number], string> = {
  createdAt: 't.created_at',
  name: 't.name',
  status: 't.status',
  city: 't.city',
  trialEndsAt: 't.trial_ends_at',
};

/** One after the other they are found by the index over the plan, and there is one for each tenant at most. */
const subscribedTo = (planId: string): Sql => sql`
  t.id in (select s.tenant_id from subscriptions s
            where s.plan_id = ${planId} and s.status in ('TRIAL', 'ACTIVE', 'PAST_DUE', 'PAUSED'))`;

const matching = ({ status, city, state, plan, createdFrom, createdTo, q }: TenantFilter): Sql =>
  where(
    status ? sql`t.status = ${status}::tenant_status` : sql`t.status <> 'PURGED'`,
    city && sql`lower(t.city) = ${city.toLowerCase()}`,
    state && sql`t.state = ${state}`,
    plan && subscribedTo(plan),
    createdFrom && sql`t.created_at >= ${createdFrom}`,
    createdTo && sql`t.created_at < ${createdTo}`,
    q && searching(sql`app.tenant_search_text(t.name, t.slug, t.email, t.phone, t.gstin)`, q),
  );

/**
 * Owner and subscription are looked up in the select list, which comes after sorting: one look-up for each row up to the
 * end of the page. In a join it would be one for each row that matches.
 */
export const tenantRows = (filter: TenantFilter): { rows: Sql; count: Sql } => ({
  rows: sql`select ${tenantColumns} from tenants t ${matching(filter)} ${orderBy(sortColumns, filter.sort, filter.order, 't.id')}`,
  count: sql`select count(*)::int as total from tenants t ${matching(filter)}`,
});

const userSort: Record<(typeof userSortColumns)[number], string> = { createdAt: 'u.created_at', name: 'u.name' };

export function tenantUserRows(
  tenantId: string,
  { kind, status, q, sort, order }: TenantUserFilter,
): { rows: Sql; count: Sql } {
  const conditions = where(
    sql`u.tenant_id = ${tenantId} and u.deleted_at is null`,
    kind && sql`u.kind = ${kind}::person_kind`,
    status && sql`u.status = ${status}::user_status`,
    q && searching(sql`u.search_text`, q),
  );
  return {
    rows: sql`select u.id, u.name, u.email, u.phone, u.kind, u.status, u.last_login_at as "lastLoginAt", u.created_at as "createdAt"
                from users u ${conditions} ${orderBy(userSort, sort, order, 'u.id')}`,
    count: sql`select count(*)::int as total from users u ${conditions}`,
  };
}

export const transitionRows = (tenantId: string, order: 'asc' | 'desc'): { rows: Sql; count: Sql } => ({
  rows: sql`select id, "from", "to", reason, created_at as "createdAt",
                   case when actor_id is not null then jsonb_build_object('id', actor_id, 'name', actor_name) end as actor
              from tenant_transitions where tenant_id = ${tenantId} ${orderBy({ createdAt: 'created_at' }, 'createdAt', order, 'id')}`,
  count: sql`select count(*)::int as total from tenant_transitions where tenant_id = ${tenantId}`,
});

export const lockTenant = (id: string): Sql =>
  sql`select id, status, trial_ends_at as "trialEndsAt", version from tenants where id = ${id} and status <> 'PURGED' for update`;
