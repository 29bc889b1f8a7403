import type { Actor, WriteContext } from '../types/context.ts';
import { AppError, invalidField } from '../utils/errors.ts';
import { voidOneTimeTokens } from './one-time-token.service.ts';

export type ProfileChange = {
  name?: string | undefined;
  phone?: string | null | undefined;
  email?: string | undefined;
};

/**
 * Changes the caller's own profile. A new email address counts only once it is confirmed by a link that is sent to it;
 * the old one is told, so that nobody's account is taken over unnoticed. Whether somebody else has the address does not
 * show here.
 * @throws AppError step_up_required for another address, validation_failed
 */
export async function updateProfile(ctx: WriteContext<Actor>, change: ProfileChange): Promise<void> {
  const { id } = ctx.actor;
  await ctx.db.$queryRaw`select id from users where id = ${id} for update`;
  const before = await ctx.db.user.findUniqueOrThrow({
    where: { id },
    select: { name: true, phone: true, email: true, pendingEmail: true },
  });
  const { name = before.name, phone = before.phone } = change;
  if (phone === null && before.email === null) {
    throw invalidField('phone', 'is all by which you can be reached: it cannot be removed');
  }
  const pendingEmail = pendingAfter(before, change.email);
  const after = { name, phone, pendingEmail };
  if (pendingEmail !== before.pendingEmail) await confirmLater(ctx, before, pendingEmail);
  await ctx.db.user.update({ where: { id }, data: { ...after, version: { increment: 1 } } });
  ctx.audit({ resource: 'user', resourceId: id, before, after });
}

/** The address that holds takes back one that waits. */
function pendingAfter(before: { email: string | null; pendingEmail: string | null }, email: string | undefined) {
  if (email === undefined) return before.pendingEmail;
  return email === before.email ? null : email;
}

async function confirmLater(
  ctx: WriteContext<Actor>,
  before: { email: string | null },
  pendingEmail: string | null,
): Promise<void> {
  const { id, tenantId } = ctx.actor;
  await voidOneTimeTokens(ctx, id, 'EMAIL_VERIFICATION');
  if (pendingEmail === null) return;
  assertJustProved(ctx);
  ctx.enqueue('email.verify-email', { userId: id }, { tenantId });
  if (before.email) ctx.enqueue('email.address-changing', { userId: id, to: before.email }, { tenantId });
}

/** Whoever gets hold of the address gets hold of the account. */
function assertJustProved({ actor, now }: WriteContext<Actor>): void {
  if (actor.elevatedUntil && actor.elevatedUntil > now) return;
  throw new AppError(
    'step_up_required',
    'To change your email address, prove again that it is you (POST /api/auth/step-up), then repeat this within ten minutes.',
  );
}
