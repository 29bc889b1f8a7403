import type { z } from 'zod';
import * as guardians from '../services/guardians.service.ts';
import * as exports from '../services/people-export.service.ts';
import { listPersonActivity } from '../services/platform-user-activity.service.ts';
import { getPeopleAnalytics } from '../services/platform-user-analytics.service.ts';
import type { Actor, ManualContext, ReadContext, WriteContext } from '../types/context.ts';
import type { guardian } from '../validators/people.validator.ts';
import type * as v from '../validators/platform-users-extras.validator.ts';

type Of<Params> = { params: Params };
type Query<Schema extends z.ZodType> = { query: z.output<Schema> };
type Body<Schema extends z.ZodType> = { body: z.output<Schema> };
type Job = Of<{ jobId: string }>;

export const addGuardian = (ctx: WriteContext<Actor>, { params, body }: Of<{ id: string }> & Body<typeof guardian>) =>
  guardians.addGuardian(ctx, params.id, body);
export const removeGuardian = (ctx: WriteContext<Actor>, { params }: Of<{ id: string; guardianId: string }>) =>
  guardians.removeGuardian(ctx, params.id, params.guardianId);

export const listActivity = (
  ctx: ReadContext<Actor>,
  { params, query }: Of<{ id: string }> & Query<typeof v.activityQuery>,
) => listPersonActivity(ctx, params.id, query);

export const getAnalytics = (ctx: ReadContext<Actor>, { query }: Query<typeof v.analyticsQuery>) =>
  getPeopleAnalytics(ctx, query.tenantId);

export const createExport = (ctx: WriteContext<Actor>, { body }: Body<typeof v.createPeopleExportBody>) =>
  exports.createPeopleExport(ctx, body);
export const getExport = (ctx: ReadContext<Actor>, { params }: Job) => exports.getPeopleExport(ctx, params.jobId);
export const downloadExport = (ctx: ManualContext<Actor>, { params }: Job) =>
  exports.downloadPeopleExport(ctx, params.jobId);
