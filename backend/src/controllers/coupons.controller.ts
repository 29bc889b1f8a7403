import type { z } from 'zod';
import * as coupons from '../services/coupons.service.ts';
import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import type * as v from '../validators/coupons.validator.ts';

type Of = { params: { id: string } };
type Body<Schema extends z.ZodType> = { body: z.output<Schema> };
type Query<Schema extends z.ZodType> = { query: z.output<Schema> };

export const listCoupons = (ctx: ReadContext<Actor>, { query }: Query<typeof v.listCouponsQuery>) =>
  coupons.listCoupons(ctx, query);

export const createCoupon = (ctx: WriteContext<Actor>, { body }: Body<typeof v.createCouponBody>) =>
  coupons.createCoupon(ctx, body);

export const updateCoupon = (
  ctx: WriteContext<Actor>,
  { params, body, ifMatch }: Of & Body<typeof v.updateCouponBody> & { ifMatch: number | undefined },
) => coupons.updateCoupon(ctx, params.id, body, ifMatch);

export const deactivateCoupon = (ctx: WriteContext<Actor>, { params }: Of) => coupons.deactivateCoupon(ctx, params.id);
