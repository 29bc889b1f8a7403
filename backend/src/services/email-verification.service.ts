import type { Actor, ManualContext, WriteContext } from '../types/context.ts';
import { AppError } from '../utils/errors.ts';
import { consumeOneTimeToken, issueOneTimeToken, voidOneTimeTokens } from './one-time-token.service.ts';

export const VERIFICATION_HOURS = 24;

/**
 * Makes the token for the mail to an address, while that is still the one to be confirmed: a link that was sent to one
 * address never confirms another.
 * @returns undefined when it no longer is
 */
export async function issueVerification(
  tx: WriteContext,
  user: { id: string; tenantId: string | null },
  address: string,
): Promise<string | undefined> {
  const current = await lockAddresses(tx, user.id);
  if (!current || addressToConfirm(current) !== address) return undefined;
  return issueOneTimeToken(tx, {
    userId: user.id,
    tenantId: user.tenantId,
    purpose: 'EMAIL_VERIFICATION',
    minutes: VERIFICATION_HOURS * 60,
  });
}

export type Addresses = { email: string | null; pendingEmail: string | null; emailVerified: boolean };

/** The address that waits to be confirmed, if there is one. */
export const addressToConfirm = ({ email, pendingEmail, emailVerified }: Addresses): string | null =>
  pendingEmail ?? (emailVerified ? null : email);

async function lockAddresses(tx: WriteContext, userId: string): Promise<(Addresses & { name: string }) | undefined> {
  const [row] = await tx.db.$queryRaw<(Addresses & { name: string })[]>`
    select name, email, pending_email as "pendingEmail", email_verified as "emailVerified"
      from users where id = ${userId} and status in ('ACTIVE', 'PENDING') for update`;
  return row;
}

/**
 * Confirms the address to which the link was sent; one that waited takes the place of the old, and links that were sent
 * to the old one end.
 * @throws AppError token_invalid; conflict when somebody else has taken the address meanwhile
 */
export async function verifyEmail(ctx: ManualContext<null>, token: string): Promise<void> {
  await ctx.transact(async (tx) => {
    const { userId, tenantId } = await consumeOneTimeToken(tx, token, ['EMAIL_VERIFICATION']);
    const user = await lockAddresses(tx, userId);
    if (!user) throw new AppError('token_invalid', 'This account is closed. Contact StudySpot support.');
    const { name, pendingEmail } = user;
    if (pendingEmail) await assertFree(tx, pendingEmail, userId);
    await tx.db.user.update({
      where: { id: userId },
      data: { emailVerified: true, ...(pendingEmail && { email: pendingEmail, pendingEmail: null }) },
    });
    await voidOneTimeTokens(tx, userId, pendingEmail ? undefined : 'EMAIL_VERIFICATION');
    const changed = pendingEmail ? { before: { email: user.email }, after: { email: pendingEmail } } : {};
    tx.audit({ resource: 'user', resourceId: userId, tenantId, actor: { id: userId, name }, ...changed });
  });
}

async function assertFree(tx: WriteContext, email: string, userId: string): Promise<void> {
  const other = await tx.db.user.findFirst({ where: { email, id: { not: userId } }, select: { id: true } });
  if (other) {
    throw new AppError('conflict', 'Another account has this email address. Choose another one in your profile.');
  }
}

/** Sends another link to the address that waits to be confirmed. @throws AppError conflict when there is none */
export async function resendVerification(ctx: WriteContext<Actor>): Promise<void> {
  const { id, tenantId } = ctx.actor;
  const addresses = await lockAddresses(ctx, id);
  if (!addresses || addressToConfirm(addresses) === null) {
    throw new AppError('conflict', 'Your email address is confirmed already: there is nothing to do.');
  }
  ctx.enqueue('email.verify-email', { userId: id }, { tenantId });
  ctx.audit({ resource: 'user', resourceId: id });
}
