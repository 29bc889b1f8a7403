import type { z } from 'zod';
import * as billing from '../services/billing-profile.service.ts';
import * as onboarding from '../services/tenant-onboarding.service.ts';
import * as settings from '../services/tenant-settings.service.ts';
import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import type * as v from '../validators/tenant-profile.validator.ts';

type Of = { params: { id: string } };
type Body<Schema extends z.ZodType> = { body: z.output<Schema> };

export const getOnboarding = (ctx: ReadContext<Actor>, { params }: Of) => onboarding.getOnboarding(ctx, params.id);

export const setOnboardingStep = (ctx: WriteContext<Actor>, { params, body }: Of & Body<typeof v.onboardingBody>) =>
  onboarding.setOnboardingStep(ctx, params.id, body);

export const listOwnSettings = (ctx: ReadContext<Actor>, { params }: Of) => settings.listOwnSettings(ctx, params.id);

export const changeOwnSettings = (ctx: WriteContext<Actor>, { params, body }: Of & Body<typeof v.tenantSettingsBody>) =>
  settings.changeOwnSettings(ctx, params.id, body);

export const getBillingProfile = (ctx: ReadContext<Actor>, { params }: Of) => billing.getBillingProfile(ctx, params.id);

export const setBillingProfile = (
  ctx: WriteContext<Actor>,
  { params, body, ifMatch }: Of & Body<typeof v.billingProfileBody> & { ifMatch: number | undefined },
) => billing.setBillingProfile(ctx, params.id, body, ifMatch);
