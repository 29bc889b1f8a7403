import type { z } from 'zod';
import * as offboarding from '../services/offboarding.service.ts';
import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import type * as v from '../validators/tenant-lifecycle.validator.ts';

type Of = { params: { id: string } };
type Body<Schema extends z.ZodType> = { body: z.output<Schema> };

export const offboardTenant = (ctx: WriteContext<Actor>, { params, body }: Of & Body<typeof v.offboardBody>) =>
  offboarding.beginOffboarding(ctx, params.id, body.reason);

export const cancelOffboarding = (
  ctx: WriteContext<Actor>,
  { params, body }: Of & Body<typeof v.cancelOffboardingBody>,
) => offboarding.cancelOffboarding(ctx, params.id, body.reason);

export const getOffboarding = (ctx: ReadContext<Actor>, { params }: Of) => offboarding.offboardingOf(ctx, params.id);

export const setLegalHold = (ctx: WriteContext<Actor>, { params, body }: Of & Body<typeof v.legalHoldBody>) =>
  offboarding.setLegalHold(ctx, params.id, body);
