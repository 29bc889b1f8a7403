import type { z } from 'zod';
import * as plans from '../services/plans.service.ts';
import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import type * as v from '../validators/plans.validator.ts';

type Of = { params: { id: string } };
type Seen = { ifMatch: number | undefined };
type Body<Schema extends z.ZodType> = { body: z.output<Schema> };
type Query<Schema extends z.ZodType> = { query: z.output<Schema> };

export const listPlans = (ctx: ReadContext<Actor>, { query }: Query<typeof v.listPlansQuery>) =>
  plans.listPlans(ctx, query);

export const createPlan = (ctx: WriteContext<Actor>, { body }: Body<typeof v.createPlanBody>) =>
  plans.createPlan(ctx, body);

export const getPlan = (ctx: ReadContext<Actor>, { params }: Of) => plans.getPlan(ctx, params.id);

export const updatePlan = (
  ctx: WriteContext<Actor>,
  { params, body, ifMatch }: Of & Seen & Body<typeof v.updatePlanBody>,
) => plans.updatePlan(ctx, params.id, body, ifMatch);

export const deletePlan = (ctx: WriteContext<Actor>, { params, ifMatch }: Of & Seen) =>
  plans.archivePlan(ctx, params.id, ifMatch);

export const listPlanVersions = (
  ctx: ReadContext<Actor>,
  { params, query }: Of & Query<typeof v.listPlanVersionsQuery>,
) => plans.listPlanVersions(ctx, params.id, query);

export const clonePlan = (ctx: WriteContext<Actor>, { params, body }: Of & Body<typeof v.clonePlanBody>) =>
  plans.clonePlan(ctx, params.id, body);
