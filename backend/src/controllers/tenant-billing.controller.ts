import type { z } from 'zod';
import * as billing from '../services/tenant-billing.service.ts';
import type { Actor, ReadContext } from '../types/context.ts';
import type * as v from '../validators/tenant-billing.validator.ts';

type Of = { params: { id: string } };
type Query<Schema extends z.ZodType> = { query: z.output<Schema> };

export const listInvoices = (ctx: ReadContext<Actor>, { params, query }: Of & Query<typeof v.invoicesOfTenantQuery>) =>
  billing.listInvoicesOfTenant(ctx, params.id, query);

export const listPayments = (ctx: ReadContext<Actor>, { params, query }: Of & Query<typeof v.paymentsOfTenantQuery>) =>
  billing.listPaymentsOfTenant(ctx, params.id, query);
