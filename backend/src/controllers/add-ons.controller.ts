import type { z } from 'zod';
import * as addOns from '../services/add-ons.service.ts';
import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import type * as v from '../validators/add-ons.validator.ts';

type Of = { params: { id: string } };
type Body<Schema extends z.ZodType> = { body: z.output<Schema> };
type Query<Schema extends z.ZodType> = { query: z.output<Schema> };

export const listAddOns = (ctx: ReadContext<Actor>, { query }: Query<typeof v.listAddOnsQuery>) =>
  addOns.listAddOns(ctx, query);

export const createAddOn = (ctx: WriteContext<Actor>, { body }: Body<typeof v.createAddOnBody>) =>
  addOns.createAddOn(ctx, body);

export const updateAddOn = (
  ctx: WriteContext<Actor>,
  { params, body, ifMatch }: Of & Body<typeof v.updateAddOnBody> & { ifMatch: number | undefined },
) => addOns.updateAddOn(ctx, params.id, body, ifMatch);
