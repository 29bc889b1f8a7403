import type { ManualContext, WriteContext } from '../types/context.ts';
import { AppError } from '../utils/errors.ts';
import { hashPassword } from '../utils/password.ts';
import type { AccountName } from './auth.service.ts';
import { consumeOneTimeToken, voidOneTimeTokens } from './one-time-token.service.ts';
import { endSessions } from './sessions.service.ts';
import { forgiveTries, throttleKey } from './sign-in-throttle.service.ts';

/** Hands the whole question to a job: whether there is such an account is not known here, and cannot show. */
export function requestPasswordReset(ctx: WriteContext<null>, account: AccountName): void {
  ctx.enqueue('email.password-reset', { ...account, askedFrom: ctx.client.ip || undefined });
  ctx.audit({ resource: 'password', details: { by: account.email ? 'email' : 'phone' } });
}

/**
 * Sets a password with the token of a mail. Every session and every other token of the person ends; somebody who had
 * none yet becomes active, and the tries with the forgotten one no longer keep them out.
 * @throws AppError token_invalid
 */
export async function resetPassword(
  ctx: ManualContext<null>,
  { token, password }: { token: string; password: string },
): Promise<void> {
  const passwordHash = await hashPassword(password);
  const account = await ctx.transact(async (tx) => {
    const { userId, tenantId, purpose } = await consumeOneTimeToken(tx, token, ['PASSWORD_RESET', 'WELCOME']);
    const user = await tx.db.user.findUniqueOrThrow({ where: { id: userId }, select: { name: true, status: true } });
    if (user.status !== 'ACTIVE' && user.status !== 'PENDING') {
      throw new AppError('token_invalid', 'This account is closed. Contact StudySpot support.');
    }
    await tx.db.user.update({
      where: { id: userId },
      data: { passwordHash, passwordChangedAt: tx.now, status: 'ACTIVE', emailVerified: true },
    });
    await voidOneTimeTokens(tx, userId);
    const ended = await endSessions(tx, { userId }, 'PASSWORD_RESET');
    if (purpose === 'PASSWORD_RESET') tx.enqueue('email.password-changed', { userId }, { tenantId });
    tx.audit({
      resource: 'password',
      resourceId: userId,
      tenantId,
      actor: { id: userId, name: user.name },
      details: { ended, purpose },
    });
    return userId;
  });
  await forgiveTries(throttleKey(account, ctx.client.ip));
}
