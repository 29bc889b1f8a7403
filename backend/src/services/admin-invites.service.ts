import type { Actor, WriteContext } from '../types/context.ts';
import { AppError } from '../utils/errors.ts';
import { adminToChange } from './admin-target.policy.ts';
import { lockAdmin, type LockedAdmin } from './admin-users.queries.ts';
import { getAdmin } from './admin-users.service.ts';
import { issueOneTimeToken, voidOneTimeTokens } from './one-time-token.service.ts';

/** They were invited, and have never been in. */
const hasNeverAccepted = ({ status, hasPassword }: LockedAdmin): boolean =>
  status === 'PENDING' || (status === 'INACTIVE' && !hasPassword);

/** Sends the invitation again, also after it was revoked: links that went out before stop working. */
export async function sendInvite(ctx: WriteContext<Actor>, id: string) {
  const admin = await adminToChange(ctx, id, 'the invitation');
  if (!hasNeverAccepted(admin)) {
    throw new AppError('conflict', 'This admin has accepted the invitation already.');
  }
  await voidOneTimeTokens(ctx, id);
  await ctx.db.user.update({ where: { id }, data: { status: 'PENDING', version: { increment: 1 } } });
  ctx.enqueue('email.invite', { userId: id });
  ctx.audit({ resource: 'admin', resourceId: id, details: { email: admin.email } });
  return getAdmin(ctx, id);
}

/** Takes an invitation back: no link works any more, nor can one be had by way of a forgotten password. */
export async function revokeInvite(ctx: WriteContext<Actor>, id: string, reason?: string) {
  const admin = await adminToChange(ctx, id, 'the invitation');
  if (admin.status !== 'PENDING') {
    throw new AppError('conflict', 'There is no open invitation. Deactivate the admin instead.');
  }
  await voidOneTimeTokens(ctx, id);
  await ctx.db.user.update({ where: { id }, data: { status: 'INACTIVE', version: { increment: 1 } } });
  ctx.audit({ resource: 'admin', resourceId: id, details: { email: admin.email, ...(reason && { reason }) } });
  return getAdmin(ctx, id);
}

/**
 * Makes the link of an invitation as its mail is sent, and every earlier one worthless: whichever mail is sent last
 * works, however their jobs overtake each other.
 * @returns nothing when nobody waits for it any more, or at another address
 */
export async function issueInvite(
  ctx: WriteContext,
  { id, email }: { id: string; email: string },
  hours: number,
): Promise<string | undefined> {
  const admin = await ctx.sql.one<LockedAdmin>(lockAdmin(id));
  if (admin?.status !== 'PENDING' || admin.email !== email) return undefined;
  await voidOneTimeTokens(ctx, id, 'INVITE');
  return issueOneTimeToken(ctx, { userId: id, tenantId: null, purpose: 'INVITE', minutes: hours * 60 });
}
