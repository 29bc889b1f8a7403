import { z } from 'zod';
import { CouponDuration, CouponKind, CouponStatus } from '../generated/prisma/enums.ts';
import { amount, day, money, search, text } from '../utils/fields.ts';
import { id } from '../utils/ids.ts';
import { pageQuery } from '../utils/page.ts';
import * as c from './catalogue.validator.ts';

export const couponId = z.strictObject({ id });

const code = z
  .string()
  .trim()
  .toUpperCase()
  .max(40)
  .regex(/^[A-Z0-9][A-Z0-9-]{2,39}$/, 'must have 3 to 40 letters, digits and -, and begin with none of the last')
  .meta({ description: 'What people type in; stored in capitals, never changes', example: 'DIWALI-2026' });
const name = text(80, 2).meta({ description: 'Name for people', example: 'Diwali offer' });
const kind = z.enum(CouponKind).meta({ description: 'Of what the discount is a part', example: 'PERCENT' });
const percent = c.percent('0.01').meta({ description: 'Of PERCENT: how much of the price, as text', example: '10.00' });
const fixed = amount()
  .refine((value) => Number(value) > 0, 'must be more than nothing')
  .meta({ description: 'Of FIXED: rupees an invoice before tax, as text', example: '250.00' });
const duration = z.enum(CouponDuration).meta({
  description: 'ONCE: the next invoice alone; REPEATING: so many months; FOREVER: as long as the subscription',
  example: 'REPEATING',
});
const durationMonths = z.number().int().min(1).max(60).meta({ description: 'Of REPEATING', example: 3 });
const planIds = z
  .array(id)
  .max(50)
  .refine((ids) => new Set(ids).size === ids.length, 'must name each plan once')
  .meta({ description: 'The plans for which it can be redeemed; empty: any', example: [] });
const maxRedemptions = z
  .number()
  .int()
  .min(1)
  .max(1_000_000)
  .nullable()
  .meta({ description: 'How often it can be redeemed by all together; null: without limit', example: 100 });
const redeemBy = day
  .nullable()
  .meta({ description: 'The last day in India on which it can be redeemed; null: none', example: '2026-12-31' });

/** What is taken off, for how long and of which plans: it stays as it is once somebody has redeemed the coupon. */
const discount = {
  kind,
  percent: percent.optional(),
  amount: fixed.optional(),
  duration,
  durationMonths: durationMonths.optional(),
};

type Discount = {
  kind: CouponKind;
  percent?: string | null | undefined;
  amount?: string | null | undefined;
  duration: CouponDuration;
  durationMonths?: number | null | undefined;
};

/** What does not fit together in a discount, by field. */
export function misfitsOf({
  kind: of,
  percent: share,
  amount: sum,
  duration: lasts,
  durationMonths: months,
}: Discount) {
  return [
    of === 'PERCENT' && !share && { field: 'percent', message: 'is missing: the kind is PERCENT' },
    of === 'PERCENT' && sum && { field: 'amount', message: 'goes with the kind FIXED' },
    of === 'FIXED' && !sum && { field: 'amount', message: 'is missing: the kind is FIXED' },
    of === 'FIXED' && share && { field: 'percent', message: 'goes with the kind PERCENT' },
    lasts === 'REPEATING' && !months && { field: 'durationMonths', message: 'is missing: the duration is REPEATING' },
    lasts !== 'REPEATING' && months && { field: 'durationMonths', message: 'goes with the duration REPEATING' },
  ].filter((misfit): misfit is { field: string; message: string } => Boolean(misfit));
}

const example = {
  name: 'Diwali offer',
  kind: 'PERCENT',
  percent: '10.00',
  duration: 'REPEATING',
  durationMonths: 3,
  planIds: [],
  maxRedemptions: 100,
  redeemBy: '2026-12-31',
};

export const createCouponBody = z
  .strictObject({
    code,
    name,
    ...discount,
    planIds: planIds.default([]),
    maxRedemptions: maxRedemptions.optional(),
    redeemBy: redeemBy.optional(),
  })
  .superRefine((body, check) => {
    for (const { field, message } of misfitsOf(body)) check.addIssue({ code: 'custom', path: [field], message });
  })
  .meta({ id: 'CreateCoupon', example: { code: 'DIWALI-2026', ...example } });

export const updateCouponBody = z
  .strictObject({ name, ...discount, planIds, maxRedemptions, redeemBy })
  .partial()
  .refine((body) => Object.keys(body).length > 0, 'give at least one field to change')
  .meta({ id: 'UpdateCoupon', example });

export const couponSortColumns = ['createdAt', 'code', 'name'] as const;
const status = z.enum(CouponStatus).meta({ description: 'INACTIVE: nobody can redeem it any more', example: 'ACTIVE' });
export const listCouponsQuery = pageQuery(couponSortColumns).extend({
  status: status.optional(),
  q: search.optional().meta({ description: 'Part of code or name', example: 'diwali' }),
});

export const coupon = z
  .object({
    id,
    code: z.string().meta({ example: 'DIWALI-2026' }),
    name: z.string().meta({ example: 'Diwali offer' }),
    kind,
    percent: c.percentView.nullable().meta({ description: 'Of PERCENT', example: '10.00' }),
    amount: money.nullable().meta({ description: 'Of FIXED: rupees an invoice before tax', example: null }),
    duration,
    durationMonths: z.number().int().nullable().meta({ description: 'Of REPEATING', example: 3 }),
    planIds: z.array(z.string()).meta({ description: 'For which it can be redeemed; empty: any', example: [] }),
    maxRedemptions: z.number().int().nullable().meta({ description: 'Null: without limit', example: 100 }),
    redeemedCount: z.number().int().meta({ description: 'How often it was redeemed', example: 17 }),
    redeemBy: z.string().nullable().meta({ description: 'The last day in India; null: none', example: '2026-12-31' }),
    status,
    ...c.stamps,
  })
  .meta({ id: 'Coupon' });
