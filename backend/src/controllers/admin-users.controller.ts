import type { z } from 'zod';
import * as credentials from '../services/admin-credentials.service.ts';
import * as invites from '../services/admin-invites.service.ts';
import * as permissions from '../services/admin-permissions.service.ts';
import * as admins from '../services/admin-users.service.ts';
import * as roles from '../services/roles.service.ts';
import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import type * as v from '../validators/admin-users.validator.ts';

type Of = { params: { id: string } };
type Body<Schema extends z.ZodType> = { body: z.output<Schema> };
type Query<Schema extends z.ZodType> = { query: z.output<Schema> };
type IfMatch = { ifMatch: number | undefined };

export const listAdmins = (ctx: ReadContext<Actor>, { query }: Query<typeof v.listAdminsQuery>) =>
  admins.listAdmins(ctx, query);

export const getAdmin = (ctx: ReadContext<Actor>, { params }: Of) => admins.getAdmin(ctx, params.id);

export const createAdmin = (ctx: WriteContext<Actor>, { body }: Body<typeof v.createAdminBody>) =>
  admins.createAdmin(ctx, body);

export const updateAdmin = (
  ctx: WriteContext<Actor>,
  { params, body, ifMatch }: Of & Body<typeof v.updateAdminBody> & IfMatch,
) => admins.updateAdmin(ctx, params.id, body, ifMatch);

export async function deleteAdmin(ctx: WriteContext<Actor>, { params, body }: Of & Body<typeof v.reasonBody>) {
  await admins.deleteAdmin(ctx, params.id, body.reason);
  return { done: true as const };
}

export const getAdminAnalytics = (ctx: ReadContext<Actor>) => admins.getAdminAnalytics(ctx);

export const listAdminPermissions = (ctx: ReadContext<Actor>) => roles.listPermissions(ctx);

export const replacePermissions = (
  ctx: WriteContext<Actor>,
  { params, body, ifMatch }: Of & Body<typeof v.replacePermissionsBody> & IfMatch,
) => permissions.replacePermissions(ctx, params.id, body, ifMatch);

export const listActivity = (ctx: ReadContext<Actor>, { params, query }: Of & Query<typeof v.activityQuery>) =>
  admins.listActivity(ctx, params.id, query);

export const sendInvite = (ctx: WriteContext<Actor>, { params }: Of) => invites.sendInvite(ctx, params.id);

export const revokeInvite = (ctx: WriteContext<Actor>, { params, body }: Of & Body<typeof v.optionalReasonBody>) =>
  invites.revokeInvite(ctx, params.id, body.reason);

export async function resetPassword(ctx: WriteContext<Actor>, { params }: Of) {
  await credentials.sendPasswordReset(ctx, params.id);
  return { message: 'A mail with a link for a new password is on its way.' };
}

export const toggleMfa = (ctx: WriteContext<Actor>, { params, body }: Of & Body<typeof v.toggleMfaBody>) =>
  credentials.toggleMfa(ctx, params.id, body);

export const listSessions = (ctx: ReadContext<Actor>, { params, query }: Of & Query<typeof v.adminSessionsQuery>) =>
  credentials.listAdminSessions(ctx, params.id, query);

export const revokeSession = async (
  ctx: WriteContext<Actor>,
  { params }: { params: { id: string; sessionId: string } },
) => ({ revoked: await credentials.revokeAdminSession(ctx, params.id, params.sessionId) });

export const activateAdmin = (ctx: WriteContext<Actor>, { params, body }: Of & Body<typeof v.optionalReasonBody>) =>
  admins.activateAdmin(ctx, params.id, body.reason);

export const deactivateAdmin = (ctx: WriteContext<Actor>, { params, body }: Of & Body<typeof v.reasonBody>) =>
  admins.deactivateAdmin(ctx, params.id, body.reason);
