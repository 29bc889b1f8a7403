import { z } from 'zod';
import { entitlementNames } from '../config/entitlements.ts';
import {
  BillingCycle,
  CollectionMethod,
  CouponDuration,
  CouponKind,
  InvoiceStatus,
  PaymentMethodStatus,
  SubscriptionStatus,
} from '../generated/prisma/enums.ts';
import { day, isoDate, money, text } from '../utils/fields.ts';
import { id } from '../utils/ids.ts';
import { pageQuery } from '../utils/page.ts';
import { listInvoicesQuery } from './invoices.validator.ts';

export const subscriptionId = z.strictObject({ id });
export const subscriptionCouponId = z.strictObject({ id, couponId: id });
export const subscriptionAddOnId = z.strictObject({ id, addOnId: id });

export const status = z.enum(SubscriptionStatus).meta({
  description: 'PAST_DUE: an invoice could not be collected; EXPIRED: the trial ended without a way to pay',
  example: 'ACTIVE',
});
export const billingCycle = z.enum(BillingCycle).meta({ description: 'How long a period is', example: 'MONTHLY' });
export const collectionMethod = z.enum(CollectionMethod).meta({
  description: 'AUTOMATIC: charged to the payment method; SEND_INVOICE: sent, and paid by link or transfer',
  example: 'AUTOMATIC',
});
export const reason = text(500, 5).meta({
  description: 'Why; it is kept in the history',
  example: 'The library closes for the summer',
});
const yesOrNo = z.enum(['true', 'false']).transform((value) => value === 'true');

export const quantity = z.number().int().min(1).max(1000).meta({ description: 'How many of it', example: 2 });
export const couponCode = text(40, 2).meta({
  description: 'Code of a coupon, whatever its case',
  example: 'WELCOME10',
});
const MOST_ADD_ONS = 20;
const addOnOrder = z.strictObject({ addOnId: id, quantity: quantity.default(1) });

export const createSubscriptionBody = z
  .strictObject({
    tenantId: id.meta({ description: 'Who subscribes' }),
    planId: id.meta({ description: 'What to; its current version is pinned' }),
    billingCycle,
    trialDays: z.number().int().min(0).max(365).optional().meta({
      description: 'Days before the first period that is paid; default: those of the plan',
      example: 14,
    }),
    collectionMethod: collectionMethod.default('AUTOMATIC'),
    paymentMethodId: id.optional().meta({ description: 'Default: the default one of the tenant' }),
    couponCode: couponCode.optional(),
    addOns: z
      .array(addOnOrder)
      .max(MOST_ADD_ONS)
      .default([])
      .refine((all) => new Set(all.map(({ addOnId }) => addOnId)).size === all.length, 'must name each add-on once'),
  })
  .meta({ id: 'CreateSubscription' });

export const updateSubscriptionBody = z.strictObject({ collectionMethod }).meta({ id: 'UpdateSubscription' });
export const paymentMethodBody = z
  .strictObject({ paymentMethodId: id.meta({ description: 'One of the same tenant that can be charged' }) })
  .meta({ id: 'SetSubscriptionPaymentMethod' });

export const subscriptionSortColumns = ['createdAt', 'currentPeriodEnd', 'trialEndsOn', 'mrr'] as const;
export const listSubscriptionsQuery = pageQuery(subscriptionSortColumns).extend({
  tenantId: id.optional().meta({ description: 'Of this tenant' }),
  status: status.optional(),
  planId: id.optional().meta({ description: 'On this plan, whatever version' }),
  billingCycle: billingCycle.optional(),
  collectionMethod: collectionMethod.optional(),
  cancelAtPeriodEnd: yesOrNo
    .optional()
    .meta({ description: 'Those that end with their period, or all others', example: 'true' }),
  periodEndFrom: day.optional().meta({ description: 'Whose period ends on this day in India or later' }),
  periodEndTo: day.optional().meta({ description: 'Whose period ends on this day in India or earlier' }),
});

export const expiringQuery = pageQuery(['endsOn'])
  .omit({ sort: true, order: true })
  .extend({
    days: z.coerce
      .number()
      .int()
      .min(1)
      .max(366)
      .default(14)
      .meta({ description: 'Within so many days from today', example: 14 }),
  });

export const invoicesOfQuery = listInvoicesQuery.omit({ tenantId: true, subscriptionId: true });

const plan = z.object({ id, code: z.string(), name: z.string(), versionId: id, version: z.number().int() }).meta({
  description: 'With the version that is pinned',
  example: {
    id: 'cm3k8v1x40000qp2h9d7f5a6b',
    code: 'growth',
    name: 'Growth',
    versionId: 'cm3k8v1x40000qp2h9d7f5a6c',
    version: 1,
  },
});

const heldAddOn = z.object({
  id,
  addOnId: id,
  name: z.string().meta({ example: 'Second library' }),
  quantity: z.number().int().meta({ example: 1 }),
  price: money.meta({
    description: 'Of one for a period, without tax, as it was when it was taken',
    example: '499.00',
  }),
  addedOn: day,
  endsOn: day.nullable().meta({ description: 'Given up: the first day without it', example: null }),
});

