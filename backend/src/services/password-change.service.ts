import type { Actor, ManualContext, WriteContext } from '../types/context.ts';
import { AppError, invalidField, orNotFound } from '../utils/errors.ts';
import { hashPassword, verifyPassword } from '../utils/password.ts';
import { voidChallenges } from './auth-challenges.service.ts';
import { recordWaits } from './login-attempts.service.ts';
import { voidOneTimeTokens } from './one-time-token.service.ts';
import { passwordOwner, type PasswordOwner } from './passwords.queries.ts';
import { assertAcceptablePassword, setPassword } from './passwords.service.ts';
import { policyOf } from './security-policies.service.ts';
import { endSessions } from './sessions.service.ts';
import { claimTry, forgiveTries, type Claim } from './sign-in-throttle.service.ts';
import { refreshRestriction } from './standing.service.ts';

type Change = { currentPassword: string; newPassword: string };

/**
 * Changes the caller's own password. Every other session, every link that was sent and every sign-in that was begun end;
 * a session that was good for nothing else since the password had expired is whole again.
 * @throws AppError validation_failed for a wrong current password or an unacceptable new one; conflict
 */
export async function changePassword(ctx: ManualContext<Actor>, input: Change): Promise<void> {
  const { id, sessionId } = ctx.actor;
  const user = orNotFound(await ctx.sql.one<PasswordOwner>(passwordOwner(id)), 'user');
  if (user.passwordHash === null) {
    throw new AppError(
      'conflict',
      'This account has no password yet. Ask for a link with "Forgot password" to set one.',
    );
  }
  await assertCurrentPassword(ctx, user, input.currentPassword);
  await assertAcceptablePassword(ctx, user, input.newPassword, 'newPassword');
  const passwordHash = await hashPassword(input.newPassword);
  await ctx.transact(async (tx) => {
    await setPassword(tx, user, passwordHash);
    const ended = await endSessions(tx, { userId: id, id: { not: sessionId } }, 'PASSWORD_CHANGED');
    await voidOneTimeTokens(tx, id);
    await voidChallenges(tx, id);
    await refreshRestriction(tx, id);
    tx.enqueue('email.password-changed', { userId: id }, { tenantId: user.tenantId });
    tx.audit({ resource: 'password', resourceId: id, details: { ended } });
  });
}

/** Who has found an open session must not be able to guess the password in it: tries are counted, by session. */
async function assertCurrentPassword(ctx: ManualContext<Actor>, user: PasswordOwner, password: string): Promise<void> {
  const trier = { account: user.id, ip: ctx.client.ip, trusted: `session:${ctx.actor.sessionId}` };
  const claim = await claimTry('password', trier, await policyOf(ctx, 'LOCKOUT'));
  const matches = await verifyPassword(user.passwordHash, password);
  if (claim.allowed && matches) return forgiveTries(claim);
  await ctx.transact((tx) => recordWrongPassword(tx, user, claim));
  throw invalidField('currentPassword', 'is not your password, or there were too many tries: wait a few minutes');
}

async function recordWrongPassword(tx: WriteContext<Actor>, user: PasswordOwner, claim: Claim): Promise<void> {
  await recordWaits(tx, claim, { account: user, typed: user.email ?? user.phone ?? user.id });
  tx.audit({ resource: 'password', resourceId: user.id, outcome: 'FAILURE', details: { locked: !claim.allowed } });
}
