import type { z } from 'zod';
import * as campaigns from '../services/dunning-campaigns.service.ts';
import * as dunning from '../services/dunning.service.ts';
import type { Actor, ManualContext, ReadContext, WriteContext } from '../types/context.ts';
import type * as v from '../validators/dunning.validator.ts';

type Of = { params: { id: string } };
type OfTenant = { params: { tenantId: string } };
type Body<Schema extends z.ZodType> = { body: z.output<Schema> };
type Query<Schema extends z.ZodType> = { query: z.output<Schema> };

export const listRuns = (ctx: ReadContext<Actor>, { query }: Query<typeof v.listRunsQuery>) =>
  dunning.listRuns(ctx, query);
export const getRun = (ctx: ReadContext<Actor>, { params }: Of) => dunning.getRun(ctx, params.id);
export const stepRun = (ctx: ManualContext<Actor>, { params, body }: Of & Body<typeof v.stepBody>) =>
  dunning.stepRun(ctx, params.id, body);
export const previewDunning = (ctx: ReadContext<Actor>, { query }: Query<typeof v.dryRunQuery>) =>
  dunning.previewDunning(ctx, query);

export const listCampaigns = (ctx: ReadContext<Actor>, { query }: Query<typeof v.listCampaignsQuery>) =>
  campaigns.listCampaigns(ctx, query);
export const getCampaign = (ctx: ReadContext<Actor>, { params }: Of) => campaigns.getCampaign(ctx, params.id);
export const createCampaign = (ctx: WriteContext<Actor>, { body }: Body<typeof v.createCampaignBody>) =>
  campaigns.createCampaign(ctx, body);
export const updateCampaign = (
  ctx: WriteContext<Actor>,
  { params, body, ifMatch }: Of & Body<typeof v.updateCampaignBody> & { ifMatch: number | undefined },
) => campaigns.updateCampaign(ctx, params.id, body, ifMatch);

export const pauseDunning = (ctx: WriteContext<Actor>, { params, body }: OfTenant & Body<typeof v.pauseBody>) =>
  dunning.pauseDunning(ctx, params.tenantId, body);
export const resumeDunning = (ctx: WriteContext<Actor>, { params }: OfTenant) =>
  dunning.resumeDunning(ctx, params.tenantId);
export const setTenantCampaign = (
  ctx: WriteContext<Actor>,
  { params, body }: OfTenant & Body<typeof v.tenantDunningBody>,
) => dunning.setTenantCampaign(ctx, params.tenantId, body.campaignId);
