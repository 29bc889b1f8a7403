import type { z } from 'zod';
import * as support from '../services/support-access.service.ts';
import * as tenants from '../services/tenants.service.ts';
import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import type { listTenantImpersonationsQuery, supportAccessBody } from '../validators/impersonations.validator.ts';
import type * as v from '../validators/tenants.validator.ts';

type Of = { params: { id: string } };
type Body<Schema extends z.ZodType> = { body: z.output<Schema> };
type Query<Schema extends z.ZodType> = { query: z.output<Schema> };

export const listTenants = (ctx: ReadContext<Actor>, { query }: Query<typeof v.listTenantsQuery>) =>
  tenants.listTenants(ctx, query);

export const getTenant = (ctx: ReadContext<Actor>, { params }: Of) => tenants.getTenant(ctx, params.id);

export const createTenant = (ctx: WriteContext<Actor>, { body }: Body<typeof v.createTenantBody>) =>
  tenants.createTenant(ctx, body);

export const updateTenant = (
  ctx: WriteContext<Actor>,
  { params, body, ifMatch }: Of & Body<typeof v.updateTenantBody> & { ifMatch: number | undefined },
) => tenants.updateTenant(ctx, params.id, body, ifMatch);

export const suspendTenant = (ctx: WriteContext<Actor>, { params, body }: Of & Body<typeof v.suspendTenantBody>) =>
  tenants.suspendTenant(ctx, params.id, body.reason);

export const activateTenant = (ctx: WriteContext<Actor>, { params, body }: Of & Body<typeof v.activateTenantBody>) =>
  tenants.activateTenant(ctx, params.id, body.reason);

export const listTenantUsers = (
  ctx: ReadContext<Actor>,
  { params, query }: Of & Query<typeof v.listTenantUsersQuery>,
) => tenants.listTenantUsers(ctx, params.id, query);

export const listTransitions = (
  ctx: ReadContext<Actor>,
  { params, query }: Of & Query<typeof v.listTransitionsQuery>,
) => tenants.listTransitions(ctx, params.id, query);

export const listTenantImpersonations = (
  ctx: ReadContext<Actor>,
  { params, query }: Of & Query<typeof listTenantImpersonationsQuery>,
) => support.listTenantImpersonations(ctx, params.id, query);

export const setSupportAccess = (ctx: WriteContext<Actor>, { params, body }: Of & Body<typeof supportAccessBody>) =>
  support.setSupportAccess(ctx, params.id, body.allowed);
