import type { z } from 'zod';
import { containing, join, orderBy, sql, where, type Sql } from '../utils/sql.ts';
import type { couponSortColumns, listCouponsQuery } from '../validators/coupons.validator.ts';

export type CouponFilter = z.output<typeof listCouponsQuery>;

const columns = sql`
  c.id, c.code, c.name, c.kind, c.percent::text, c.amount::text, c.duration, c.duration_months as "durationMonths",
  c.plan_ids as "planIds", c.max_redemptions as "maxRedemptions", c.redeemed_count as "redeemedCount",
  to_char(c.redeem_by, 'YYYY-MM-DD') as "redeemBy", c.status, c.version, c.created_at as "createdAt",
  c.updated_at as "updatedAt"`;

export const couponById = (id: string): Sql => sql`select ${columns} from coupons c where c.id = ${id}`;

/** The coupon, which nobody redeems or changes until the end of the transaction. */
export const lockCoupon = (id: string): Sql => sql`${couponById(id)} for update of c`;

const sortColumns: Record<(typeof couponSortColumns)[number], string> = {
  createdAt: 'c.created_at',
  code: 'c.code',
  name: 'c.name',
};

export function couponRows({ status, q, sort, order }: CouponFilter): { rows: Sql; count: Sql } {
  const conditions = where(
    status && sql`c.status = ${status}::coupon_status`,
    q && sql`lower(c.code || ' ' || c.name) like ${containing(q)}`,
  );
  return {
    rows: sql`select ${columns} from coupons c ${conditions} ${orderBy(sortColumns, sort, order, 'c.id')}`,
    count: sql`select count(*)::int as total from coupons c ${conditions}`,
  };
}

/** @param ids at least one */
export const plansNamed = (ids: readonly string[]): Sql =>
  sql`select count(*)::int as found from subscription_plans where id in (${join([...ids])})`;
