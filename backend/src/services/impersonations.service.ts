import type { z } from 'zod';
import { isPermission } from '../config/permissions.ts';
import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import { AppError, orNotFound } from '../utils/errors.ts';
import { newId } from '../utils/ids.ts';
import { page } from '../utils/page.ts';
import { signAccessToken } from '../utils/token.ts';
import type { impersonation, startImpersonationBody } from '../validators/impersonations.validator.ts';
import * as queries from './impersonations.queries.ts';
import { assertOutsideTenants } from './platform-space.policy.ts';
import { grantsOf, type Grants } from './principal.service.ts';
import { assertCovers } from './privilege.policy.ts';
import { startSession } from './sessions.service.ts';
import { settingOf } from './settings.service.ts';
import { lockTenant } from './tenants.queries.ts';

type ImpersonationView = z.input<typeof impersonation>;
type Start = z.output<typeof startImpersonationBody>;

const MINUTE_MS = 60_000;

export const listImpersonations = (ctx: ReadContext, filter: queries.ImpersonationFilter) =>
  page<ImpersonationView>(ctx, filter, queries.impersonationRows(filter));

/**
 * Begins to act in the name of a platform user (rule 9). Whatever the admin had begun before ends: one at a time.
 * @returns an access token and nothing by which it could be made to last longer
 * @throws AppError not_found; forbidden for admins and without the library's consent; tenant_suspended;
 *   exceeds_own_permissions where the person may do what the caller may not
 */
export async function startImpersonation(ctx: WriteContext<Actor>, input: Start) {
  assertOutsideTenants(ctx);
  const { actor } = ctx;
  if (actor.impersonation || actor.kind !== 'user') {
    throw new AppError('impersonation_restricted', 'Only a person in their own name can act in that of another.');
  }
  await ctx.sql.one(queries.lockImpersonationsOf(actor.id));
  const { target, tenantId } = await allowedTarget(ctx, input.userId);
  const grants = await grantsOf(ctx.sql, target.id);
  assertCovers(actor, neededFor(input.mode, grants), 'This person');
  await endImpersonations(ctx, { adminId: actor.id }, 'REPLACED');
  const begun = await createRow(ctx, input, target, tenantId);
  const session = await startSession(ctx, target, { method: 'IMPERSONATION', mfa: false, impersonation: begun });
  ctx.enqueue('email.impersonation-started', { impersonationId: begun.id }, { tenantId, dedupeKey: begun.id });
  ctx.audit({
    resource: 'impersonation',
    resourceId: begun.id,
    tenantId,
    details: { userId: target.id, userName: target.name, reason: input.reason, ticket: input.ticket, mode: input.mode },
  });
  return { impersonation: await viewOf(ctx, begun.id), ...accessOf(target, grants, session.id, begun.expiresAt) };
}

/** Somebody in whose name one may act at all. The tenant is locked, so that its consent stays what it is meanwhile. */
async function allowedTarget(ctx: WriteContext<Actor>, userId: string) {
  const target = orNotFound(await ctx.sql.one<queries.Target>(queries.targetById(userId)), 'user');
  const { tenantId, tenantStatus } = target;
  if (target.type !== 'PLATFORM_USER' || !tenantId) {
    throw new AppError('forbidden', 'Nobody acts in the name of a portal admin.');
  }
  if (target.status !== 'ACTIVE') throw new AppError('conflict', 'This account is not active.');
  if (tenantStatus !== 'ACTIVE' && tenantStatus !== 'TRIAL') {
    throw new AppError('tenant_suspended', 'The library of this person is not active: they can do nothing themselves.');
  }
  await ctx.sql.one(lockTenant(tenantId));
  if (!(await settingOf({ ...ctx, tenantId }, 'support.access_allowed'))) {
    throw new AppError('forbidden', 'This library does not allow support to act in the name of its people.');
  }
  return { target, tenantId };
}

/** To read in somebody's name takes what they may read; to write, everything they may do (rule 5). */
const neededFor = (mode: Start['mode'], { permissions }: Grants) =>
  [...permissions].filter((code) => isPermission(code) && (mode === 'READ_WRITE' || code.endsWith('.read')));

async function createRow(ctx: WriteContext<Actor>, input: Start, target: queries.Target, tenantId: string) {
  const { reason, ticket, mode, minutes } = input;
  const begun = { id: newId(), expiresAt: new Date(ctx.now.getTime() + minutes * MINUTE_MS) };
  await ctx.db.impersonation.create({
    data: {
      ...begun,
      tenantId,
      adminId: ctx.actor.id,
      adminName: ctx.actor.name,
      adminSessionId: ctx.actor.sessionId,
      userId: target.id,
      userName: target.name,
      reason,
      ticket,
      mode,
      startedAt: ctx.now,
    },
  });
  return begun;
}

/** The token of the person, which ends with the impersonation at the latest. */
function accessOf(target: queries.Target, grants: Grants, sid: string, expiresAt: Date) {
  const { id, email, type, tenantId, permissionVersion } = target;
  const until = grants.until && grants.until < expiresAt ? grants.until : expiresAt;
  const { token, expiresIn } = signAccessToken(
    {
      userId: id,
      email,
      role: grants.role,
      type,
      permissions: [...grants.permissions],
      sid,
      pv: permissionVersion,
      ...(tenantId && { tenantId }),
    },
    until,
  );
  return { accessToken: token, tokenType: 'Bearer' as const, expiresIn };
}

const viewOf = async (ctx: WriteContext, id: string): Promise<ImpersonationView> =>
  orNotFound(await ctx.sql.one<ImpersonationView>(queries.impersonationById(id)), 'impersonation');

/**
 * Ends an impersonation at once: the caller's own, or anybody's for who may end sessions.
 * @throws AppError conflict when it is over
 */
export async function endImpersonation(ctx: WriteContext<Actor>, id: string): Promise<ImpersonationView> {
  const found = await viewOf(ctx, id);
  const isOwn = found.adminId === ctx.actor.id;
  if (!isOwn && !ctx.actor.permissions.has('security.sessions')) {
    throw new AppError('forbidden', 'To end what somebody else has begun you need the permission security.sessions.');
  }
  const ended = await endImpersonations(ctx, { id }, isOwn ? 'ENDED' : 'ENDED_BY_ANOTHER');
  if (ended === 0) throw new AppError('conflict', 'This impersonation is over already.');
  return viewOf(ctx, id);
}

type Which = { id: string } | { adminId: string } | { tenantId: string };

/**
 * Ends those that go on, with their sessions. Their tokens fail with the next request.
 * @returns how many
 */
export async function endImpersonations(ctx: WriteContext<Actor>, which: Which, reason: string): Promise<number> {
  const ended = await ctx.sql.many<queries.Ended>(queries.endRows(which, reason));
  if (ended.length === 0) return 0;
  await ctx.db.session.updateMany({
    where: { impersonationId: { in: ended.map(({ id }) => id) }, revokedAt: null },
    data: { revokedAt: ctx.now, revokedReason: 'IMPERSONATION_ENDED' },
  });
  for (const { id, tenantId, userId } of ended) {
    ctx.audit({
      action: 'security.impersonation_end',
      resource: 'impersonation',
      resourceId: id,
      tenantId,
      details: { userId, reason },
    });
  }
  return ended.length;
}
