import type { z } from 'zod';
import * as explanation from '../services/access-explanation.service.ts';
import * as assignments from '../services/role-assignments.service.ts';
import * as roles from '../services/roles.service.ts';
import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import type * as v from '../validators/rbac.validator.ts';

type Of = { params: { id: string } };
type Body<Schema extends z.ZodType> = { body: z.output<Schema> };
type Query<Schema extends z.ZodType> = { query: z.output<Schema> };

export const listPermissions = (ctx: ReadContext<Actor>) => roles.listPermissions(ctx);

export const getMatrix = (ctx: ReadContext<Actor>) => roles.getMatrix(ctx);

export const listRoles = (ctx: ReadContext<Actor>, { query }: Query<typeof v.listRolesQuery>) =>
  roles.listRoles(ctx, query);

export const getRole = (ctx: ReadContext<Actor>, { params }: Of) => roles.getRole(ctx, params.id);

export const createRole = (ctx: WriteContext<Actor>, { body }: Body<typeof v.createRoleBody>) =>
  roles.createRole(ctx, body);

export const updateRole = (
  ctx: WriteContext<Actor>,
  { params, body, ifMatch }: Of & Body<typeof v.updateRoleBody> & { ifMatch: number | undefined },
) => roles.updateRole(ctx, params.id, body, ifMatch);

export async function deleteRole(ctx: WriteContext<Actor>, { params, query }: Of & Query<typeof v.deleteRoleQuery>) {
  await roles.deleteRole(ctx, params.id, query.reassignTo);
  return { done: true as const };
}

export const cloneRole = (ctx: WriteContext<Actor>, { params, body }: Of & Body<typeof v.cloneRoleBody>) =>
  roles.cloneRole(ctx, params.id, body);

export const getImpact = (ctx: WriteContext<Actor>, { params, body }: Of & Body<typeof v.impactBody>) =>
  roles.impactOf(ctx, params.id, body.permissions);

export const listMembers = (ctx: ReadContext<Actor>, { params, query }: Of & Query<typeof v.listMembersQuery>) =>
  roles.listMembers(ctx, params.id, query);

export const assignRole = (ctx: WriteContext<Actor>, { body }: Body<typeof v.assignBody>) =>
  assignments.assignRole(ctx, body);

export async function unassignRole(ctx: WriteContext<Actor>, { params }: Of) {
  await assignments.unassignRole(ctx, params.id);
  return { done: true as const };
}

export const explainPermissions = (ctx: ReadContext<Actor>, { params }: Of) =>
  explanation.explainPermissions(ctx, params.id);

export const simulate = (ctx: WriteContext<Actor>, { body }: Body<typeof v.simulateBody>) =>
  explanation.simulate(ctx, body);
