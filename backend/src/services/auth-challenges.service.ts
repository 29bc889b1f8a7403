import { createHash, randomBytes } from 'node:crypto';
import type { AuthChallengePurpose } from '../generated/prisma/enums.ts';
import type { ReadContext, WriteContext } from '../types/context.ts';
import { newId } from '../utils/ids.ts';
import { liveChallenge, type Challenge } from './auth-challenges.queries.ts';

/** How long somebody has for the second half of what they began. */
export const CHALLENGE_SECONDS = 300;
/** After so many wrong answers a challenge is dead, whatever comes next. */
export const MOST_WRONG_ANSWERS = 5;

type NewChallenge = {
  purpose: AuthChallengePurpose;
  /** As it is stored: the challenge of a ceremony, or the hash of a token. */
  challenge: string;
  userId?: string;
  tenantId?: string | null;
  /** The session that begins it. */
  sessionId?: string;
};

/** 32 random bytes, base64url: the token of a sign-in, or the challenge of a ceremony. */
export const randomChallenge = (): string => randomBytes(32).toString('base64url');

/** What is stored of a token that its holder brings back. */
export const tokenHash = (token: string): string => createHash('sha256').update(token).digest('hex');

/** Writes down that something was begun; it can be completed once, within five minutes. */
export async function openChallenge(ctx: WriteContext, challenge: NewChallenge): Promise<void> {
  const expiresAt = new Date(ctx.now.getTime() + CHALLENGE_SECONDS * 1000);
  await ctx.db.authChallenge.create({ data: { id: newId(), ...challenge, createdAt: ctx.now, expiresAt } });
}

/** The challenge while it can still be answered. */
export const findChallenge = (
  ctx: Pick<ReadContext, 'sql'>,
  purpose: AuthChallengePurpose,
  challenge: string,
): Promise<Challenge | undefined> => ctx.sql.one<Challenge>(liveChallenge(purpose, challenge, MOST_WRONG_ANSWERS));

/**
 * Uses a challenge up: of two that bring it exactly one gets through.
 * @param owner whose it must be, and of which session
 * @returns false when it is unknown, used, expired or somebody else's: these are not told apart
 */
export async function useChallenge(
  ctx: WriteContext,
  purpose: AuthChallengePurpose,
  challenge: string,
  owner: { userId?: string | null; sessionId?: string } = {},
): Promise<boolean> {
  const { count } = await ctx.db.authChallenge.updateMany({
    where: {
      purpose,
      challenge,
      ...owner,
      usedAt: null,
      expiresAt: { gt: ctx.now },
    },
    data: { usedAt: ctx.now },
  });
  return count === 1;
}

/**
 * Counts a try before its answer is looked at, so that parallel ones cannot slip through.
 * @returns false when the challenge takes no more
 */
export async function claimAnswer(
  ctx: WriteContext,
  purpose: AuthChallengePurpose,
  challenge: string,
): Promise<boolean> {
  const { count } = await ctx.db.authChallenge.updateMany({
    where: { purpose, challenge, usedAt: null, failures: { lt: MOST_WRONG_ANSWERS }, expiresAt: { gt: ctx.now } },
    data: { failures: { increment: 1 } },
  });
  return count === 1;
}

/** Makes everything worthless that the person has begun. */
export async function voidChallenges(ctx: WriteContext, userId: string): Promise<void> {
  await ctx.db.authChallenge.updateMany({ where: { userId, usedAt: null }, data: { usedAt: ctx.now } });
}
