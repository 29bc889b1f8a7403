import { entitlementNames, type Entitlement, type Limits } from '../config/entitlements.ts';
import { join, raw, sql, type Sql } from '../utils/sql.ts';

/** Every name with its limit, of a column that may lack some. @param otherwise JSON for those that it lacks */
export const limitsShown = (column: string, otherwise: 'null' | '0'): Sql =>
  raw(
    `jsonb_build_object(${entitlementNames.map((name) => `'${name}', coalesce(${column} -> '${name}', '${otherwise}')`).join(', ')})`,
  );

/** What a tenant's live subscription allows, and what there is. */
export type EntitlementFacts = {
  /** Of the version of the plan; null without a live subscription. */
  limits: Limits | null;
  /** Those that hold. */
  addOns: { quantity: number; limits: Limits }[];
  /** For the names that were asked for. */
  used: Partial<Record<Entitlement, number>>;
};

/** What there is of each, of the tenant `t`. */
const counted: Record<Entitlement, Sql> = {
  libraries: sql`select count(*) from libraries l where l.tenant_id = t.id`,
  seats: sql`select coalesce(sum(l.seat_count), 0) from libraries l where l.tenant_id = t.id`,
  students: sql`select count(*) from users u where u.tenant_id = t.id and u.kind = 'STUDENT' and u.deleted_at is null`,
  staff: sql`select count(*) from users u where u.tenant_id = t.id and u.kind = 'STAFF' and u.deleted_at is null`,
};

const usedOf = (names: readonly Entitlement[]): Sql =>
  names.length === 0
    ? sql`'{}'::jsonb`
    : sql`jsonb_build_object(${join(names.map((name) => sql`${raw(`'${name}'`)}, (${counted[name]})`))})`;

/** @param day in India: an add-on counts until the day before the one on which it ends */
export const entitlementFacts = (tenantId: string, day: string, names: readonly Entitlement[]): Sql => sql`
  select v.limits,
         coalesce((select jsonb_agg(jsonb_build_object('quantity', a.quantity, 'limits', o.limits))
                     from subscription_add_ons a join add_ons o on o.id = a.add_on_id
                    where a.subscription_id = s.id and (a.ends_on is null or a.ends_on > ${day}::date)), '[]') as "addOns",
         ${usedOf(names)} as used
    from (select ${tenantId}::text as id) t
    left join subscriptions s on s.tenant_id = t.id and s.status in ('TRIAL', 'ACTIVE', 'PAST_DUE', 'PAUSED')
    left join subscription_plan_versions v on v.id = s.plan_version_id`;

/** Two who add at once go one after the other, so that not both take the last place. */
export const lockEntitlement = (tenantId: string, name: Entitlement): Sql =>
  sql`select pg_advisory_xact_lock(hashtextextended('entitlement:' || ${name} || ':' || ${tenantId}, 0)) is null as locked`;
