import { z } from 'zod';
import { InvoiceItemKind, MrrMovement, SubscriptionChangeType } from '../generated/prisma/enums.ts';
import { day, isoDate, money, text } from '../utils/fields.ts';
import { id } from '../utils/ids.ts';
import { cursor, pageQuery } from '../utils/page.ts';
import { billingCycle, quantity, reason, status } from './subscriptions.validator.ts';

export const scheduledChangeId = z.strictObject({ id, changeId: id });

const when = z.enum(['NOW', 'PERIOD_END']).meta({
  description: 'Default: NOW for what costs as much or more, PERIOD_END for what costs less',
  example: 'NOW',
});
const planId = id.meta({ description: 'The plan to change to, in its current version' });

export const previewChangeBody = z
  .strictObject({ planId, billingCycle: billingCycle.optional(), when: when.optional() })
  .meta({ id: 'PreviewSubscriptionChange' });

export const changeBody = z
  .strictObject({
    token: z.string().max(2000).optional().meta({ description: 'Of a preview: exactly that change is made' }),
    planId: planId.optional(),
    billingCycle: billingCycle.optional(),
    when: when.optional(),
  })
  .refine(({ token, planId: plan }) => (token === undefined) !== (plan === undefined), {
    message: 'must be given, or a token instead of it',
    path: ['planId'],
  })
  .refine(({ token, billingCycle: cycle, when: then }) => token === undefined || (cycle ?? then) === undefined, {
    message: 'says all of the change: leave out billingCycle and when',
    path: ['token'],
  })
  .meta({ id: 'ChangeSubscription', example: { planId: 'cm3k8v1x40000qp2h9d7f5a6b', when: 'NOW' } });

export const changePreview = z
  .object({
    kind: z.enum(['UPGRADE', 'DOWNGRADE', 'SAME']).meta({
      description: 'Whether it costs more, less or the same for a whole period',
      example: 'UPGRADE',
    }),
    when,
    on: day.meta({ description: 'The day from which it holds' }),
    planId: id,
    planName: z.string().meta({ example: 'Growth' }),
    planVersionId: id,
    billingCycle,
    proration: z
      .object({
        days: z.number().int().meta({ description: 'Of the period that are left, today included', example: 21 }),
        daysInPeriod: z.number().int().meta({ example: 31 }),
        credit: money.meta({ description: 'Back for what is given up', example: '676.74' }),
        charge: money.meta({ description: 'For what comes instead', example: '1692.87' }),
        net: money.meta({ example: '1016.13' }),
      })
      .nullable()
      .meta({ description: 'Without tax; null where nothing is charged: at the end of the period, and in a trial' }),
    taxable: money.meta({ example: '1016.13' }),
    cgst: money.meta({ example: '0.00' }),
    sgst: money.meta({ example: '0.00' }),
    igst: money.meta({ example: '182.90' }),
    total: money.meta({ description: 'To be paid at once, to the paisa', example: '1199.03' }),
    mrrBefore: money.meta({ example: '999.00' }),
    mrrAfter: money,
    token: z.string().meta({
      description: 'Freezes this: send it with POST /:id/change until `expiresAt`',
      example: 'eyJzdWJzY3JpcHRpb25JZCI6ImNtM2s4djF4In0.c2lnbmF0dXJl',
    }),
    expiresAt: isoDate,
  })
  .meta({ id: 'SubscriptionChangePreview' });

const at = z
  .enum(['NOW', 'PERIOD_END'])
  .meta({ description: 'At once, or with what is paid for', example: 'PERIOD_END' });
export const cancelBody = z.strictObject({ at, reason }).meta({ id: 'CancelSubscription' });
export const pauseBody = z
  .strictObject({
    resumeOn: day.optional().meta({ description: 'When it goes on by itself; without it somebody resumes it' }),
    reason: reason.optional(),
  })
  .meta({ id: 'PauseSubscription' });
export const reactivateBody = z
  .strictObject({
    planId: id.optional().meta({ description: 'Default: the plan that it was on' }),
    billingCycle: billingCycle.optional(),
  })
  .meta({ id: 'ReactivateSubscription' });
export const extendTrialBody = z
  .strictObject({
    days: z.number().int().min(1).max(90).meta({ description: 'So many more', example: 7 }),
    reason: reason.optional(),
  })
  .meta({ id: 'ExtendTrial' });
export const addCouponBody = z
  .strictObject({
    code: text(40, 2).meta({ description: 'Code of a coupon, whatever its case', example: 'WELCOME10' }),
  })
  .meta({ id: 'RedeemCoupon' });
export const addAddOnBody = z.strictObject({ addOnId: id, quantity: quantity.default(1) }).meta({ id: 'TakeAddOn' });

export const listChangesQuery = pageQuery(['createdAt']).omit({ sort: true });
export const changeType = z
  .enum(SubscriptionChangeType)
  .meta({ description: 'What happened', example: 'PLAN_CHANGED' });
const actor = z
  .object({ id: z.string(), name: z.string().nullable() })
  .nullable()
  .meta({
    description: 'Null when the system did it',
    example: { id: 'cm3k8v1x40000qp2h9d7f5a6b', name: 'Asha Menon' },
  });

