import type { BillingCycle, CollectionMethod, SubscriptionStatus } from '../generated/prisma/enums.ts';
import { raw, sql, type Sql } from '../utils/sql.ts';
import type { Limits } from '../config/entitlements.ts';
import type { HeldCoupon } from './coupon-discount.policy.ts';

// A subscription with everything that its price follows from, read at once. Days are text, in India; money is text.

export type HeldAddOn = {
  id: string;
  addOnId: string;
  name: string;
  sacCode: string;
  quantity: number;
  monthlyPrice: string;
  annualPrice: string;
  /** The first day without it. */
  endsOn: string | null;
};

export type SubscriptionRow = {
  id: string;
  tenantId: string;
  planId: string;
  planName: string;
  planVersionId: string;
  planVersionNumber: number;
  status: SubscriptionStatus;
  billingCycle: BillingCycle;
  collectionMethod: CollectionMethod;
  paymentMethodId: string | null;
  mrr: string;
  monthlyPrice: string;
  annualPrice: string;
  sacCode: string;
  limits: Limits;
  startedOn: string;
  trialEndsOn: string | null;
  anchorDay: number;
  currentPeriodStart: string;
  /** The day after the last of the period. */
  currentPeriodEnd: string;
  nextEventOn: string | null;
  cancelAtPeriodEnd: boolean;
  endedOn: string | null;
  pausedOn: string | null;
  resumeOn: string | null;
  version: number;
  addOns: HeldAddOn[];
  /** Those that were not removed. */
  coupons: (HeldCoupon & { couponId: string; durationMonths: number | null; addedOn: string })[];
  /** Whether the tenant has ever brought anything: what makes a movement a reactivation. */
  hadMrr: boolean;
};

const day = (column: string): Sql => raw(`to_char(${column}, 'YYYY-MM-DD')`);

const columns = sql`
  s.id, s.tenant_id as "tenantId", s.plan_id as "planId", p.name as "planName", s.plan_version_id as "planVersionId",
  v.number as "planVersionNumber", s.status, s.billing_cycle as "billingCycle", s.collection_method as "collectionMethod",
  s.payment_method_id as "paymentMethodId", s.mrr::text, v.monthly_price::text as "monthlyPrice",
  v.annual_price::text as "annualPrice", v.sac_code as "sacCode", v.limits, ${day('s.started_on')} as "startedOn",
  ${day('s.trial_ends_on')} as "trialEndsOn", s.anchor_day as "anchorDay",
  ${day('s.current_period_start')} as "currentPeriodStart", ${day('s.current_period_end')} as "currentPeriodEnd",
  ${day('s.next_event_on')} as "nextEventOn", s.cancel_at_period_end as "cancelAtPeriodEnd", ${day('s.ended_on')} as "endedOn",
  ${day('s.paused_on')} as "pausedOn", ${day('s.resume_on')} as "resumeOn", s.version,
  coalesce((select jsonb_agg(jsonb_build_object('id', a.id, 'addOnId', a.add_on_id, 'name', o.name, 'sacCode', o.sac_code,
              'quantity', a.quantity, 'monthlyPrice', a.monthly_price::text, 'annualPrice', a.annual_price::text,
              'endsOn', a.ends_on) order by a.created_at, a.id)
            from subscription_add_ons a join add_ons o on o.id = a.add_on_id
           where a.subscription_id = s.id and (a.ends_on is null or a.ends_on >= s.current_period_end)), '[]') as "addOns",
  coalesce((select jsonb_agg(jsonb_build_object('id', c.id, 'couponId', c.coupon_id, 'kind', c.kind, 'percent', c.percent::text,
              'amount', c.amount::text, 'duration', c.duration, 'durationMonths', c.duration_months, 'addedOn', c.added_on,
              'endsOn', c.ends_on, 'usedOnInvoice', c.used_on_invoice, 'removedOn', c.removed_on) order by c.created_at, c.id)
            from subscription_coupons c where c.subscription_id = s.id and c.removed_on is null), '[]') as coupons,
  exists (select from subscription_changes h where h.tenant_id = s.tenant_id and h.movement is not null) as "hadMrr"`;

const from = sql`
  from subscriptions s join subscription_plans p on p.id = s.plan_id
  join subscription_plan_versions v on v.id = s.plan_version_id`;

export const subscriptionRow = (id: string): Sql => sql`select ${columns} ${from} where s.id = ${id}`;

/**
 * Nobody else changes it until the end of the transaction. It is read after that, in a statement of its own: one that both
 * locks and joins would see what it joins as it was before it waited.
 */
export const lockSubscription = (id: string): Sql => sql`select id from subscriptions where id = ${id} for update`;

/** Several, by a condition on `s`. */
export const subscriptionRowsWhere = (condition: Sql): Sql => sql`select ${columns} ${from} where ${condition}`;

/** The live one of a tenant, if there is one. */
export const liveSubscriptionOf = (tenantId: string): Sql => sql`
  select ${columns} ${from}
   where s.tenant_id = ${tenantId} and s.status in ('TRIAL', 'ACTIVE', 'PAST_DUE', 'PAUSED')`;
