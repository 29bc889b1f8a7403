import type { Actor, ReadContext, Reader, WriteContext } from '../types/context.ts';
import { AppError, orNotFound } from '../utils/errors.ts';
import type { Account } from './auth.queries.ts';
import {
  CHALLENGE_SECONDS,
  openChallenge,
  randomChallenge,
  tokenHash,
  voidChallenges,
} from './auth-challenges.service.ts';
import { addressAllowedTo, factorsOf, lockedPerson, setUpOf, type FactorsRow, type MfaRow } from './mfa.queries.ts';
import { endSessions } from './sessions.service.ts';
import {
  refreshRestriction,
  standingFrom,
  standingOf,
  standingQueries,
  type StandingRows,
} from './standing.service.ts';
import { assertSteppedUp } from './step-up.policy.ts';

export type SecondFactor = 'totp' | 'passkey' | 'recovery_code';

/** The second factors that a person can answer with; none means that the password is enough. */
export async function secondFactorsOf(sql: Reader, userId: string): Promise<SecondFactor[]> {
  const held = await sql.one<FactorsRow>(factorsOf(userId));
  // A recovery code stands in for another factor; left over by itself it demands nothing.
  if (!held || !(held.totp || held.passkey)) return [];
  return [
    ...(held.totp ? (['totp'] as const) : []),
    ...(held.passkey ? (['passkey'] as const) : []),
    ...(held.recoveryCode ? (['recovery_code'] as const) : []),
  ];
}

/** Half of a sign-in is done: whoever brings this challenge back with a second factor is in (rule 4). */
export async function beginSecondFactor(tx: WriteContext, account: Account, methods: SecondFactor[]) {
  const challenge = randomChallenge();
  await openChallenge(tx, {
    purpose: 'SIGN_IN',
    challenge: tokenHash(challenge),
    userId: account.id,
    tenantId: account.tenantId,
  });
  return { challenge, methods, expiresIn: CHALLENGE_SECONDS };
}

/** What the caller has set up, and until when they have to where they have nothing. */
export async function getSecondFactors(ctx: ReadContext<Actor>) {
  const { id } = ctx.actor;
  const [[found], ...standing] = await ctx.sql.batch<[MfaRow[], ...StandingRows]>(setUpOf(id), ...standingQueries(id));
  const { mfaEnabled, mfaDeadline } = standingFrom(standing, ctx.now);
  return { ...orNotFound(found, 'user'), enabled: mfaEnabled, deadline: mfaDeadline };
}

/** Address rules hold for the second half of a sign-in as for the first (rule 7). */
export async function mayComeFrom(tx: WriteContext, account: Account): Promise<boolean> {
  const found = await tx.sql.one<{ addressAllowed: boolean }>(addressAllowedTo(account, tx.client.ip));
  return found?.addressAllowed === true;
}

export type LockedPerson = { id: string; tenantId: string | null; name: string; requiredSince: Date | null };

/**
 * Whoever uses or changes the second factors of a person waits here for whoever is at it: of two that remove one each
 * the second sees that only the last is left.
 */
export const lockPerson = async (tx: WriteContext, userId: string): Promise<LockedPerson> =>
  orNotFound(await tx.sql.one<LockedPerson>(lockedPerson(userId)), 'user');

/**
 * A stolen session must not be enough to add a key of one's own to a door that has one. Whoever has no second factor
 * yet sets up the first one without.
 * @throws AppError step_up_required
 */
export async function assertMayAddFactor(tx: WriteContext<Actor>): Promise<void> {
  if ((await secondFactorsOf(tx.sql, tx.actor.id)).length > 0) assertSteppedUp(tx.actor);
}

/** Call it after a factor was added: what the person had to do is done, and they hear of it. */
export async function settleAddition(tx: WriteContext, person: LockedPerson, change: MfaChange): Promise<void> {
  await refreshRestriction(tx, person.id);
  tellOfChange(tx, person, change);
}

/**
 * Call it after a factor was removed, in the same transaction. With the last one its recovery codes go as well.
 * @throws AppError conflict when it was the last one and the person has to have one
 */
export async function settleRemoval(tx: WriteContext, person: LockedPerson, change: MfaChange): Promise<void> {
  tellOfChange(tx, person, change);
  const { mfaEnabled, mfaDeadline } = await standingOf(tx.sql, person.id, tx.now);
  if (mfaEnabled) return;
  if (mfaDeadline !== null) {
    throw new AppError(
      'conflict',
      'You have to have a second factor, and this is the last one. Add another one first.',
    );
  }
  await tx.db.recoveryCode.deleteMany({ where: { userId: person.id } });
}

export type MfaChange =
  'TOTP_ON' | 'TOTP_OFF' | 'PASSKEY_ADDED' | 'PASSKEY_REMOVED' | 'RECOVERY_CODES_RENEWED' | 'RESET';

/** The person hears of every change to their second factors, in case it was not them. */
export function tellOfChange(
  tx: WriteContext,
  person: { id: string; tenantId: string | null },
  change: MfaChange,
): void {
  tx.enqueue('email.mfa-changed', { userId: person.id, change }, { tenantId: person.tenantId });
}

/**
 * Takes every second factor from a person who has lost theirs: authenticator app, recovery codes, passkeys and whatever
 * was begun. Every session ends. May the caller do this to that person? The guards are theirs, as is the audit row.
 * @returns how many sessions ended
 */
export async function resetMfa(tx: WriteContext, userId: string): Promise<number> {
  const person = await lockPerson(tx, userId);
  await voidChallenges(tx, userId);
  await tx.db.totpCredential.deleteMany({ where: { userId } });
  await tx.db.recoveryCode.deleteMany({ where: { userId } });
  await tx.db.passkey.deleteMany({ where: { userId } });
  const ended = await endSessions(tx, { userId }, 'MFA_RESET');
  tellOfChange(tx, person, 'RESET');
  return ended;
}

/** Demands a second factor of a person, whatever the policy says, or leaves it to the policy again. */
export async function requireMfa(tx: WriteContext, userId: string, required: boolean): Promise<void> {
  const { requiredSince } = await lockPerson(tx, userId);
  // Demanded twice, the grace does not begin anew.
  const mfaRequiredSince = required ? (requiredSince ?? tx.now) : null;
  await tx.db.user.update({ where: { id: userId }, data: { mfaRequiredSince } });
  await refreshRestriction(tx, userId);
}
