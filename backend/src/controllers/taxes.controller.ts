import type { z } from 'zod';
import * as taxes from '../services/taxes.service.ts';
import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import type * as v from '../validators/taxes.validator.ts';

export const listTaxes = (ctx: ReadContext<Actor>, { query }: { query: z.output<typeof v.listTaxesQuery> }) =>
  taxes.listTaxes(ctx, query);

export const setTaxes = (ctx: WriteContext<Actor>, { body }: { body: z.output<typeof v.setTaxesBody> }) =>
  taxes.setTaxes(ctx, body);
