import type { z } from 'zod';
import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import { AppError, assertVersion, orNotFound } from '../utils/errors.ts';
import { cursorPage } from '../utils/cursor-page.ts';
import { page, type Cursor } from '../utils/page.ts';
import type {
  admin,
  adminActivity,
  adminAnalytics,
  adminWhole,
  createAdminBody,
  updateAdminBody,
} from '../validators/admin-users.validator.ts';
import { adminToChange } from './admin-target.policy.ts';
import * as queries from './admin-users.queries.ts';
import { voidOneTimeTokens } from './one-time-token.service.ts';
import { assertOutsideTenants } from './platform-space.policy.ts';
import {
  actingPerson,
  assertMayHandOn,
  assertNotSelf,
  assertSuperAdminRemains,
  lockAccess,
} from './privilege.policy.ts';
import { rolesNamed } from './role-lookup.service.ts';
import { endSessions } from './sessions.service.ts';

type AdminView = z.input<typeof adminWhole>;
type Activity = z.input<typeof adminActivity> & { createdAt: string };

export const listAdmins = (ctx: ReadContext, filter: queries.AdminFilter) =>
  page<z.input<typeof admin>>(ctx, filter, queries.adminRows(filter));

/** @throws AppError not_found, also for somebody of a tenant, or who has left */
export const getAdmin = async (ctx: Pick<ReadContext, 'sql'>, id: string): Promise<AdminView> =>
  orNotFound(await ctx.sql.one<AdminView>(queries.adminById(id)), 'admin');

export const getAdminAnalytics = async (ctx: ReadContext) =>
  orNotFound(await ctx.sql.one<z.input<typeof adminAnalytics>>(queries.adminCounts()), 'admin');

/**
 * Adds an admin, who gets a mail with a link to accept.
 * @throws AppError conflict when the email is taken; exceeds_own_permissions; tenant_mismatch within a tenant's space
 */
export async function createAdmin(
  ctx: WriteContext<Actor>,
  input: z.output<typeof createAdminBody>,
): Promise<AdminView> {
  assertOutsideTenants(ctx);
  await lockAccess(ctx, 'one');
  const roles = await rolesNamed(ctx, input.roles, 'ADMIN_USER');
  await assertMayHandOn(
    ctx,
    roles.flatMap(({ permissions }) => permissions),
    'A role',
  );
  const { email, name, phone } = input;
  const created = await ctx.db.user.create({
    data: {
      email,
      name,
      phone,
      type: 'ADMIN_USER',
      status: 'PENDING',
      createdAt: ctx.now,
      assignments: {
        create: roles.map(({ id }) => ({ roleId: id, assignedById: actingPerson(ctx.actor), createdAt: ctx.now })),
      },
    },
  });
  ctx.enqueue('email.invite', { userId: created.id });
  const after = { email, name, phone, roles: roles.map(({ code }) => code) };
  ctx.audit({ resource: 'admin', resourceId: created.id, tenantId: null, after });
  return getAdmin(ctx, created.id);
}

/**
 * Changes the fields that are given. A new email makes every link worthless that went to the old one; who has yet to
 * accept is invited again there.
 * @throws AppError version_mismatch, conflict when the email is taken
 */
export async function updateAdmin(
  ctx: WriteContext<Actor>,
  id: string,
  changes: z.output<typeof updateAdminBody>,
  seenVersion?: number,
): Promise<AdminView> {
  const before = await adminToChange(ctx, id);
  assertVersion(seenVersion, before.version, 'admin');
  const isNewEmail = changes.email !== undefined && changes.email !== before.email;
  // One's own is changed where it is confirmed.
  if (isNewEmail) assertNotSelf(ctx.actor, id, 'the email address');
  await ctx.db.user.update({
    where: { id },
    data: { ...changes, ...(isNewEmail && { emailVerified: false, pendingEmail: null }), version: { increment: 1 } },
  });
  if (isNewEmail) {
    await voidOneTimeTokens(ctx, id);
    if (before.status === 'PENDING') ctx.enqueue('email.invite', { userId: id });
  }
  const { name, email, phone } = before;
  ctx.audit({ resource: 'admin', resourceId: id, before: { name, email, phone }, after: changes });
  return getAdmin(ctx, id);
}

