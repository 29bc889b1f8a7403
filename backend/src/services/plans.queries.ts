import type { z } from 'zod';
import type { PlanStatus } from '../generated/prisma/enums.ts';
import { containing, orderBy, raw, sql, where, type Sql } from '../utils/sql.ts';
import type { listPlansQuery, planSortColumns } from '../validators/plans.validator.ts';
import { limitsShown } from './entitlements.queries.ts';

export type PlanFilter = z.output<typeof listPlansQuery>;

const isLive = raw(`s.status in ('TRIAL', 'ACTIVE', 'PAST_DUE', 'PAUSED')`);

const terms = sql`
  v.monthly_price::text as "monthlyPrice", v.annual_price::text as "annualPrice", v.trial_days as "trialDays",
  v.sac_code as "sacCode", v.features, ${limitsShown('v.limits', 'null')} as limits`;

/** Who has which version, for the rows of the page alone: the select list comes after sorting. */
const subscribersOfPlan = sql`
  (select jsonb_build_object('total', coalesce(sum(n.live), 0), 'byVersion',
            coalesce(jsonb_agg(jsonb_build_object('number', n.number, 'live', n.live) order by n.number), '[]'))
     from (select h.number, count(*) as live
             from subscriptions s join subscription_plan_versions h on h.id = s.plan_version_id
            where s.plan_id = p.id and ${isLive} group by h.number) n)`;

/** @param tenantId in whose space it is read: how many others have a plan is not told there */
const columns = (tenantId: string | null): Sql => sql`
  p.id, p.code, p.name, p.description, p.status, v.id as "planVersionId", v.number as "planVersionNumber", ${terms},
  ${tenantId === null ? subscribersOfPlan : sql`null`} as subscribers, p.version, p.created_at as "createdAt",
  p.updated_at as "updatedAt"`;

const plans = sql`
  subscription_plans p join subscription_plan_versions v on v.plan_id = p.id and v.number = p.current_number`;

/** A tenant sees what it can subscribe to, and what it has. */
const visibleTo = (tenantId: string | null): Sql | null =>
  tenantId === null
    ? null
    : sql`(p.status = 'ACTIVE' or exists (select from subscriptions s
            where s.plan_id = p.id and s.tenant_id = ${tenantId} and ${isLive}))`;

export const planById = (id: string, tenantId: string | null): Sql =>
  sql`select ${columns(tenantId)} from ${plans} ${where(sql`p.id = ${id}`, visibleTo(tenantId))}`;

export const planExists = (id: string, tenantId: string | null): Sql =>
  sql`select 1 from subscription_plans p ${where(sql`p.id = ${id}`, visibleTo(tenantId))}`;

const sortColumns: Record<(typeof planSortColumns)[number], string> = {
  createdAt: 'p.created_at',
  name: 'p.name',
  monthlyPrice: 'v.monthly_price',
};

export function planRows({ status, q, sort, order }: PlanFilter, tenantId: string | null): { rows: Sql; count: Sql } {
  const conditions = where(
    status && sql`p.status = ${status}::plan_status`,
    q && sql`lower(p.name || ' ' || p.code) like ${containing(q)}`,
    visibleTo(tenantId),
  );
  return {
    rows: sql`select ${columns(tenantId)} from ${plans} ${conditions} ${orderBy(sortColumns, sort, order, 'p.id')}`,
    count: sql`select count(*)::int as total from subscription_plans p ${conditions}`,
  };
}

export function versionRows(planId: string, order: 'asc' | 'desc', tenantId: string | null): { rows: Sql; count: Sql } {
  const live = sql`(select count(*)::int from subscriptions s where s.plan_version_id = v.id and ${isLive})`;
  return {
    rows: sql`
      select v.id, v.number, ${terms}, ${tenantId === null ? live : sql`null`} as subscribers, v.created_at as "createdAt",
             case when v.created_by is not null
                  then jsonb_build_object('id', coalesce(v.created_by_id, ''), 'name', v.created_by) end as "createdBy"
        from subscription_plan_versions v where v.plan_id = ${planId}
       ${orderBy({ number: 'v.number' }, 'number', order, 'v.id')}`,
    count: sql`select count(*)::int as total from subscription_plan_versions where plan_id = ${planId}`,
  };
}

export type LockedPlan = { id: string; status: PlanStatus; version: number; currentNumber: number };

export const lockPlan = (id: string): Sql => sql`
  select id, status, version, current_number as "currentNumber" from subscription_plans where id = ${id} for update`;
