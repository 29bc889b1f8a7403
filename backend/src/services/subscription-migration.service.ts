import type { z } from 'zod';
import type { Actor, ManualContext, WriteContext } from '../types/context.ts';
import { dayInIndia } from '../utils/india-time.ts';
import { rupees, ZERO, type Decimal } from '../utils/money.ts';
import { join, sql, type Sql } from '../utils/sql.ts';
import type { migratePlanBody, planMigration } from '../validators/subscription-changes.validator.ts';
import { changeSubscription, currentMrr, lockedSubscription } from './subscription-history.service.ts';
import { addOnsOn } from './subscription-invoice.policy.ts';
import { offerColumnsOf, offerOf, onOffer, type Offer } from './subscription-offer.service.ts';
import { subscriptionRowsWhere, type SubscriptionRow } from './subscription-row.queries.ts';
import { dropUnfitCoupons, scheduleChange } from './subscription-schedule.service.ts';

// Moves the subscribers of a plan to another version or plan (rule 20). Whoever is there already does not match: a run that
// died is just begun again.

type Order = z.output<typeof migratePlanBody>;
type View = z.input<typeof planMigration>;

const BATCH = 100;
/** What one call moves: a request does not last for ever. */
const MOST_AT_ONCE = 1_000;
const SHOWN = 50;

/** Those that run and are not where they are to go, nor on their way there or elsewhere by their own wish. */
function matching({ fromPlanVersionId, fromPlanId, at }: Order, offer: Offer): Sql {
  const from = fromPlanVersionId ? sql`s.plan_version_id = ${fromPlanVersionId}` : sql`s.plan_id = ${fromPlanId ?? ''}`;
  const waiting = sql`
    not exists (select from subscription_scheduled_changes c where c.subscription_id = s.id and c.status = 'PENDING')`;
  return sql`
    s.status in ('TRIAL', 'ACTIVE', 'PAST_DUE', 'PAUSED') and ${from} and s.plan_version_id <> ${offer.planVersionId}
    and not s.cancel_at_period_end and ${at === 'PERIOD_END' ? waiting : sql`true`}`;
}

/**
 * Shows what a migration would do to the MRR, or does it: at once without proration, the new price with the next period; or
 * each with the end of its period.
 * @throws AppError not_found for the plan to go to; conflict where it is archived
 */
export async function migratePlan(ctx: ManualContext<Actor>, order: Order): Promise<View> {
  const offer = await offerOf(ctx, order.toPlanId);
  const preview = await previewOf(ctx, order, offer);
  if (order.dryRun) return { dryRun: true, ...preview, migrated: 0, remaining: preview.matching };
  let migrated = 0;
  for (let after = ''; migrated < MOST_AT_ONCE;) {
    const batch = await ctx.sql.many<{ id: string }>(
      sql`select s.id from subscriptions s where ${matching(order, offer)} and s.id > ${after} order by s.id limit ${BATCH}`,
    );
    migrated += await ctx.transact((tx) =>
      migrateBatch(
        tx,
        order,
        offer,
        batch.map(({ id }) => id),
      ),
    );
    after = batch.at(-1)?.id ?? '';
    if (batch.length < BATCH) break;
  }
  return { dryRun: false, ...preview, migrated, remaining: Math.max(0, preview.matching - migrated) };
}

type Preview = Omit<View, 'dryRun' | 'migrated' | 'remaining'>;

