import type { ManualContext, WriteContext } from '../types/context.ts';
import { AppError } from '../utils/errors.ts';
import { isGenuineRefreshToken, parseRefreshToken, refreshTokenOf, type RefreshTokenParts } from '../utils/token.ts';
import { accountById, lockSession, type Account, type LockedSession } from './auth.queries.ts';
import { raiseSecurityEvent } from './security-events.service.ts';
import { endSessions, secondsUntil, sessionEnd } from './sessions.service.ts';
import { issueAccess, maySignIn } from './sign-in.service.ts';
import { standingOf } from './standing.service.ts';

/** A token that was replaced this short a time ago is a second tab or a lost answer, not a theft. */
const REPLAY_GRACE_MS = 10_000;
const ROTATIONS_KEPT = 10;

const signInAgain = () => new AppError('unauthenticated', 'The session has ended. Sign in again.');

type Verdict = 'rotate' | 'repeat' | 'reuse';

/** What a genuine token of an older or the current rotation means (rule 2). */
export function judgeRefresh(
  session: Pick<LockedSession, 'refreshGeneration' | 'rotations'>,
  generation: number,
  now: Date,
): Verdict {
  const age = session.refreshGeneration - generation;
  if (age === 0) return 'rotate';
  if (age === 1) return 'repeat';
  const replacedAt = session.rotations.at(-age);
  const isRecent = age > 1 && replacedAt !== undefined && now.getTime() - replacedAt.getTime() <= REPLAY_GRACE_MS;
  return isRecent ? 'repeat' : 'reuse';
}

/**
 * A new access token for a refresh token, which is replaced. Two tabs that refresh at once both get the same new one;
 * a token older than that ends the session.
 * @throws AppError unauthenticated
 */
export async function refresh(ctx: ManualContext<null>, token: string | undefined) {
  const parts = token === undefined ? undefined : parseRefreshToken(token);
  if (!parts) throw signInAgain();
  const refreshed = await ctx.transact(async (tx) => {
    const session = await tx.sql.one<LockedSession>(lockSession(parts.sessionId));
    if (!session?.live || !isGenuineRefreshToken(session, parts)) return undefined;
    return useToken(tx, session, parts);
  });
  if (!refreshed) throw signInAgain();
  return refreshed;
}

async function useToken(tx: WriteContext, session: LockedSession, { generation }: RefreshTokenParts) {
  const account = await tx.sql.one<Account>(accountById(session.userId));
  if (!account || !maySignIn(account)) return undefined;
  const verdict = judgeRefresh(session, generation, tx.now);
  if (verdict === 'reuse') return endStolenSession(tx, session, account, generation);
  const expiresAt = await sessionEnd(tx, account.type, session);
  if (!expiresAt) return void (await endSessions(tx, { id: session.id }, 'POLICY'));
  const { restriction } = await standingOf(tx.sql, account.id, tx.now);
  const active = verdict === 'rotate' ? session.refreshGeneration + 1 : session.refreshGeneration;
  await tx.db.session.update({
    where: { id: session.id },
    data: {
      lastSeenAt: tx.now,
      expiresAt,
      restriction,
      ...(verdict === 'rotate' && {
        refreshGeneration: active,
        rotations: [...session.rotations, tx.now].slice(-ROTATIONS_KEPT),
      }),
    },
  });
  return {
    refreshToken: refreshTokenOf(session, active),
    refreshSeconds: secondsUntil(expiresAt, tx.now),
    ...(await issueAccess(tx, account, session.id)),
  };
}

async function endStolenSession(
  tx: WriteContext,
  session: LockedSession,
  account: Account,
  generation: number,
): Promise<undefined> {
  await endSessions(tx, { id: session.id }, 'REFRESH_REUSE');
  await raiseSecurityEvent(tx, {
    type: 'REFRESH_REUSE',
    tenantId: account.tenantId,
    userId: account.id,
    sessionId: session.id,
    details: { presented: generation, active: session.refreshGeneration },
  });
  tx.audit({
    action: 'security.refresh_reuse',
    resource: 'session',
    resourceId: session.id,
    tenantId: account.tenantId,
    outcome: 'DENIED',
    actor: account,
    details: { presented: generation, active: session.refreshGeneration },
  });
  tx.log.warn('An old refresh token came back: the session was ended', { sessionId: session.id, userId: account.id });
}
