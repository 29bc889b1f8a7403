import type { z } from 'zod';
import { orderBy, raw, sql, where, type Sql } from '../utils/sql.ts';
import type {
  expiringQuery,
  listSubscriptionsQuery,
  subscriptionSortColumns,
} from '../validators/subscriptions.validator.ts';

export type SubscriptionFilter = z.output<typeof listSubscriptionsQuery>;
export type ExpiringFilter = z.output<typeof expiringQuery>;

const day = (column: string): Sql => raw(`to_char(${column}, 'YYYY-MM-DD')`);
const plan = sql`
  jsonb_build_object('id', p.id, 'code', p.code, 'name', p.name, 'versionId', v.id, 'version', v.number) as plan`;
const tenant = sql`
  (select jsonb_build_object('id', t.id, 'name', t.name) from tenants t where t.id = s.tenant_id) as tenant`;
const joined = sql`
  from subscriptions s join subscription_plans p on p.id = s.plan_id
  join subscription_plan_versions v on v.id = s.plan_version_id`;

const addOns = sql`
  coalesce((select jsonb_agg(jsonb_build_object('id', a.id, 'addOnId', a.add_on_id, 'name', o.name, 'quantity', a.quantity,
                     'price', (case s.billing_cycle when 'ANNUAL' then a.annual_price else a.monthly_price end)::text,
                     'addedOn', a.added_on, 'endsOn', a.ends_on) order by a.created_at, a.id)
              from subscription_add_ons a join add_ons o on o.id = a.add_on_id
             where a.subscription_id = s.id and (a.ends_on is null or a.ends_on >= s.current_period_end)), '[]') as "addOns"`;

/** Whether the next invoice has a coupon is seen by its day, as `couponHolds` sees it. */
const coupons = sql`
  coalesce((select jsonb_agg(jsonb_build_object('id', c.id, 'couponId', c.coupon_id, 'code', k.code, 'kind', c.kind,
                     'percent', c.percent::text, 'amount', c.amount::text, 'duration', c.duration, 'addedOn', c.added_on,
                     'endsOn', c.ends_on, 'holds', (c.ends_on is null or c.ends_on > s.current_period_end)
                       and not (c.duration = 'ONCE' and c.used_on_invoice is not null)) order by c.created_at, c.id)
              from subscription_coupons c join coupons k on k.id = c.coupon_id
             where c.subscription_id = s.id and c.removed_on is null), '[]') as coupons`;

const scheduledChange = sql`
  (select jsonb_build_object('id', c.id, 'planId', cp.id, 'planName', cp.name, 'planVersionId', cv.id,
                             'billingCycle', c.billing_cycle, 'effectiveOn', c.effective_on, 'requestedBy', c.requested_by)
     from subscription_scheduled_changes c join subscription_plan_versions cv on cv.id = c.plan_version_id
     join subscription_plans cp on cp.id = cv.plan_id
    where c.subscription_id = s.id and c.status = 'PENDING') as "scheduledChange"`;

const paymentMethod = sql`
  (select jsonb_build_object('id', m.id, 'label', m.label, 'status', m.status)
     from payment_methods m where m.id = s.payment_method_id) as "paymentMethod"`;

const columns = sql`
  s.id, ${tenant}, ${plan}, s.status, s.billing_cycle as "billingCycle", s.collection_method as "collectionMethod",
  ${paymentMethod}, (case s.billing_cycle when 'ANNUAL' then v.annual_price else v.monthly_price end)::text as price,
  s.mrr::text, ${day('s.started_on')} as "startedOn", ${day('s.trial_ends_on')} as "trialEndsOn",
  ${day('s.current_period_start')} as "currentPeriodStart", ${day('s.current_period_end')} as "currentPeriodEnd",
  ${day('s.next_event_on')} as "nextEventOn", s.cancel_at_period_end as "cancelAtPeriodEnd",
  s.cancelled_at as "cancelledAt", s.cancel_reason as "cancelReason", ${day('s.ended_on')} as "endedOn",
  ${day('s.paused_on')} as "pausedOn", ${day('s.resume_on')} as "resumeOn", ${addOns}, ${coupons}, ${scheduledChange},
  s.version, s.created_at as "createdAt", s.updated_at as "updatedAt"`;

export const subscriptionById = (id: string): Sql => sql`select ${columns} ${joined} where s.id = ${id}`;

