import type { z } from 'zod';
import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import { AppError, assertVersion, invalidField, orNotFound } from '../utils/errors.ts';
import { dateColumn } from '../utils/india-day.ts';
import { page } from '../utils/page.ts';
import {
  misfitsOf,
  type coupon,
  type createCouponBody,
  type updateCouponBody,
} from '../validators/coupons.validator.ts';
import * as queries from './coupons.queries.ts';
import { assertOutsideTenants } from './platform-space.policy.ts';

type CouponView = z.input<typeof coupon>;
type Changes = z.output<typeof updateCouponBody>;

export const listCoupons = (ctx: ReadContext, filter: queries.CouponFilter) =>
  page<CouponView>(ctx, filter, queries.couponRows(filter));

const getCoupon = async (ctx: Pick<ReadContext, 'sql'>, id: string): Promise<CouponView> =>
  orNotFound(await ctx.sql.one<CouponView>(queries.couponById(id)), 'coupon');

/** @throws AppError conflict when its code is taken; validation_failed for a plan that is not there */
export async function createCoupon(
  ctx: WriteContext<Actor>,
  body: z.output<typeof createCouponBody>,
): Promise<CouponView> {
  assertOutsideTenants(ctx);
  await assertPlansThere(ctx, body.planIds);
  const data = { ...body, redeemBy: columnOf(body.redeemBy), createdAt: ctx.now };
  const { id } = await ctx.db.coupon.create({ data, select: { id: true } });
  ctx.audit({ resource: 'coupon', resourceId: id, after: body });
  return getCoupon(ctx, id);
}

/**
 * Changes what is given. Once somebody has redeemed it, what it takes off stays as it is, and it is not given less often
 * than it was.
 * @param seenVersion from If-Match: refused when somebody has changed it since
 * @throws AppError not_found, version_mismatch; conflict where it was redeemed; validation_failed for a discount whose
 *   parts do not fit, and for a plan that is not there
 */
export async function updateCoupon(
  ctx: WriteContext<Actor>,
  id: string,
  changes: Changes,
  seenVersion?: number,
): Promise<CouponView> {
  const before = await couponToChange(ctx, id);
  assertVersion(seenVersion, before.version, 'coupon');
  const { name, redeemBy, maxRedemptions, planIds, ...discount } = changes;
  assertNotBelow(before, maxRedemptions);
  assertDiscountMayChange(before, { planIds, ...discount });
  if (planIds) await assertPlansThere(ctx, planIds);
  const data = { name, maxRedemptions, planIds, redeemBy: columnOf(redeemBy), ...discountAfter(before, discount) };
  await ctx.db.coupon.update({ where: { id }, data: { ...data, version: { increment: 1 } }, select: { id: true } });
  ctx.audit({ resource: 'coupon', resourceId: id, before, after: changes });
  return getCoupon(ctx, id);
}

/**
 * Nobody redeems it any more; who has redeemed it keeps it. One that is inactive already stays so.
 * @throws AppError not_found
 */
export async function deactivateCoupon(ctx: WriteContext<Actor>, id: string): Promise<CouponView> {
  const before = await couponToChange(ctx, id);
  if (before.status === 'INACTIVE') return before;
  const status = 'INACTIVE' as const;
  await ctx.db.coupon.update({ where: { id }, data: { status, version: { increment: 1 } }, select: { id: true } });
  const details = { redeemedCount: before.redeemedCount };
  ctx.audit({ resource: 'coupon', resourceId: id, before: { status: before.status }, after: { status }, details });
  return getCoupon(ctx, id);
}

async function couponToChange(ctx: WriteContext<Actor>, id: string): Promise<CouponView> {
  if (ctx.tenantId !== null) {
    await getCoupon(ctx, id);
    assertOutsideTenants(ctx);
  }
  return orNotFound(await ctx.sql.one<CouponView>(queries.lockCoupon(id)), 'coupon');
}

async function assertPlansThere(ctx: WriteContext, planIds: readonly string[]): Promise<void> {
  if (planIds.length === 0) return;
  const counted = await ctx.sql.one<{ found: number }>(queries.plansNamed(planIds));
  if (counted?.found !== planIds.length) throw invalidField('planIds', 'name a plan that is not there');
}

function assertNotBelow({ redeemedCount }: CouponView, maxRedemptions: number | null | undefined): void {
  if (maxRedemptions === null || maxRedemptions === undefined || maxRedemptions >= redeemedCount) return;
  const issues = [{ in: 'body' as const, field: 'maxRedemptions', message: `must be ${redeemedCount} or more` }];
  const told = `The coupon was redeemed ${redeemedCount} times: maxRedemptions cannot be less.`;
  throw new AppError('conflict', told, { field: 'maxRedemptions', issues, redeemedCount });
}

function assertDiscountMayChange(before: CouponView, wanted: Partial<CouponView> | Changes): void {
  if (before.redeemedCount === 0) return;
  const fixed = ['kind', 'percent', 'amount', 'duration', 'durationMonths', 'planIds'] as const;
  const changed = fixed.filter((field) => {
    const value = wanted[field];
    return value !== undefined && JSON.stringify(value) !== JSON.stringify(before[field]);
  });
  if (changed.length === 0) return;
  const message = 'cannot change once the coupon was redeemed';
  const issues = changed.map((field) => ({ in: 'body' as const, field, message }));
  const told = `The coupon was redeemed: ${changed.join(', ')} cannot change. Deactivate it and create another one.`;
  throw new AppError('conflict', told, { field: changed[0], issues, redeemedCount: before.redeemedCount });
}

/** The whole discount: with another kind or duration, what belonged to the one before goes. */
function discountAfter(before: CouponView, wanted: Omit<Changes, 'name' | 'redeemBy' | 'maxRedemptions' | 'planIds'>) {
  const kind = wanted.kind ?? before.kind;
  const duration = wanted.duration ?? before.duration;
  const kept = {
    percent: kind === 'PERCENT' ? before.percent : null,
    amount: kind === 'FIXED' ? before.amount : null,
    durationMonths: duration === 'REPEATING' ? before.durationMonths : null,
  };
  const discount = { ...kept, ...wanted, kind, duration };
  const [misfit] = misfitsOf(discount);
  if (misfit) throw invalidField(misfit.field, misfit.message);
  return discount;
}

const columnOf = (day: string | null | undefined) => (typeof day === 'string' ? dateColumn(day) : day);
