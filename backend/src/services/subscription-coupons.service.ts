import type { CouponDuration, CouponKind, CouponStatus } from '../generated/prisma/enums.ts';
import type { WriteContext } from '../types/context.ts';
import { AppError, orNotFound } from '../utils/errors.ts';
import { dateColumn } from '../utils/india-day.ts';
import { dayInIndia } from '../utils/india-time.ts';
import { sql, type Sql } from '../utils/sql.ts';
import { changeSubscription } from './subscription-history.service.ts';
import { upToDateSubscription } from './subscription-renewal.service.ts';
import type { SubscriptionRow } from './subscription-row.queries.ts';
import { isLive } from './subscription-status.policy.ts';

type CouponRow = {
  id: string;
  code: string;
  kind: CouponKind;
  percent: string | null;
  amount: string | null;
  duration: CouponDuration;
  durationMonths: number | null;
  planIds: string[];
  status: CouponStatus;
  redeemBy: string | null;
  usedUp: boolean;
  /** By this tenant, whether it holds still or not. */
  redeemed: boolean;
};

const couponByCode = (code: string, tenantId: string): Sql => sql`
  select k.id, k.code, k.kind, k.percent::text, k.amount::text, k.duration, k.duration_months as "durationMonths",
         k.plan_ids as "planIds", k.status, to_char(k.redeem_by, 'YYYY-MM-DD') as "redeemBy",
         coalesce(k.redeemed_count >= k.max_redemptions, false) as "usedUp",
         exists (select from subscription_coupons c where c.tenant_id = ${tenantId} and c.coupon_id = k.id) as redeemed
    from coupons k where k.code = upper(${code})`;

type Holder = Pick<SubscriptionRow, 'id' | 'tenantId' | 'planId' | 'planName'>;

/**
 * Redeems a coupon for a subscription, once for each tenant, and never more often than it is given: of two who want the
 * last one, one gets it. The subscription is locked by the caller, or new.
 * @throws AppError not_found for a code that there is not; conflict that says why it cannot be redeemed
 */
export async function redeemCoupon(ctx: WriteContext, holder: Holder, code: string): Promise<CouponRow> {
  const coupon = orNotFound(await ctx.sql.one<CouponRow>(couponByCode(code, holder.tenantId)), 'coupon');
  const today = dayInIndia(ctx.now);
  const why = whyNot(coupon, holder, today);
  if (why) throw new AppError('conflict', why);
  const [counted] = await ctx.sql.many<{ counted: boolean }>(
    sql`select app.redeem_coupon(${coupon.id}, ${today}::date) as counted`,
  );
  if (!counted?.counted) throw new AppError('conflict', `The coupon ${coupon.code} was just used up.`);
  await ctx.db.subscriptionCoupon.create({
    data: {
      tenantId: holder.tenantId,
      subscriptionId: holder.id,
      couponId: coupon.id,
      kind: coupon.kind,
      percent: coupon.percent,
      amount: coupon.amount,
      duration: coupon.duration,
      durationMonths: coupon.durationMonths,
      addedOn: dateColumn(today),
      createdAt: ctx.now,
    },
    select: { id: true },
  });
  return coupon;
}

function whyNot(coupon: CouponRow, { planId, planName }: Holder, today: string): string | undefined {
  const { code, redeemBy } = coupon;
  if (coupon.redeemed) return `The coupon ${code} was redeemed already: each library can do so once.`;
  if (coupon.status === 'INACTIVE') return `The coupon ${code} is not given any more.`;
  if (redeemBy !== null && redeemBy < today) return `The coupon ${code} could be redeemed until ${redeemBy}.`;
  if (coupon.usedUp) return `The coupon ${code} is used up.`;
  if (coupon.planIds.length > 0 && !coupon.planIds.includes(planId))
    return `The coupon ${code} is not for ${planName}.`;
  return undefined;
}

/** Redeems a coupon for a subscription that runs. @throws AppError as `redeemCoupon`; conflict for one that has ended */
export async function addCoupon(ctx: WriteContext, id: string, code: string): Promise<SubscriptionRow> {
  const row = await upToDateSubscription(ctx, id);
  if (!isLive(row.status)) throw new AppError('conflict', `The subscription is ${row.status}. Reactivate it first.`);
  const coupon = await redeemCoupon(ctx, row, code);
  return changeSubscription(
    ctx,
    row,
    {},
    {
      type: 'COUPON_ADDED',
      effectiveOn: dayInIndia(ctx.now),
      details: { couponId: coupon.id, code: coupon.code },
    },
  );
}

/** Takes a coupon off; it stays redeemed. @throws AppError not_found where the subscription does not hold it */
export async function removeCoupon(ctx: WriteContext, id: string, couponId: string): Promise<SubscriptionRow> {
  const row = await upToDateSubscription(ctx, id);
  const held = orNotFound(
    row.coupons.find((coupon) => coupon.couponId === couponId),
    'coupon of this subscription',
  );
  const today = dayInIndia(ctx.now);
  await ctx.db.subscriptionCoupon.update({
    where: { id: held.id },
    data: { removedOn: dateColumn(today) },
    select: { id: true },
  });
  return changeSubscription(ctx, row, {}, { type: 'COUPON_REMOVED', effectiveOn: today, details: { couponId } });
}