/** Whether there is such a subscription within the scope. */
export const subscriptionExists = (id: string): Sql => sql`select 1 from subscriptions where id = ${id}`;

const sortColumns: Record<(typeof subscriptionSortColumns)[number], string> = {
  createdAt: 's.created_at',
  currentPeriodEnd: 's.current_period_end',
  trialEndsOn: 's.trial_ends_on',
  mrr: 's.mrr',
};

const matching = (filter: SubscriptionFilter): Sql =>
  where(
    filter.tenantId && sql`s.tenant_id = ${filter.tenantId}`,
    filter.status && sql`s.status = ${filter.status}::subscription_status`,
    filter.planId && sql`s.plan_id = ${filter.planId}`,
    filter.billingCycle && sql`s.billing_cycle = ${filter.billingCycle}::billing_cycle`,
    filter.collectionMethod && sql`s.collection_method = ${filter.collectionMethod}::collection_method`,
    filter.cancelAtPeriodEnd !== undefined && sql`s.cancel_at_period_end = ${filter.cancelAtPeriodEnd}::boolean`,
    filter.periodEndFrom && sql`s.current_period_end >= ${filter.periodEndFrom}::date`,
    filter.periodEndTo && sql`s.current_period_end <= ${filter.periodEndTo}::date`,
  );

/** What belongs to one is looked up in the select list, which comes after sorting: for the rows of the page alone. */
export const subscriptionRows = (filter: SubscriptionFilter): { rows: Sql; count: Sql } => ({
  rows: sql`select ${columns} ${joined} ${matching(filter)} ${orderBy(sortColumns, filter.sort, filter.order, 's.id')}`,
  count: sql`select count(*)::int as total from subscriptions s ${matching(filter)}`,
});

/** Trials, and what was cancelled, that end by a day; what should have ended already comes first. */
export function expiringRows(by: string): { rows: Sql; count: Sql } {
  const ending = where(sql`s.next_event_on <= ${by}::date`, sql`(s.status = 'TRIAL' or s.cancel_at_period_end)`);
  return {
    rows: sql`
      select s.id, ${tenant}, ${plan}, s.status, s.billing_cycle as "billingCycle", s.mrr::text,
             case when s.cancel_at_period_end then 'CANCELLED' else 'TRIAL' end as why,
             ${day('s.next_event_on')} as "endsOn",
             not s.cancel_at_period_end and (s.collection_method = 'SEND_INVOICE' or exists (
               select from payment_methods m where m.tenant_id = s.tenant_id and m.status = 'ACTIVE'
                  and (m.id = s.payment_method_id or m.is_default))) as "goesOn"
        ${joined} ${ending} order by s.next_event_on, s.id`,
    count: sql`select count(*)::int as total from subscriptions s ${ending}`,
  };
}

const runs = sql`s.status in ('TRIAL', 'ACTIVE', 'PAST_DUE', 'PAUSED')`;
const figures = sql`count(*)::int as subscriptions, coalesce(sum(s.mrr), 0)::numeric(14, 2)::text as mrr`;

export const countsByStatus = (): Sql =>
  sql`select s.status, ${figures} from subscriptions s group by s.status order by s.status`;

export const countsByPlan = (): Sql => sql`
  select p.id as "planId", p.name as "planName", ${figures}
    from subscriptions s join subscription_plans p on p.id = s.plan_id where ${runs}
   group by p.id order by sum(s.mrr) desc, p.name`;

export const countsByCycle = (): Sql => sql`
  select s.billing_cycle as "billingCycle", ${figures} from subscriptions s where ${runs}
   group by s.billing_cycle order by s.billing_cycle`;

export type TrialCounts = { running: number; converted: number; expired: number; cancelled: number };

/** What became of trials, whatever came after that. */
export const trialCounts = (): Sql => sql`
  select count(*) filter (where s.status = 'TRIAL')::int as running,
         count(*) filter (where e.type = 'TRIAL_ENDED')::int as converted,
         count(*) filter (where e.type = 'TRIAL_EXPIRED')::int as expired,
         count(*) filter (where e.type = 'CANCELLED')::int as cancelled
    from subscriptions s
    left join lateral (
      select h.type from subscription_changes h
       where h.subscription_id = s.id and h.from_status = 'TRIAL' and h.to_status <> 'TRIAL' limit 1) e on s.status <> 'TRIAL'
   where s.trial_ends_on is not null`;