async function previewOf(ctx: ManualContext<Actor>, order: Order, offer: Offer): Promise<Preview> {
  const sums = { matching: 0, before: ZERO, after: ZERO };
  const shown: View['subscriptions'] = [];
  type Named = SubscriptionRow & { tenantName: string };
  for (let after = ''; ;) {
    const rows = await ctx.sql.many<Named>(sql`
      select r.*, t.name as "tenantName" from (${subscriptionRowsWhere(
        sql`${matching(order, offer)} and s.id > ${after} order by s.id limit ${BATCH}`,
      )}) r join tenants t on t.id = r."tenantId" order by r.id`);
    const unfit = await unfitAmong(ctx, rows, offer);
    for (const row of rows) {
      const coupons = row.coupons.filter((coupon) => !unfit.has(coupon.id));
      const { on, mrr } = afterMigration({ ...row, coupons }, order, offer, dayInIndia(ctx.now));
      sums.matching += 1;
      sums.before = sums.before.plus(row.mrr);
      sums.after = sums.after.plus(mrr);
      if (shown.length < SHOWN) shown.push(shownOf(row, on, mrr));
    }
    const last = rows.at(-1);
    if (!last || rows.length < BATCH) break;
    after = last.id;
  }
  const { planId, planName, planVersionId } = offer;
  return {
    to: { planId, planName, planVersionId },
    matching: sums.matching,
    mrrBefore: rupees(sums.before),
    mrrAfter: rupees(sums.after),
    subscriptions: shown,
  };
}

/** Coupons that do not go along to the plan. */
async function unfitAmong(
  ctx: ManualContext<Actor>,
  rows: readonly SubscriptionRow[],
  { planId }: Offer,
): Promise<Set<string>> {
  const held = rows.flatMap(({ coupons }) => coupons.map(({ id }) => id));
  if (held.length === 0) return new Set();
  const unfit = await ctx.sql.many<{ id: string }>(sql`
    select c.id from subscription_coupons c join coupons k on k.id = c.coupon_id
     where c.id in (${join(held)}) and cardinality(k.plan_ids) > 0 and not ${planId} = any (k.plan_ids)`);
  return new Set(unfit.map(({ id }) => id));
}

const shownOf = (row: SubscriptionRow & { tenantName: string }, on: string, mrr: Decimal) => ({
  id: row.id,
  tenantId: row.tenantId,
  tenantName: row.tenantName,
  status: row.status,
  billingCycle: row.billingCycle,
  mrrBefore: row.mrr,
  mrrAfter: rupees(mrr),
  on,
});

function afterMigration(
  row: SubscriptionRow,
  { at }: Order,
  offer: Offer,
  today: string,
): { on: string; mrr: Decimal } {
  const on = at === 'PERIOD_END' ? row.currentPeriodEnd : today;
  const moved = onOffer(row, offer, row.billingCycle);
  return { on, mrr: currentMrr({ ...moved, addOns: addOnsOn(moved, on) }, on) };
}

/** Each is locked and looked at again: another call may have been faster. @returns how many were moved */
async function migrateBatch(ctx: WriteContext, order: Order, offer: Offer, ids: readonly string[]): Promise<number> {
  let moved = 0;
  for (const id of ids) {
    const row = await lockedSubscription(ctx, id);
    const still = await ctx.sql.one(
      sql`select 1 from subscriptions s where s.id = ${id} and ${matching(order, offer)}`,
    );
    if (!still) continue;
    await (order.at === 'PERIOD_END' ? scheduleOne(ctx, row, offer) : migrateOne(ctx, row, offer));
    moved += 1;
  }
  return moved;
}

async function migrateOne(ctx: WriteContext, row: SubscriptionRow, offer: Offer): Promise<void> {
  const on = dayInIndia(ctx.now);
  await dropUnfitCoupons(ctx, row.id, offer.planId, on);
  await changeSubscription(ctx, row, offerColumnsOf(offer, row.billingCycle), {
    type: 'PLAN_MIGRATED',
    effectiveOn: on,
    details: { from: row.planVersionId, to: offer.planVersionId },
  });
}

async function scheduleOne(ctx: WriteContext, row: SubscriptionRow, offer: Offer): Promise<void> {
  const scheduledChangeId = await scheduleChange(ctx, row, offer, row.billingCycle);
  await changeSubscription(
    ctx,
    row,
    {},
    {
      type: 'CHANGE_SCHEDULED',
      effectiveOn: dayInIndia(ctx.now),
      details: { scheduledChangeId, planVersionId: offer.planVersionId, migration: true, on: row.currentPeriodEnd },
    },
  );
}
