import type { ManualContext } from '../types/context.ts';
import { AppError } from '../utils/errors.ts';
import { hashPassword } from '../utils/password.ts';
import { consumeOneTimeToken, voidOneTimeTokens } from './one-time-token.service.ts';
import { ownerOfLink } from './password-reset.service.ts';
import { assertAcceptablePassword, setPassword } from './passwords.service.ts';

/**
 * Makes an account active for which somebody was invited: they say how they are called and choose a password. The roles
 * are those that the invitation gave.
 * @throws AppError token_invalid, also for an account that is active or closed by now; validation_failed
 */
export async function acceptInvite(
  ctx: ManualContext<null>,
  { token, name, password }: { token: string; name: string; password: string },
): Promise<void> {
  const user = { ...(await ownerOfLink(ctx, token, ['INVITE'])), name };
  if (user.status !== 'PENDING') {
    throw new AppError('token_invalid', 'This invitation was taken up or withdrawn already. Ask for a new one.');
  }
  await assertAcceptablePassword(ctx, user, password);
  const passwordHash = await hashPassword(password);
  await ctx.transact(async (tx) => {
    await consumeOneTimeToken(tx, token, ['INVITE']);
    await setPassword(tx, user, passwordHash, { name, status: 'ACTIVE', emailVerified: true });
    await voidOneTimeTokens(tx, user.id);
    tx.audit({ resource: 'user', resourceId: user.id, tenantId: user.tenantId, actor: user, after: { name } });
  });
}
