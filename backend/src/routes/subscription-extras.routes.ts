import * as changes from '../controllers/subscription-changes.controller.ts';
import * as c from '../validators/subscription-changes.validator.ts';
import * as v from '../validators/subscriptions.validator.ts';
import { endpoint } from './endpoint.ts';

const own = { permission: 'subscriptions.update', tenant: 'own' } as const;

/** What a subscription has beside its plan. */
export const subscriptionExtrasEndpoints = [
  endpoint({
    method: 'post',
    path: '/:id/coupons',
    operationId: 'redeemCoupon',
    summary: 'Redeem a coupon',
    description:
      'Once for each tenant. From the next invoice on; the answer to one that cannot be redeemed says why. Nobody carries it to a plan that it is not for.',
    access: own,
    params: v.subscriptionId,
    body: c.addCouponBody,
    response: v.subscription,
    // Codes are short: nobody shall find one by trying.
    rateLimit: { points: 30, seconds: 60 },
    audit: 'subscriptions.coupon_add',
    errors: ['conflict'],
    handler: changes.addCoupon,
  }),
  endpoint({
    method: 'delete',
    path: '/:id/coupons/:couponId',
    operationId: 'removeCoupon',
    summary: 'Take a coupon off a subscription',
    description: 'From the next invoice on. It stays redeemed.',
    access: own,
    params: v.subscriptionCouponId,
    response: v.subscription,
    audit: 'subscriptions.coupon_remove',
    handler: changes.removeCoupon,
  }),
  endpoint({
    method: 'post',
    path: '/:id/add-ons',
    operationId: 'takeAddOn',
    summary: 'Take an add-on',
    description:
      'The rest of the period is invoiced at once; in a trial nothing is. One that was given up and is still there is kept, free of charge, when as many are taken. A library needs a payment method for what is charged by itself. Sent twice with the same key it is taken once.',
    access: own,
    params: v.subscriptionId,
    body: c.addAddOnBody,
    response: v.billedSubscription,
    idempotency: 'required',
    audit: 'subscriptions.add_on_add',
    errors: ['conflict'],
    handler: changes.addAddOn,
  }),
  endpoint({
    method: 'delete',
    path: '/:id/add-ons/:addOnId',
    operationId: 'giveUpAddOn',
    summary: 'Give up an add-on',
    description: 'With the end of the period: it is paid for until then.',
    access: own,
    params: v.subscriptionAddOnId,
    response: v.subscription,
    audit: 'subscriptions.add_on_remove',
    errors: ['conflict'],
    handler: changes.removeAddOn,
  }),
];
