import { createHash, randomBytes } from 'node:crypto';
import { AppError } from '../utils/errors.ts';
import type { OneTimeTokenPurpose } from '../generated/prisma/enums.ts';
import type { WriteContext } from '../types/context.ts';

/** What is stored of a token. */
export const hashOfToken = (token: string): string => createHash('sha256').update(token).digest('hex');

/**
 * Makes a secret that works once, for a link in a mail. Only its hash is stored, so call this where the mail is sent.
 * @param minutes how long it works
 */
export async function issueOneTimeToken(
  ctx: WriteContext,
  options: { userId: string; tenantId: string | null; purpose: OneTimeTokenPurpose; minutes: number },
): Promise<string> {
  const { minutes, ...owner } = options;
  const token = randomBytes(32).toString('base64url');
  const expiresAt = new Date(ctx.now.getTime() + minutes * 60_000);
  await ctx.db.oneTimeToken.create({
    data: { ...owner, tokenHash: hashOfToken(token), createdAt: ctx.now, expiresAt },
  });
  return token;
}

export const linkInvalid = (): AppError =>
  new AppError('token_invalid', 'This link has expired or was used already. Ask for a new one.');

/**
 * Uses a token up. Of two requests with the same token exactly one gets through.
 * @throws AppError token_invalid for one that is unknown, used or expired: the three are not told apart
 */
export async function consumeOneTimeToken(
  ctx: WriteContext,
  token: string,
  purposes: OneTimeTokenPurpose[],
): Promise<{ userId: string; tenantId: string | null; purpose: OneTimeTokenPurpose }> {
  const tokenHash = hashOfToken(token);
  const used = await ctx.db.oneTimeToken.updateMany({
    where: { tokenHash, purpose: { in: purposes }, usedAt: null, expiresAt: { gt: ctx.now } },
    data: { usedAt: ctx.now },
  });
  if (used.count !== 1) throw linkInvalid();
  return ctx.db.oneTimeToken.findUniqueOrThrow({
    where: { tokenHash },
    select: { userId: true, tenantId: true, purpose: true },
  });
}

/** Makes every unused token of the person worthless. @param purpose of these only */
export async function voidOneTimeTokens(
  ctx: WriteContext,
  userId: string,
  purpose?: OneTimeTokenPurpose,
): Promise<void> {
  await ctx.db.oneTimeToken.updateMany({
    where: { userId, usedAt: null, ...(purpose && { purpose }) },
    data: { usedAt: ctx.now },
  });
}
