import { createHash } from 'node:crypto';
import type { ManualContext, ReadContext, WriteContext } from '../types/context.ts';
import { AppError } from '../utils/errors.ts';
import { turnstile } from '../utils/turnstile.ts';
import type { Assertion } from '../utils/webauthn.ts';
import { accountById, type Account } from './auth.queries.ts';
import { claimAnswer, findChallenge, tokenHash, useChallenge } from './auth-challenges.service.ts';
import { knownDevice } from './known-devices.service.ts';
import { nameOfAccount, recordAttempt, recordWaits } from './login-attempts.service.ts';
import { lockPerson, mayComeFrom } from './mfa.service.ts';
import { assertionOptions, takeAssertion } from './passkeys.service.ts';
import { credentialsOf, type CredentialName } from './passkeys.queries.ts';
import { useRecoveryCode } from './recovery-codes.service.ts';
import { policyOf } from './security-policies.service.ts';
import { completeSignIn, maySignIn, type SignedIn } from './sign-in.service.ts';
import { claimTry, forgiveTries, type Claim } from './sign-in-throttle.service.ts';
import { useTotpCode } from './totp.service.ts';

/** One of the three. */
export type FactorAnswer = {
  code?: string | undefined;
  recoveryCode?: string | undefined;
  passkey?: Assertion | undefined;
};

/** How many recovery codes are left, where one was used. */
export type Proof = { recoveryCodesLeft: number | null };

/**
 * Uses up a code, a recovery code or the signature of a passkey. The person is locked by the caller.
 * @param ceremony the challenge that a passkey has to answer
 * @returns undefined when it is wrong
 */
export async function proveWith(
  tx: WriteContext,
  person: { id: string; tenantId: string | null },
  { code, recoveryCode, passkey }: FactorAnswer,
  ceremony: string,
): Promise<Proof | undefined> {
  if (code !== undefined) return (await useTotpCode(tx, person.id, code)) ? { recoveryCodesLeft: null } : undefined;
  if (recoveryCode !== undefined) {
    const recoveryCodesLeft = await useRecoveryCode(tx, person, recoveryCode);
    return recoveryCodesLeft === undefined ? undefined : { recoveryCodesLeft };
  }
  if (!passkey || !(await takeAssertion(tx, person, passkey, ceremony))) return undefined;
  return { recoveryCodesLeft: null };
}

/** The challenge of the ceremony that completes a sign-in: bound to it, and used up with it. */
const ceremonyOf = (token: string): string => createHash('sha256').update(`passkey:${token}`).digest('base64url');

const expired = () =>
  new AppError('token_invalid', 'This sign-in has expired, was completed, or had too many wrong codes. Sign in again.');

const wrong = () =>
  new AppError(
    'invalid_credentials',
    'The code or passkey is wrong or was used already, or there were too many tries: wait a few minutes.',
  );

/** What the browser needs to complete a sign-in with a passkey. @throws AppError token_invalid */
export async function secondFactorOptions(ctx: Pick<ReadContext, 'sql'>, token: string) {
  const begun = await findChallenge(ctx, 'SIGN_IN', tokenHash(token));
  if (!begun?.userId) throw expired();
  return assertionOptions(ceremonyOf(token), await ctx.sql.many<CredentialName>(credentialsOf(begun.userId)));
}

// Each writes to an audit chain under its lock: whoever had to wait for that would hold a connection. Those who bring
// no challenge of ours have a queue of their own.
const tries = turnstile(2);
const strangeTries = turnstile(1);

type Try = {
  account: Account;
  challenge: string;
  token: string;
  deviceToken: string | undefined;
  answer: FactorAnswer;
  claim: Claim;
};

/**
 * Completes a sign-in that waits for its second factor. Its challenge takes five wrong answers, and one right one.
 * Wrong ones count for the account too, apart from wrong passwords.
 * @throws AppError token_invalid for a challenge that is over; invalid_credentials
 */
export async function verifySecondFactor(
  ctx: ManualContext<null>,
  { challenge: token, deviceToken, ...answer }: FactorAnswer & { challenge: string; deviceToken?: string | undefined },
): Promise<SignedIn & Proof> {
  const challenge = tokenHash(token);
  const begun = await findChallenge(ctx, 'SIGN_IN', challenge);
  const account = begun?.userId ? await ctx.sql.one<Account>(accountById(begun.userId)) : undefined;
  if (!account) {
    await strangeTries(() => ctx.transact(async (tx) => tx.audit(failure(null, 'challenge'))));
    throw expired();
  }
  const trusted = await knownDevice(ctx, account.id, deviceToken);
  const trier = { account: account.id, ip: ctx.client.ip, trusted };
  const claim = await claimTry('code', trier, await policyOf(ctx, 'LOCKOUT'));
  const attempt = { account, challenge, token, deviceToken, answer, claim };
  const done = await tries(() => ctx.transact((tx) => complete(tx, attempt)));
  if ('refusal' in done) throw done.refusal;
  await forgiveTries(claim);
  return done;
}

async function complete(tx: WriteContext<null>, attempt: Try): Promise<(SignedIn & Proof) | { refusal: AppError }> {
  const { challenge, token, deviceToken, answer, claim } = attempt;
  const person = await lockPerson(tx, attempt.account.id);
  // Asked again under the lock: it may have been deactivated since the password was right.
  const account = (await tx.sql.one<Account>(accountById(person.id))) ?? attempt.account;
  if (!claim.allowed) return refuse(tx, attempt, 'locked', wrong());
  if (!(await claimAnswer(tx, 'SIGN_IN', challenge))) return refuse(tx, attempt, 'challenge', expired());
  if (!maySignIn(account)) return refuse(tx, attempt, 'account', wrong());
  if (!(await mayComeFrom(tx, account))) return refuse(tx, attempt, 'address', wrong());
  const proof = await proveWith(tx, person, answer, ceremonyOf(token));
  if (!proof) return refuse(tx, attempt, 'answer', wrong());
  if (!(await useChallenge(tx, 'SIGN_IN', challenge))) return refuse(tx, attempt, 'challenge', expired());
  return { ...(await completeSignIn(tx, account, { method: 'PASSWORD', mfa: true, deviceToken })), ...proof };
}

/** Why it was refused, and what the list of attempts calls that. */
const outcomes = {
  challenge: 'WRONG_CODE',
  locked: 'LOCKED',
  account: 'NOT_ACTIVE',
  address: 'ADDRESS_REFUSED',
  answer: 'WRONG_CODE',
} as const;

type Reason = keyof typeof outcomes;

const failure = (account: Pick<Account, 'id' | 'tenantId'> | null, reason: Reason) => ({
  resource: 'session',
  outcome: 'FAILURE' as const,
  tenantId: account?.tenantId ?? null,
  details: { ...(account && { account: account.id }), reason },
});

/** Leaves its rows although the answer is an error: what refuses is returned, and thrown once they are there. */
async function refuse(tx: WriteContext, { account, claim }: Try, reason: Reason, refusal: AppError) {
  const typed = nameOfAccount(account);
  await recordAttempt(tx, { account, typed, outcome: outcomes[reason], method: 'PASSWORD' });
  await recordWaits(tx, claim, { account, typed });
  tx.audit(failure(account, reason));
  return { refusal };
}
