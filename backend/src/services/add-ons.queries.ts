import type { z } from 'zod';
import { containing, orderBy, raw, sql, where, type Sql } from '../utils/sql.ts';
import type { addOnSortColumns, listAddOnsQuery } from '../validators/add-ons.validator.ts';
import { limitsShown } from './entitlements.queries.ts';

export type AddOnFilter = z.output<typeof listAddOnsQuery>;

/** In whose space, and on which day in India. */
export type Seen = { tenantId: string | null; today: string };

/** Who has an add-on now: until the day before the one on which it ends. */
const holders = (today: string): Sql => sql`
  from subscription_add_ons h join subscriptions s on s.id = h.subscription_id
 where h.add_on_id = a.id and (h.ends_on is null or h.ends_on > ${today}::date)
   and ${raw(`s.status in ('TRIAL', 'ACTIVE', 'PAST_DUE', 'PAUSED')`)}`;

const columns = ({ tenantId, today }: Seen): Sql => sql`
  a.id, a.code, a.name, a.description, a.status, a.monthly_price::text as "monthlyPrice",
  a.annual_price::text as "annualPrice", a.sac_code as "sacCode", ${limitsShown('a.limits', '0')} as limits,
  ${tenantId === null ? sql`(select count(distinct s.id)::int ${holders(today)})` : sql`null`} as subscribers,
  a.version, a.created_at as "createdAt", a.updated_at as "updatedAt"`;

/** A tenant sees what it can take, and what it has. */
const visibleTo = ({ tenantId, today }: Seen): Sql | null =>
  tenantId === null
    ? null
    : sql`(a.status = 'ACTIVE' or exists (select ${holders(today)} and h.tenant_id = ${tenantId}))`;

export const addOnById = (id: string, seen: Seen): Sql =>
  sql`select ${columns(seen)} from add_ons a ${where(sql`a.id = ${id}`, visibleTo(seen))}`;

const sortColumns: Record<(typeof addOnSortColumns)[number], string> = {
  createdAt: 'a.created_at',
  name: 'a.name',
  monthlyPrice: 'a.monthly_price',
};

export function addOnRows({ status, q, sort, order }: AddOnFilter, seen: Seen): { rows: Sql; count: Sql } {
  const conditions = where(
    status && sql`a.status = ${status}::plan_status`,
    q && sql`lower(a.name || ' ' || a.code) like ${containing(q)}`,
    visibleTo(seen),
  );
  return {
    rows: sql`select ${columns(seen)} from add_ons a ${conditions} ${orderBy(sortColumns, sort, order, 'a.id')}`,
    count: sql`select count(*)::int as total from add_ons a ${conditions}`,
  };
}

export const lockAddOn = (id: string): Sql => sql`select version from add_ons where id = ${id} for update`;
