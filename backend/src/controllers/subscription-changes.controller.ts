import type { z } from 'zod';
import * as addOns from '../services/subscription-add-ons.service.ts';
import * as cancellation from '../services/subscription-cancel.service.ts';
import * as changes from '../services/subscription-change.service.ts';
import * as coupons from '../services/subscription-coupons.service.ts';
import * as pauses from '../services/subscription-pause.service.ts';
import * as reactivation from '../services/subscription-reactivation.service.ts';
import * as trials from '../services/subscription-trial.service.ts';
import { billedView, getSubscription } from '../services/subscriptions.service.ts';
import type { Actor, WriteContext } from '../types/context.ts';
import type * as c from '../validators/subscription-changes.validator.ts';

type Of = { params: { id: string } };
type Body<Schema extends z.ZodType> = { body: z.output<Schema> };
type Write = WriteContext<Actor>;

export const previewChange = (ctx: Write, { params, body }: Of & Body<typeof c.previewChangeBody>) =>
  changes.previewChange(ctx, params.id, body);

export const changePlan = async (ctx: Write, { params, body }: Of & Body<typeof c.changeBody>) => {
  const { token, planId, billingCycle, when } = body;
  const order = token === undefined ? { planId: planId ?? '', billingCycle, when } : { token };
  return billedView(ctx, params.id, [await changes.changePlan(ctx, params.id, order)]);
};

export const unscheduleChange = async (ctx: Write, { params }: { params: { id: string; changeId: string } }) => {
  await changes.unscheduleChange(ctx, params.id, params.changeId);
  return getSubscription(ctx, params.id);
};

export const cancelSubscription = async (ctx: Write, { params, body }: Of & Body<typeof c.cancelBody>) => {
  await cancellation.cancelSubscription(ctx, params.id, body);
  return getSubscription(ctx, params.id);
};

export const uncancelSubscription = async (ctx: Write, { params }: Of) => {
  await cancellation.uncancelSubscription(ctx, params.id);
  return getSubscription(ctx, params.id);
};

export const pauseSubscription = async (ctx: Write, { params, body }: Of & Body<typeof c.pauseBody>) => {
  await pauses.pauseSubscription(ctx, params.id, body);
  return getSubscription(ctx, params.id);
};

export const resumeSubscription = async (ctx: Write, { params }: Of) => {
  await pauses.resumeSubscription(ctx, params.id);
  return getSubscription(ctx, params.id);
};

export const reactivateSubscription = async (ctx: Write, { params, body }: Of & Body<typeof c.reactivateBody>) =>
  billedView(ctx, params.id, [await reactivation.reactivateSubscription(ctx, params.id, body)]);

export const extendTrial = async (ctx: Write, { params, body }: Of & Body<typeof c.extendTrialBody>) => {
  await trials.extendTrial(ctx, params.id, body);
  return getSubscription(ctx, params.id);
};

export const addCoupon = async (ctx: Write, { params, body }: Of & Body<typeof c.addCouponBody>) => {
  await coupons.addCoupon(ctx, params.id, body.code);
  return getSubscription(ctx, params.id);
};

export const removeCoupon = async (ctx: Write, { params }: { params: { id: string; couponId: string } }) => {
  await coupons.removeCoupon(ctx, params.id, params.couponId);
  return getSubscription(ctx, params.id);
};

export const addAddOn = async (ctx: Write, { params, body }: Of & Body<typeof c.addAddOnBody>) =>
  billedView(ctx, params.id, [await addOns.addAddOn(ctx, params.id, body)]);

export const removeAddOn = async (ctx: Write, { params }: { params: { id: string; addOnId: string } }) => {
  await addOns.removeAddOn(ctx, params.id, params.addOnId);
  return getSubscription(ctx, params.id);
};
