import type { OneTimeTokenPurpose } from '../generated/prisma/enums.ts';
import type { ManualContext, ReadContext, WriteContext } from '../types/context.ts';
import { AppError } from '../utils/errors.ts';
import { hashPassword } from '../utils/password.ts';
import { voidChallenges } from './auth-challenges.service.ts';
import type { AccountName } from './auth.service.ts';
import { endLockouts } from './login-attempts.service.ts';
import { consumeOneTimeToken, hashOfToken, linkInvalid, voidOneTimeTokens } from './one-time-token.service.ts';
import { ownerOfToken, type PasswordOwner } from './passwords.queries.ts';
import { assertAcceptablePassword, setPassword } from './passwords.service.ts';
import { endSessions } from './sessions.service.ts';
import { forgetTries, liftThrottle } from './sign-in-throttle.service.ts';

/** Hands the whole question to a job: whether there is such an account is not known here, and cannot show. */
export function requestPasswordReset(ctx: WriteContext<null>, account: AccountName): void {
  ctx.enqueue('email.password-reset', { ...account, askedFrom: ctx.client.ip || undefined });
  ctx.audit({ resource: 'password', details: { by: account.email ? 'email' : 'phone' } });
}

/**
 * Whose link it is, before it is used up: what the password must be depends on the person.
 * @throws AppError token_invalid
 */
export async function ownerOfLink(
  ctx: Pick<ReadContext, 'sql'>,
  token: string,
  purposes: OneTimeTokenPurpose[],
): Promise<PasswordOwner> {
  const owner = await ctx.sql.one<PasswordOwner>(ownerOfToken(hashOfToken(token), purposes));
  if (!owner) throw linkInvalid();
  return owner;
}

const PURPOSES: OneTimeTokenPurpose[] = ['PASSWORD_RESET', 'WELCOME'];

/**
 * Sets a password with the token of a mail. Every session and every other token of the person ends; somebody who had
 * none yet becomes active, and the tries with the forgotten one no longer keep them out. A second factor stays (rule 4).
 * @throws AppError token_invalid, validation_failed
 */
export async function resetPassword(
  ctx: ManualContext<null>,
  { token, password }: { token: string; password: string },
): Promise<void> {
  const user = await ownerOfLink(ctx, token, PURPOSES);
  if (user.status !== 'ACTIVE' && user.status !== 'PENDING') {
    throw new AppError('token_invalid', 'This account is closed. Contact StudySpot support.');
  }
  await assertAcceptablePassword(ctx, user, password);
  const passwordHash = await hashPassword(password);
  const locked = await ctx.transact(async (tx) => {
    const { purpose } = await consumeOneTimeToken(tx, token, PURPOSES);
    await setPassword(tx, user, passwordHash, { status: 'ACTIVE', emailVerified: true });
    await voidOneTimeTokens(tx, user.id);
    await voidChallenges(tx, user.id);
    const ended = await endSessions(tx, { userId: user.id }, 'PASSWORD_RESET');
    if (purpose === 'PASSWORD_RESET') {
      tx.enqueue('email.password-changed', { userId: user.id }, { tenantId: user.tenantId });
    }
    tx.audit({
      resource: 'password',
      resourceId: user.id,
      tenantId: user.tenantId,
      actor: user,
      details: { ended, purpose },
    });
    return endLockouts(tx, user.id);
  });
  await Promise.all([forgetTries({ account: user.id, ip: ctx.client.ip }), ...locked.map(liftThrottle)]);
}
