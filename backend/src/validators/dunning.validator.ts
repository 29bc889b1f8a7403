import { z } from 'zod';
import {
  CampaignStatus,
  DunningClose,
  DunningConsequence,
  DunningRunStatus,
  DunningStepKind,
  DunningStepOutcome,
} from '../generated/prisma/enums.ts';
import { DUNNING_CHANNELS } from '../services/dunning-schedule.policy.ts';
import { amount, day, isoDate, money, text } from '../utils/fields.ts';
import { id } from '../utils/ids.ts';
import { pageQuery } from '../utils/page.ts';

const MOST_ATTEMPTS = 10;
const MOST_STEPS = 12;
const LONGEST_DAYS = 120;

export const campaignId = z.strictObject({ id });
export const runId = z.strictObject({ id });
export const dunnedTenant = z.strictObject({ tenantId: id });

const whole = (least: number, most: number) => z.number().int().min(least).max(most);

const step = z
  .strictObject({
    day: whole(0, LONGEST_DAYS).meta({ description: 'Days after the failure', example: 10 }),
    consequence: z.enum(DunningConsequence).meta({ description: 'What happens', example: 'WARNING' }),
    channels: z
      .array(z.enum(DUNNING_CHANNELS))
      .min(1)
      .max(DUNNING_CHANNELS.length)
      .meta({ description: 'How the tenant is told', example: ['EMAIL'] }),
  })
  .meta({ example: { day: 10, consequence: 'WARNING', channels: ['EMAIL'] } });

const name = text(80, 2).meta({ description: 'Name of the campaign; no other has it', example: 'Gentle' });
const attemptGaps = z
  .array(whole(1, 60))
  .max(MOST_ATTEMPTS)
  .meta({ description: 'Days to each attempt from the failure, or from the attempt before', example: [1, 8, 4, 7] });
const steps = z
  .array(step)
  .min(1)
  .max(MOST_STEPS)
  .refine(
    (all) => all.every((one, index) => index === 0 || one.day >= (all[index - 1]?.day ?? 0)),
    'must be in order of days',
  )
  .refine(inOrderOfWeight, 'must not go back from a harder consequence to a softer one')
  .meta({ description: 'The ladder, in order of days' });
const minimumAmount = amount().meta({
  description: 'No dunning for less than this that is due, rupees',
  example: '100.00',
});

const weight: Record<DunningConsequence, number> = { REMINDER: 0, WARNING: 1, BLOCK: 2, CANCEL: 3 };
function inOrderOfWeight(all: readonly { consequence: DunningConsequence }[]): boolean {
  return all.every((one, index) => weight[one.consequence] >= weight[all[index - 1]?.consequence ?? 'REMINDER']);
}

export const createCampaignBody = z
  .strictObject({
    name,
    attemptGaps,
    steps,
    minimumAmount: minimumAmount.default('0.00'),
    isDefault: z
      .boolean()
      .default(false)
      .meta({ description: 'For every tenant without one of its own', example: false }),
  })
  .meta({ id: 'DunningCampaignInput' });

export const updateCampaignBody = z
  .strictObject({
    name: name.optional(),
    attemptGaps: attemptGaps.optional(),
    steps: steps.optional(),
    minimumAmount: minimumAmount.optional(),
    isDefault: z.literal(true).optional().meta({ description: 'Takes the place of the default one', example: true }),
    status: z.enum(CampaignStatus).optional().meta({ description: 'ARCHIVED: nobody new gets it', example: 'ACTIVE' }),
  })
  .meta({ id: 'DunningCampaignChange' });

const planned = z.object({
  day: z.number().int().meta({ description: 'Days after the failure', example: 1 }),
  kind: z.enum(['ATTEMPT', 'CONSEQUENCE']).meta({ example: 'ATTEMPT' }),
  number: z.number().int().meta({ description: 'Among its kind, from 1', example: 1 }),
  consequence: z.enum(DunningConsequence).nullable().meta({ example: null }),
});

export const campaign = z
  .object({
    id,
    name: z.string().meta({ example: 'Standard' }),
    status: z.enum(CampaignStatus).meta({ example: 'ACTIVE' }),
    isDefault: z.boolean().meta({ example: true }),
    attemptGaps: z.array(z.number().int()).meta({ example: [1, 8, 4, 7] }),
    steps: z.array(step),
    minimumAmount: money.meta({ example: '0.00' }),
    schedule: z.array(planned).meta({ description: 'What it comes to, by days after the failure' }),
    activeRuns: z.number().int().meta({ description: 'Runs that go by it now', example: 3 }),
    version: z.number().int().meta({ description: 'Send it back as If-Match when you change it', example: 1 }),
    createdAt: isoDate,
    updatedAt: isoDate,
  })
  .meta({ id: 'DunningCampaign' });

export const listCampaignsQuery = pageQuery(['name', 'createdAt']).extend({
  status: z.enum(CampaignStatus).optional().meta({ description: 'Only these', example: 'ACTIVE' }),
});

export const listRunsQuery = pageQuery(['createdAt', 'nextOn']).extend({
  status: z.enum(DunningRunStatus).optional().meta({ description: 'Only these', example: 'ACTIVE' }),
  tenantId: id.optional().meta({ description: 'Only of this tenant' }),
});

const tenant = z
  .object({ id: z.string(), name: z.string() })
  .meta({ example: { id: 'cm3k8v1x40000qp2h9d7f5a6b', name: 'Saraswati Reading Hall' } });
