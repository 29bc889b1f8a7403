import { z } from 'zod';
import { isoDate, search, text } from '../utils/fields.ts';
import { id } from '../utils/ids.ts';
import { pageQuery } from '../utils/page.ts';
import * as c from './catalogue.validator.ts';

export const planId = z.strictObject({ id });

const name = text(80, 2).meta({ description: 'Name for people, unique', example: 'Growth' });
const trialDays = z
  .number()
  .int()
  .min(0)
  .max(365)
  .meta({ description: 'Days that cost nothing, at the beginning', example: 14 });
const features = z
  .array(text(200, 2))
  .max(30)
  .meta({ description: 'What it offers, for people', example: ['Two reading rooms', 'SMS to parents'] });

/** What a version is about: a change of these makes a new one. */
const terms = {
  monthlyPrice: c.monthlyPrice,
  annualPrice: c.annualPrice,
  trialDays,
  sacCode: c.sacCode,
  features,
  limits: c.limits,
};

export const createPlanBody = z
  .strictObject({
    code: c.code.optional().meta({ description: 'Default: made from the name' }),
    name,
    description: c.description.nullable().optional(),
    ...terms,
    trialDays: trialDays.default(0),
    sacCode: c.sacCode.optional().meta({ description: 'Default: the setting billing.default_sac' }),
    features: features.default([]),
    limits: c.limits.default({}),
  })
  .meta({ id: 'CreatePlan' });

export const updatePlanBody = z
  .strictObject({ name, description: c.description.nullable(), status: c.status, ...terms })
  .partial()
  .refine((body) => Object.keys(body).length > 0, 'give at least one field to change')
  .meta({ id: 'UpdatePlan' });

export const clonePlanBody = z
  .strictObject({
    code: c.code.optional().meta({ description: 'Default: made from the name', example: 'growth-plus' }),
    name: name.meta({ example: 'Growth Plus' }),
    description: c.description.nullable().optional(),
  })
  .meta({ id: 'ClonePlan' });

export const planSortColumns = ['createdAt', 'name', 'monthlyPrice'] as const;
export const listPlansQuery = pageQuery(planSortColumns).extend({
  status: c.status.optional(),
  q: search.optional().meta({ description: 'Part of name or code', example: 'growth' }),
});

export const listPlanVersionsQuery = pageQuery(['number']).omit({ sort: true });

const termsView = {
  monthlyPrice: c.monthlyPriceView,
  annualPrice: c.annualPriceView,
  trialDays: z.number().int().meta({ example: 14 }),
  sacCode: z.string().meta({ example: '997331' }),
  features: z.array(z.string()).meta({ example: ['Two reading rooms', 'SMS to parents'] }),
  limits: c.limitsView,
};

const subscribers = z
  .object({
    total: z.number().int().meta({ example: 41 }),
    byVersion: z.array(
      z.object({
        number: z.number().int().meta({ description: 'Of the version', example: 2 }),
        live: z.number().int().meta({ description: 'Subscriptions that pin it and have not ended', example: 41 }),
      }),
    ),
  })
  .nullable()
  .meta({ description: 'Who has it now; null within the space of a tenant' });

/** A plan, with the terms that new subscriptions get. */
export const plan = z
  .object({
    id,
    code: z.string().meta({ example: 'growth' }),
    name: z.string().meta({ example: 'Growth' }),
    description: z.string().nullable().meta({ example: 'For one to three reading rooms' }),
    status: c.status,
    planVersionId: id.meta({ description: 'The version that new subscriptions get' }),
    planVersionNumber: z.number().int().meta({ description: 'Its number, from 1', example: 2 }),
    ...termsView,
    subscribers,
    ...c.stamps,
  })
  .meta({ id: 'Plan' });

export const planVersion = z
  .object({
    id,
    number: z.number().int().meta({ description: 'From 1', example: 2 }),
    ...termsView,
    subscribers: z
      .number()
      .int()
      .nullable()
      .meta({ description: 'Subscriptions that pin it and have not ended; null within a tenant', example: 41 }),
    createdBy: c.author,
    createdAt: isoDate,
  })
  .meta({ id: 'PlanVersion' });
