import { randomBytes } from 'node:crypto';
import { environment } from '../config/environment.ts';
import type { SessionEnding, SessionRestriction, SignInMethod } from '../generated/prisma/enums.ts';
import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import { orNotFound } from '../utils/errors.ts';
import { newId } from '../utils/ids.ts';
import { page } from '../utils/page.ts';
import { sql } from '../utils/sql.ts';
import { refreshTokenOf } from '../utils/token.ts';
import { liveSessionCount, liveSessions, type Account, type SessionRow } from './auth.queries.ts';
import { deviceName } from './device.service.ts';
import { countryOf } from './place.service.ts';
import { policyOf, type SecurityPolicy } from './security-policies.service.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** How long sessions of such a person may go unused, and how long they may last, in milliseconds. */
function sessionLimits(type: Account['type'], policy: SecurityPolicy<'SESSION'>): { idle: number; absolute: number } {
  const isAdmin = type === 'ADMIN_USER';
  const idle = (isAdmin ? policy.adminIdleMinutes : policy.idleMinutes) * MINUTE_MS;
  const absolute = (isAdmin ? policy.adminAbsoluteHours : policy.absoluteHours) * 60 * MINUTE_MS;
  return { idle: Math.min(idle, environment().REFRESH_TOKEN_DAYS * DAY_MS), absolute };
}

/**
 * When a session ends that is used now, by the policy that holds now.
 * @returns undefined when it should have ended already
 */
export async function sessionEnd(
  ctx: Pick<ReadContext, 'sql' | 'now'>,
  type: Account['type'],
  session: { createdAt: Date; lastSeenAt: Date },
): Promise<Date | undefined> {
  const { idle, absolute } = sessionLimits(type, await policyOf(ctx, 'SESSION'));
  const now = ctx.now.getTime();
  const latest = session.createdAt.getTime() + absolute;
  if (latest <= now || session.lastSeenAt.getTime() + idle <= now) return undefined;
  return new Date(Math.min(now + idle, latest));
}

export const secondsUntil = (end: Date, now: Date): number => Math.floor((end.getTime() - now.getTime()) / 1000);

export type SessionStart = {
  method: SignInMethod;
  mfa: boolean;
  restriction?: SessionRestriction | null;
  knownDeviceId?: string;
  /** The impersonation that it serves: it ends with that, and is not refreshed. */
  impersonation?: { id: string; expiresAt: Date };
};

/** Begins a session. @returns its id and first refresh token, which is stored nowhere */
export async function startSession(
  ctx: WriteContext,
  user: Pick<Account, 'id' | 'tenantId' | 'type'>,
  { impersonation, ...how }: SessionStart,
): Promise<{ id: string; refreshToken: string; refreshSeconds: number }> {
  const session = { id: newId(), refreshSeed: randomBytes(24).toString('base64url') };
  const times = { createdAt: ctx.now, lastSeenAt: ctx.now };
  const expiresAt = impersonation?.expiresAt ?? (await sessionEnd(ctx, user.type, times)) ?? ctx.now;
  await ctx.db.session.create({
    data: {
      ...session,
      ...how,
      ...times,
      expiresAt,
      userId: user.id,
      tenantId: user.tenantId,
      ipAddress: ctx.client.ip || null,
      userAgent: ctx.client.userAgent,
      country: countryOf(ctx.client.ip),
      impersonationId: impersonation?.id ?? null,
    },
  });
  const refreshSeconds = secondsUntil(expiresAt, ctx.now);
  return { id: session.id, refreshToken: refreshTokenOf(session, 0), refreshSeconds };
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

/** Where the caller is signed in, newest first; also where somebody of the support acts in their name. */
export async function listSessions(ctx: ReadContext<Actor>, query: { page: number; limit: number }) {
  const { items, meta } = await page<SessionRow>(ctx, query, {
    rows: sql`${liveSessions(ctx.actor.id, ctx.actor.sessionId)} order by created_at desc, id desc`,
    count: liveSessionCount(ctx.actor.id),
  });
  return { items: items.map((row) => ({ ...row, device: deviceName(row.userAgent) })), meta };
}

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