const invoice = z.object({ id: z.string(), number: z.string(), amountDue: money, dueDate: z.string() }).meta({
  example: { id: 'cm3k8v1x40000qp2h9d7f5a6c', number: 'SS/26-27/000001', amountDue: '2949.00', dueDate: '2026-08-08' },
});

const runShape = {
  id,
  tenant,
  invoice,
  subscriptionId: z.string().nullable().meta({ example: null }),
  campaign: z.object({ id: z.string(), name: z.string() }).meta({
    example: { id: 'cm3k8v1x40000qp2h9d7f5a6d', name: 'Standard' },
  }),
  status: z.enum(DunningRunStatus).meta({ example: 'ACTIVE' }),
  startedOn: z.string().meta({ description: 'The day of the failure, in India', example: '2026-08-01' }),
  nextOn: z.string().nullable().meta({ description: 'When something is due next', example: '2026-08-02' }),
  attemptsMade: z.number().int().meta({ example: 0 }),
  hardDeclined: z.boolean().meta({ description: 'Nothing is charged any more', example: false }),
  promisedOn: z.string().nullable().meta({ description: 'They have promised to pay by then', example: null }),
  paused: z.boolean().meta({ description: 'Dunning of the tenant is paused', example: false }),
  closedAt: isoDate.nullable(),
  closeReason: z.enum(DunningClose).nullable().meta({ example: null }),
  createdAt: isoDate,
};

export const run = z.object(runShape).meta({ id: 'DunningRun' });

export const runDetails = z
  .object({
    ...runShape,
    steps: z
      .array(
        z.object({
          kind: z.enum(DunningStepKind).meta({ example: 'ATTEMPT' }),
          number: z.number().int().meta({ example: 1 }),
          dueOn: z.string().meta({ example: '2026-08-02' }),
          outcome: z.enum(DunningStepOutcome).meta({ example: 'FAILED' }),
          consequence: z.enum(DunningConsequence).nullable().meta({ example: null }),
          paymentId: z.string().nullable().meta({ example: null }),
          note: z.string().nullable().meta({ example: null }),
          by: z.string().nullable().meta({ description: 'Null: it came of itself', example: null }),
          at: isoDate,
        }),
      )
      .meta({ description: 'What was done, in order' }),
    planned: z
      .array(planned.extend({ dueOn: z.string().meta({ example: '2026-08-10' }) }))
      .meta({ description: 'What is to come, unless it is paid' }),
  })
  .meta({ id: 'DunningRunDetails' });

export const stepBody = z
  .strictObject({
    action: z.enum(['ATTEMPT', 'CONSEQUENCE', 'PROMISE']).meta({
      description: 'Charge it now, beside the schedule; take the next rung of the ladder now; they promise to pay',
      example: 'PROMISE',
    }),
    promisedOn: day.optional().meta({
      description: 'Of a promise: nothing is done until this day is over; 30 days ahead at most',
      example: '2099-12-10',
    }),
    note: text(500).optional().meta({ description: 'Who has promised, and how', example: 'On the phone, the owner' }),
  })
  .refine(({ action, promisedOn }) => (action === 'PROMISE') === (promisedOn !== undefined), {
    message: 'is needed with a promise, and with nothing else',
    path: ['promisedOn'],
  })
  .meta({ id: 'DunningStepInput' });

export const pauseBody = z
  .strictObject({
    until: day
      .optional()
      .meta({ description: 'The day on which it goes on; left out: until it is resumed', example: '2099-12-31' }),
    reason: text(500, 3).meta({ description: 'Why', example: 'Their bank account is being changed' }),
  })
  .meta({ id: 'DunningPause' });

export const tenantDunningBody = z
  .strictObject({
    campaignId: id.nullable().meta({ description: 'The campaign of this tenant; null: the default one' }),
  })
  .meta({ id: 'TenantDunningInput' });

export const tenantDunning = z
  .object({
    tenantId: id,
    paused: z.boolean().meta({ example: true }),
    pausedTill: z.string().nullable().meta({ description: 'Null: until it is resumed', example: null }),
    reason: z.string().nullable().meta({ example: 'Their bank account is being changed' }),
    campaignId: z.string().nullable().meta({ description: 'Null: the default one', example: null }),
    openRuns: z.number().int().meta({ example: 1 }),
  })
  .meta({ id: 'TenantDunning' });

export const dryRunQuery = z.strictObject({
  on: day.optional().meta({ description: 'The day to look ahead to; left out: today' }),
  limit: z.coerce.number().int().min(1).max(100).default(50).meta({ description: 'Rows at most', example: 50 }),
});

export const dryRun = z
  .object({
    on: z.string().meta({ example: '2026-08-15' }),
    total: z.number().int().meta({ description: 'Runs for which something is due by then', example: 1 }),
    due: z.array(
      z.object({
        runId: z.string().meta({ example: 'cm3k8v1x40000qp2h9d7f5a6b' }),
        tenant,
        invoice,
        dueOn: z.string().meta({ example: '2026-08-15' }),
        kind: z.enum(['ATTEMPT', 'CONSEQUENCE']).meta({ example: 'CONSEQUENCE' }),
        number: z.number().int().meta({ example: 3 }),
        consequence: z.enum(DunningConsequence).nullable().meta({ example: 'BLOCK' }),
        held: z
          .enum(['PAUSED', 'PROMISED'])
          .nullable()
          .meta({ description: 'Why it would not be done all the same', example: null }),
      }),
    ),
  })
  .meta({ id: 'DunningDryRun' });
