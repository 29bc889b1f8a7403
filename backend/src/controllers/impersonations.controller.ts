import type { z } from 'zod';
import * as impersonations from '../services/impersonations.service.ts';
import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import type * as v from '../validators/impersonations.validator.ts';

export const listImpersonations = (
  ctx: ReadContext<Actor>,
  { query }: { query: z.output<typeof v.listImpersonationsQuery> },
) => impersonations.listImpersonations(ctx, query);

export const startImpersonation = (
  ctx: WriteContext<Actor>,
  { body }: { body: z.output<typeof v.startImpersonationBody> },
) => impersonations.startImpersonation(ctx, body);

export const endImpersonation = (ctx: WriteContext<Actor>, { params }: { params: { id: string } }) =>
  impersonations.endImpersonation(ctx, params.id);
