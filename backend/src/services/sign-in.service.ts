import type { SignInMethod } from '../generated/prisma/enums.ts';
import type { ReadContext, WriteContext } from '../types/context.ts';
import { signAccessToken } from '../utils/token.ts';
import type { Account } from './auth.queries.ts';
import { grantsOf } from './principal.service.ts';
import { startSession } from './sessions.service.ts';

export type SignedIn = { refreshToken: string } & Awaited<ReturnType<typeof issueAccess>>;

export const maySignIn = (account: Account): boolean =>
  account.status === 'ACTIVE' && account.tenantStatus !== 'PURGED';

/** The access token of a session, with what the person may do now. */
export async function issueAccess(ctx: Pick<ReadContext, 'sql'>, account: Account, sessionId: string) {
  const { role, permissions, until } = await grantsOf(ctx.sql, account.id);
  const { id, email, type, tenantId, name } = account;
  const claims = {
    userId: id,
    email,
    role,
    type,
    permissions: [...permissions],
    sid: sessionId,
    pv: account.permissionVersion,
    ...(tenantId && { tenantId }),
  };
  // A role that ends takes the token with it, whether or not the job has seen to it by then.
  const { token, expiresIn } = signAccessToken(claims, until);
  return {
    accessToken: token,
    tokenType: 'Bearer' as const,
    expiresIn,
    user: { id, name, email, type, role, tenantId },
  };
}

/**
 * What every way of signing in ends with, once the person has proved who they are: a session and its tokens, in the
 * caller's transaction and with its audit row.
 * @param how by which means, and whether a second factor (or a passkey that verified its holder) took part
 */
export async function completeSignIn(
  tx: WriteContext,
  account: Account,
  how: { method: SignInMethod; mfa: boolean },
): Promise<SignedIn> {
  const session = await startSession(tx, account, how);
  await tx.db.user.update({ where: { id: account.id }, data: { lastLoginAt: tx.now } });
  tx.audit({ resource: 'session', resourceId: session.id, tenantId: account.tenantId, actor: account });
  return { refreshToken: session.refreshToken, ...(await issueAccess(tx, account, session.id)) };
}