/** Who has left: signed out everywhere, no link works; nothing is lost. @throws AppError last_super_admin */
export async function deactivateAdmin(ctx: WriteContext<Actor>, id: string, reason: string): Promise<AdminView> {
  const { status } = await adminToChange(ctx, id, 'the status');
  if (status === 'INACTIVE') throw new AppError('invalid_transition', 'This admin is inactive already.');
  if (status === 'PENDING') {
    throw new AppError('invalid_transition', 'This admin has yet to accept. Revoke the invitation instead.');
  }
  await assertSuperAdminRemains(ctx, id);
  await ctx.db.user.update({ where: { id }, data: { status: 'INACTIVE', version: { increment: 1 } } });
  const ended = await endSessions(ctx, { userId: id }, 'DEACTIVATED');
  await voidOneTimeTokens(ctx, id);
  const details = { reason, sessionsEnded: ended };
  ctx.audit({ resource: 'admin', resourceId: id, before: { status }, after: { status: 'INACTIVE' }, details });
  return getAdmin(ctx, id);
}

/** @throws AppError invalid_transition, also for somebody who never accepted: invite them instead */
export async function activateAdmin(ctx: WriteContext<Actor>, id: string, reason?: string): Promise<AdminView> {
  const { status, hasPassword } = await adminToChange(ctx, id, 'the status');
  if (status === 'ACTIVE') throw new AppError('invalid_transition', 'This admin is active already.');
  if (status === 'PENDING' || !hasPassword) {
    throw new AppError('invalid_transition', 'This admin has never accepted an invitation. Send one instead.');
  }
  await ctx.db.user.update({ where: { id }, data: { status: 'ACTIVE', version: { increment: 1 } } });
  const details = reason ? { reason } : undefined;
  ctx.audit({ resource: 'admin', resourceId: id, before: { status }, after: { status: 'ACTIVE' }, details });
  return getAdmin(ctx, id);
}

/**
 * Removes an admin for good. The row stays for the history, without address, roles, sessions, links and API keys; the
 * address is free again.
 * @throws AppError last_super_admin
 */
export async function deleteAdmin(ctx: WriteContext<Actor>, id: string, reason: string): Promise<void> {
  const before = await adminToChange(ctx, id, 'the account');
  await assertSuperAdminRemains(ctx, id);
  const held = await getAdmin(ctx, id);
  await ctx.db.roleAssignment.deleteMany({ where: { userId: id } });
  await ctx.db.permissionOverride.deleteMany({ where: { userId: id } });
  const sessions = await endSessions(ctx, { userId: id }, 'DEACTIVATED');
  await voidOneTimeTokens(ctx, id);
  const keys = await ctx.db.apiKey.updateMany({
    where: { createdById: id, revokedAt: null },
    data: { revokedAt: ctx.now, revokedById: actingPerson(ctx.actor) },
  });
  const gone = { email: null, phone: null, pendingEmail: null, passwordHash: null, mfaRequiredSince: null };
  const counted = { permissionVersion: { increment: 1 }, version: { increment: 1 } };
  await ctx.db.user.update({
    where: { id },
    data: { ...gone, ...counted, status: 'INACTIVE', deletedAt: ctx.now, formerEmail: before.email },
  });
  ctx.audit({
    resource: 'admin',
    resourceId: id,
    details: {
      reason,
      name: before.name,
      email: before.email,
      roles: held.roles.map(({ code }) => code),
      permissions: held.permissions.map(({ permission, effect }) => `${effect} ${permission}`),
      sessionsEnded: sessions,
      keysRevoked: keys.count,
    },
  });
}

/** What an admin did, newest first: by page, or on from a cursor, which costs the same however far back it is. */
export function listActivity(
  ctx: ReadContext,
  id: string,
  query: { page: number; limit: number; cursor?: Cursor | undefined },
) {
  const { page: number, limit, cursor } = query;
  return cursorPage<Activity>(ctx, query, {
    rows: queries.activityRows(id, cursor, cursor ? limit + 1 : number * limit),
    count: queries.activityCount(id),
    parent: { of: queries.adminExists(id), what: 'admin' },
  });
}
