import type { z } from 'zod';
import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import { cursorPage } from '../utils/cursor-page.ts';
import { orNotFound } from '../utils/errors.ts';
import type { anySession, revokeSessionsBody } from '../validators/security.validator.ts';
import { deviceName } from './device.service.ts';
import { assertOutsideTenants } from './platform-space.policy.ts';
import { sessionRows, type SessionFilter } from './security-lists.queries.ts';
import { endSessions } from './sessions.service.ts';
import { assertSteppedUp } from './step-up.policy.ts';

type SessionView = z.input<typeof anySession>;
type SessionRow = Omit<SessionView, 'device'> & { createdAt: string };

/** The sessions of everybody, newest first. */
export async function listAllSessions(ctx: ReadContext<Actor>, filter: SessionFilter) {
  const { items, meta } = await cursorPage<SessionRow>(ctx, filter, sessionRows(filter, ctx.actor.sessionId));
  return { items: items.map((row) => ({ ...row, device: deviceName(row.userAgent) })), meta };
}

/**
 * Ends sessions, of whomever: to end one takes nothing over, so that nobody is too great for it. The caller's own
 * stays. What an admin does in others' names ends with their sessions.
 * @returns how many ended, in one statement however many they are
 * @throws AppError not_found for a person or tenant that is not there; step_up_required for everyone
 */
export async function revokeSessions(
  ctx: WriteContext<Actor>,
  { userId, tenantId, everyone, reason }: z.output<typeof revokeSessionsBody>,
): Promise<number> {
  if (everyone) {
    assertOutsideTenants(ctx);
    assertSteppedUp(ctx.actor);
  }
  const space = userId ? await tenantOf(ctx, userId) : (tenantId ?? null);
  if (tenantId) orNotFound(await ctx.db.tenant.findUnique({ where: { id: tenantId }, select: { id: true } }), 'tenant');
  const revoked = await endSessions(
    ctx,
    { ...(userId && { userId }), ...(tenantId && { tenantId }), id: { not: ctx.actor.sessionId } },
    'REVOKED',
  );
  ctx.audit({
    resource: userId ? 'user' : tenantId ? 'tenant' : 'session',
    resourceId: userId ?? tenantId ?? null,
    tenantId: space,
    details: { reason, revoked, ...(everyone && { everyone }) },
  });
  return revoked;
}

async function tenantOf(ctx: WriteContext, userId: string): Promise<string | null> {
  const user = await ctx.db.user.findUnique({ where: { id: userId }, select: { tenantId: true } });
  return orNotFound(user, 'user').tenantId;
}

/** Ends one session of anybody. @throws AppError not_found for one that has ended */
export async function revokeAnySession(ctx: WriteContext<Actor>, id: string): Promise<void> {
  const session = await ctx.db.session.findUnique({ where: { id }, select: { userId: true, tenantId: true } });
  const { userId, tenantId } = orNotFound(session, 'session');
  orNotFound((await endSessions(ctx, { id }, 'REVOKED')) || null, 'live session');
  ctx.audit({ resource: 'session', resourceId: id, tenantId, details: { userId } });
}