export const subscriptionChange = z
  .object({
    id,
    type: changeType,
    fromStatus: status.nullable(),
    toStatus: status,
    fromPlan: z.string().nullable().meta({ description: 'Name and version', example: 'Starter, version 1' }),
    toPlan: z.string().meta({ example: 'Growth, version 1' }),
    fromCycle: billingCycle.nullable(),
    toCycle: billingCycle,
    effectiveOn: day,
    mrrBefore: money,
    mrrAfter: money,
    movement: z
      .enum(MrrMovement)
      .nullable()
      .meta({ description: 'What that did to the MRR; null: nothing', example: 'EXPANSION' }),
    invoice: z
      .object({ id, number: z.string().nullable() })
      .nullable()
      .meta({ example: { id: 'cm3k8v1x40000qp2h9d7f5a6b', number: 'SS/26-27/000001' } }),
    reason: z.string().nullable().meta({ example: null }),
    actor,
    createdAt: isoDate,
  })
  .meta({ id: 'SubscriptionChange' });

export const upcomingInvoice = z
  .object({
    reason: z.enum(['SUBSCRIPTION_CREATE', 'SUBSCRIPTION_CYCLE']).meta({ example: 'SUBSCRIPTION_CYCLE' }),
    on: day.meta({ description: 'When it is issued' }),
    period: z
      .object({ start: day, end: day.meta({ description: 'The day after the last', example: '2026-09-11' }) })
      .meta({ description: 'What it is for' }),
    lines: z.array(
      z.object({
        kind: z.enum(InvoiceItemKind).meta({ example: 'PLAN' }),
        description: z.string().meta({ example: 'Growth (monthly), 11 Aug 2026 to 10 Sep 2026' }),
        sacCode: z.string().meta({ example: '997331' }),
        quantity: z.string().meta({ example: '1' }),
        unitPrice: money,
        amount: money,
        discount: money.meta({ example: '0.00' }),
        taxable: money,
        taxRate: z.string().meta({ description: 'Percent', example: '18.00' }),
        total: money,
      }),
    ),
    subtotal: money,
    discountTotal: money,
    taxable: money,
    cgst: money,
    sgst: money,
    igst: money,
    roundOff: money,
    total: money,
    creditBalance: money.meta({ description: 'What the tenant has to its credit: it is used first', example: '0.00' }),
    amountDue: money.meta({ description: 'What would be left to be paid' }),
  })
  .meta({ id: 'UpcomingInvoice' });

export const subscriptionTimelineSources = ['CHANGE', 'INVOICE', 'PAYMENT'] as const;
const source = z.enum(subscriptionTimelineSources).meta({ description: 'What it comes from', example: 'CHANGE' });
export const timelineQuery = pageQuery(['createdAt'])
  .omit({ sort: true, order: true, page: true })
  .extend({ cursor: cursor.optional(), source: source.optional() });
export const subscriptionTimelineEvent = z
  .object({
    id,
    source,
    what: z.string().meta({
      description: 'The kind of change, the reason of the invoice, or the way of the payment',
      example: 'RENEWED',
    }),
    state: z.string().nullable().meta({ description: 'Of an invoice or payment', example: null }),
    text: z.string().nullable().meta({ description: 'Reason, number or failure', example: null }),
    amount: money.nullable().meta({ description: 'Of an invoice or payment', example: null }),
    actor: actor,
    createdAt: isoDate,
  })
  .meta({ id: 'SubscriptionTimelineEvent' });

const versionOrPlan = { message: 'must be given, or fromPlanId instead of it', path: ['fromPlanVersionId'] };
export const migratePlanBody = z
  .strictObject({
    fromPlanVersionId: id.optional().meta({ description: 'Those on this version' }),
    fromPlanId: id.optional().meta({ description: 'Those on any version of this plan' }),
    toPlanId: id.meta({ description: 'To the current version of this plan' }),
    at: z.enum(['NOW_WITHOUT_PRORATION', 'PERIOD_END']).meta({
      description: 'At once, billed with the next period; or each with the end of its period',
      example: 'PERIOD_END',
    }),
    dryRun: z
      .boolean()
      .default(true)
      .meta({ description: 'Whether it is only shown what would happen', example: true }),
  })
  .refine((body) => (body.fromPlanVersionId === undefined) !== (body.fromPlanId === undefined), versionOrPlan)
  .meta({
    id: 'MigratePlan',
    example: { fromPlanId: 'cm3k8v1x40000qp2h9d7f5a6b', toPlanId: 'cm3k8v1x40000qp2h9d7f5a6c', at: 'PERIOD_END' },
  });

export const planMigration = z
  .object({
    dryRun: z.boolean().meta({ example: true }),
    to: z.object({ planId: id, planName: z.string().meta({ example: 'Growth' }), planVersionId: id }),
    matching: z.number().int().meta({ description: 'Those that are not there yet', example: 120 }),
    migrated: z.number().int().meta({ description: 'That were moved now, or their change scheduled', example: 0 }),
    remaining: z.number().int().meta({ description: 'Left for another call', example: 120 }),
    mrrBefore: money.meta({ description: 'Of those that match' }),
    mrrAfter: money,
    subscriptions: z
      .array(
        z.object({
          id,
          tenantId: id,
          tenantName: z.string(),
          status,
          billingCycle,
          mrrBefore: money,
          mrrAfter: money,
          on: day,
        }),
      )
      .meta({
        description: 'The first fifty',
        example: [
          {
            id: 'cm3k8v1x40000qp2h9d7f5a6b',
            tenantId: 'cm3k8v1x40000qp2h9d7f5a6c',
            tenantName: 'Saraswati Reading Hall',
            status: 'ACTIVE',
            billingCycle: 'MONTHLY',
            mrrBefore: '999.00',
            mrrAfter: '1199.00',
            on: '2026-09-11',
          },
        ],
      }),
  })
  .meta({ id: 'PlanMigration' });
