import type { z } from 'zod';
import * as sandbox from '../services/sandbox-payments.service.ts';
import type { Actor, ManualContext } from '../types/context.ts';
import type { completeMandateBody, payLinkBody } from '../validators/test.validator.ts';

type Of = { params: { id: string } };
type Body<Schema extends z.ZodType> = { body: z.output<Schema> };

export const completeMandate = (ctx: ManualContext<Actor>, { params, body }: Of & Body<typeof completeMandateBody>) =>
  sandbox.completeMandate(ctx, params.id, body.outcome);

export const payLink = (ctx: ManualContext<Actor>, { params, body }: Of & Body<typeof payLinkBody>) =>
  sandbox.payLink(ctx, params.id, body.outcome);