const heldCoupon = z.object({
  id,
  couponId: id,
  code: z.string().meta({ example: 'WELCOME10' }),
  kind: z.enum(CouponKind).meta({ example: 'PERCENT' }),
  percent: z.string().nullable().meta({ example: '10.00' }),
  amount: money.nullable().meta({ description: 'Of FIXED, off each invoice', example: null }),
  duration: z.enum(CouponDuration).meta({ example: 'FOREVER' }),
  addedOn: day,
  endsOn: day.nullable().meta({ description: 'The first day on which it no longer holds', example: null }),
  holds: z.boolean().meta({ description: 'Whether the next invoice has it', example: true }),
});

const scheduledChange = z
  .object({
    id,
    planId: id,
    planName: z.string().meta({ example: 'Starter' }),
    planVersionId: id,
    billingCycle,
    effectiveOn: day,
    requestedBy: z.string().nullable().meta({ example: 'Meera Sharma' }),
  })
  .nullable()
  .meta({ description: 'What waits for the end of the period' });

const subscriptionFields = z.object({
  id,
  tenant: z
    .object({ id, name: z.string() })
    .meta({ example: { id: 'cm3k8v1x40000qp2h9d7f5a6b', name: 'Saraswati Reading Hall' } }),
  plan,
  status,
  billingCycle,
  collectionMethod,
  paymentMethod: z
    .object({ id, label: z.string().nullable(), status: z.enum(PaymentMethodStatus) })
    .nullable()
    .meta({
      description: 'Its own; null: the default one of the tenant',
      example: { id: 'cm3k8v1x40000qp2h9d7f5a6b', label: 'Visa 4242', status: 'ACTIVE' },
    }),
  price: money.meta({ description: 'Of the plan for one period, without tax and before discounts' }),
  mrr: money.meta({ description: 'What it brings in a month, without tax: 0 while it brings nothing' }),
  startedOn: day,
  trialEndsOn: day.nullable().meta({ description: 'The first day after the trial' }),
  currentPeriodStart: day,
  currentPeriodEnd: day.meta({ description: 'The day after the last of the period', example: '2026-09-11' }),
  nextEventOn: day.nullable().meta({
    description: 'When it is renewed, ends or goes on by itself; null: never',
    example: '2026-09-11',
  }),
  cancelAtPeriodEnd: z.boolean().meta({ example: false }),
  cancelledAt: isoDate.nullable(),
  cancelReason: z.string().nullable().meta({ example: null }),
  endedOn: day.nullable().meta({ description: 'The first day without it', example: null }),
  pausedOn: day.nullable().meta({ example: null }),
  resumeOn: day.nullable().meta({ description: 'When a pause ends by itself', example: null }),
  addOns: z.array(heldAddOn),
  coupons: z.array(heldCoupon).meta({ description: 'Those that were not taken off' }),
  scheduledChange,
  version: z.number().int().meta({ description: 'Send it back as If-Match when you change it', example: 1 }),
  createdAt: isoDate,
  updatedAt: isoDate,
});

export const subscription = subscriptionFields.meta({ id: 'Subscription' });

/** After what may have made invoices. */
export const billedSubscription = subscriptionFields
  .extend({
    invoices: z
      .array(
        z.object({
          id,
          number: z.string().meta({ example: 'SS/26-27/000001' }),
          status: z.enum(InvoiceStatus).meta({ example: 'OPEN' }),
          total: money,
          amountDue: money,
        }),
      )
      .meta({ description: 'Those that this has made' }),
  })
  .meta({ id: 'BilledSubscription' });

export const expiringSubscription = z
  .object({
    id,
    tenant: subscriptionFields.shape.tenant,
    plan,
    status,
    billingCycle,
    mrr: money,
    why: z
      .enum(['TRIAL', 'CANCELLED'])
      .meta({ description: 'What ends: a trial, or what was cancelled', example: 'TRIAL' }),
    endsOn: day,
    goesOn: z
      .boolean()
      .meta({ description: 'Of a trial: whether somebody can be charged, so that it goes on', example: false }),
  })
  .meta({ id: 'ExpiringSubscription' });

export const subscriptionEntitlements = z
  .object({
    subscriptionId: id,
    entitlements: z.array(
      z.object({
        name: z.enum(entitlementNames).meta({ example: 'seats' }),
        description: z.string().meta({ example: 'Seats of all libraries together' }),
        limit: z.number().int().nullable().meta({ description: 'Null: without limit', example: 200 }),
        used: z.number().int().meta({ example: 120 }),
        left: z.number().int().nullable().meta({ example: 80 }),
      }),
    ),
  })
  .meta({ id: 'SubscriptionEntitlements' });

const count = z.number().int().meta({ example: 12 });
export const subscriptionAnalytics = z
  .object({
    byStatus: z.array(z.object({ status, subscriptions: count, mrr: money })),
    byPlan: z
      .array(
        z.object({ planId: id, planName: z.string().meta({ example: 'Growth' }), subscriptions: count, mrr: money }),
      )
      .meta({ description: 'Of those that run, the largest MRR first' }),
    byCycle: z.array(z.object({ billingCycle, subscriptions: count, mrr: money })),
    trials: z.object({
      running: count,
      converted: count.meta({ description: 'Went on as paid ones' }),
      expired: count.meta({ description: 'Ended without a way to pay' }),
      cancelled: count,
      conversion: z.number().nullable().meta({
        description: 'Of those that are over the part that went on, 0 to 1; null: none is over',
        example: 0.62,
      }),
    }),
  })
  .meta({ id: 'SubscriptionAnalytics' });
