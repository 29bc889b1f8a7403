import * as coupons from '../controllers/coupons.controller.ts';
import { pageOf } from '../utils/page.ts';
import * as v from '../validators/coupons.validator.ts';
import { endpoint, type Endpoint } from './endpoint.ts';

/** Discounts on subscriptions, before tax. */
export const revenueCouponsEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'get',
    path: '/coupons',
    operationId: 'listCoupons',
    summary: 'List coupons',
    description: 'With what they take off, and how often each was redeemed.',
    access: { permission: 'plans.read' },
    query: v.listCouponsQuery,
    response: pageOf(v.coupon),
    handler: coupons.listCoupons,
  }),
  endpoint({
    method: 'post',
    path: '/coupons',
    operationId: 'createCoupon',
    summary: 'Create a coupon',
    description:
      'A part of the price (PERCENT, with percent) or rupees an invoice (FIXED, with amount), once, for some months (REPEATING, with durationMonths) or forever. Its code is given once.',
    access: { permission: 'plans.manage' },
    body: v.createCouponBody,
    response: v.coupon,
    status: 201,
    audit: 'plans.coupon_create',
    errors: ['conflict', 'tenant_mismatch'],
    handler: coupons.createCoupon,
  }),
  endpoint({
    method: 'put',
    path: '/coupons/:id',
    operationId: 'updateCoupon',
    summary: 'Change a coupon',
    description:
      'Only the fields that are sent change. Once somebody has redeemed it, only its name, the last day and the number of redemptions change, the latter to no less than there were. With If-Match the change is refused when somebody else was faster.',
    access: { permission: 'plans.manage' },
    params: v.couponId,
    body: v.updateCouponBody,
    response: v.coupon,
    audit: 'plans.coupon_update',
    ifMatch: true,
    errors: ['conflict', 'tenant_mismatch'],
    handler: coupons.updateCoupon,
  }),
  endpoint({
    method: 'post',
    path: '/coupons/:id/deactivate',
    operationId: 'deactivateCoupon',
    summary: 'Deactivate a coupon',
    description:
      'Nobody redeems it any more; who has redeemed it keeps it. It cannot be activated again. Sent twice, it stays inactive.',
    access: { permission: 'plans.manage' },
    params: v.couponId,
    response: v.coupon,
    audit: 'plans.coupon_deactivate',
    errors: ['tenant_mismatch'],
    handler: coupons.deactivateCoupon,
  }),
];
