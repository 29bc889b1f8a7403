import { randomBytes } from 'node:crypto';
import { environment } from '../config/environment.ts';
import type { SessionEnding, SignInMethod } from '../generated/prisma/enums.ts';
import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import { orNotFound } from '../utils/errors.ts';
import { newId } from '../utils/ids.ts';
import { page } from '../utils/page.ts';
import { sql } from '../utils/sql.ts';
import { refreshTokenOf } from '../utils/token.ts';
import { liveSessionCount, liveSessions, type SessionRow } from './auth.queries.ts';

const DAY_MS = 86_400_000;

/** A session without a refresh ends after this. */
export const sessionEnd = (now: Date): Date => new Date(now.getTime() + environment().REFRESH_TOKEN_DAYS * DAY_MS);

/** Begins a session. @returns its id and first refresh token, which is stored nowhere */
export async function startSession(
  ctx: WriteContext,
  user: { id: string; tenantId: string | null },
  how: { method: SignInMethod; mfa: boolean },
): Promise<{ id: string; refreshToken: string }> {
  const session = { id: newId(), refreshSeed: randomBytes(24).toString('base64url') };
  await ctx.db.session.create({
    data: {
      ...session,
      ...how,
      userId: user.id,
      tenantId: user.tenantId,
      ipAddress: ctx.client.ip || null,
      userAgent: ctx.client.userAgent,
      createdAt: ctx.now,
      lastSeenAt: ctx.now,
      expiresAt: sessionEnd(ctx.now),
    },
  });
  return { id: session.id, refreshToken: refreshTokenOf(session, 0) };
}

type SessionFilter = { id?: string | { not: string }; userId?: string; tenantId?: string };

/** Ends the sessions that are still live. Their access tokens fail with the next request. @returns how many */
export async function endSessions(ctx: WriteContext, filter: SessionFilter, reason: SessionEnding): Promise<number> {
  const { count } = await ctx.db.session.updateMany({
    where: { ...filter, revokedAt: null, expiresAt: { gt: ctx.now } },
    data: { revokedAt: ctx.now, revokedReason: reason },
  });
  return count;
}

export const listSessions = (ctx: ReadContext<Actor>, query: { page: number; limit: number }) =>
  page<SessionRow>(ctx, query, {
    rows: sql`${liveSessions(ctx.actor.id, ctx.actor.sessionId)} order by created_at desc, id desc`,
    count: liveSessionCount(ctx.actor.id),
  });

/** Ends one session of the caller's own. @throws AppError not_found for anybody else's, or one that has ended */
export async function revokeSession(ctx: WriteContext<Actor>, id: string): Promise<void> {
  const count = await endSessions(ctx, { id, userId: ctx.actor.id }, 'REVOKED');
  orNotFound(count || null, 'session');
  ctx.audit({ resource: 'session', resourceId: id });
}

/** Ends every session of the caller but the one they are using. */
export async function revokeOtherSessions(ctx: WriteContext<Actor>): Promise<number> {
  const { id: userId, sessionId } = ctx.actor;
  const count = await endSessions(ctx, { userId, id: { not: sessionId } }, 'REVOKED');
  ctx.audit({ resource: 'session', details: { ended: count } });
  return count;
}
