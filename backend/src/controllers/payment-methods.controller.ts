import type { z } from 'zod';
import * as methods from '../services/payment-methods.service.ts';
import type { Actor, ManualContext, ReadContext, WriteContext } from '../types/context.ts';
import type * as v from '../validators/payment-methods.validator.ts';

type Of = { params: { id: string } };

export const listPaymentMethods = (
  ctx: ReadContext<Actor>,
  { query }: { query: z.output<typeof v.listPaymentMethodsQuery> },
) => methods.listPaymentMethods(ctx, query);

export const createPaymentMethod = (
  ctx: ManualContext<Actor>,
  { body }: { body: z.output<typeof v.createPaymentMethodBody> },
) => methods.createPaymentMethod(ctx, body);

export const updatePaymentMethod = (
  ctx: WriteContext<Actor>,
  { params, ifMatch }: Of & { ifMatch: number | undefined },
) => methods.makeDefault(ctx, params.id, ifMatch);

export const removePaymentMethod = (ctx: WriteContext<Actor>, { params }: Of) =>
  methods.removePaymentMethod(ctx, params.id);
