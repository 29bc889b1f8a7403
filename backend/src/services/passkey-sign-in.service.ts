import type { ManualContext, WriteContext } from '../types/context.ts';
import { AppError } from '../utils/errors.ts';
import { turnstile } from '../utils/turnstile.ts';
import { challengeOf, userHandleOf, type Assertion } from '../utils/webauthn.ts';
import { accountById, type Account } from './auth.queries.ts';
import { openChallenge, randomChallenge, useChallenge } from './auth-challenges.service.ts';
import { nameOfAccount, recordAttempt } from './login-attempts.service.ts';
import { lockPerson, mayComeFrom } from './mfa.service.ts';
import { assertionOptions, takeAssertion } from './passkeys.service.ts';
import { ownerOfCredential } from './passkeys.queries.ts';
import { completeSignIn, maySignIn, type SignedIn } from './sign-in.service.ts';

/** Begins a sign-in of whoever comes: which passkeys there are is for their device to know. */
export async function beginPasskeySignIn(tx: WriteContext<null>) {
  const challenge = randomChallenge();
  await openChallenge(tx, { purpose: 'PASSKEY_SIGN_IN', challenge });
  return assertionOptions(challenge);
}

// Each writes to an audit chain under its lock: whoever had to wait for that would hold a connection.
const tries = turnstile(2);

const wrong = () =>
  new AppError(
    'invalid_credentials',
    'This passkey is not known here, the sign-in has expired, or the account is closed. Begin again.',
  );

/**
 * Signs in with a passkey that has verified its holder: that is two factors at once. Every refusal is alike, and each
 * answer needs a challenge of its own.
 * @throws AppError invalid_credentials
 */
export async function signInWithPasskey(
  ctx: ManualContext<null>,
  { passkey: answer, deviceToken }: { passkey: Assertion; deviceToken?: string | undefined },
): Promise<SignedIn> {
  const signedIn = await tries(() => ctx.transact((tx) => letIn(tx, answer, deviceToken)));
  if (!signedIn) throw wrong();
  return signedIn;
}

async function letIn(tx: WriteContext<null>, answer: Assertion, deviceToken: string | undefined) {
  const challenge = challengeOf(answer.response.clientDataJSON);
  if (!(await useChallenge(tx, 'PASSKEY_SIGN_IN', challenge))) return refuse(tx, 'challenge');
  const owner = await tx.sql.one<{ userId: string }>(ownerOfCredential(answer.id));
  if (!owner) return refuse(tx, 'unknown');
  const person = await lockPerson(tx, owner.userId);
  const account = await tx.sql.one<Account>(accountById(person.id));
  // Nobody was named before: it is the authenticator that has to say who it is.
  if (!account || answer.response.userHandle !== userHandleOf(person.id)) return refuse(tx, 'unknown', account);
  if (!(await takeAssertion(tx, person, answer, challenge))) return refuse(tx, 'assertion', account);
  if (!maySignIn(account)) return refuse(tx, 'account', account);
  if (!(await mayComeFrom(tx, account))) return refuse(tx, 'address', account);
  return completeSignIn(tx, account, { method: 'PASSKEY', mfa: true, deviceToken });
}

/** Why it was refused, and what the list of attempts calls that. */
const outcomes = {
  challenge: 'WRONG_CODE',
  unknown: 'WRONG_CODE',
  assertion: 'WRONG_CODE',
  account: 'NOT_ACTIVE',
  address: 'ADDRESS_REFUSED',
} as const;

type Reason = keyof typeof outcomes;

async function refuse(tx: WriteContext, reason: Reason, account?: Account): Promise<undefined> {
  if (account) {
    const typed = nameOfAccount(account);
    await recordAttempt(tx, { account, typed, outcome: outcomes[reason], method: 'PASSKEY' });
  }
  tx.audit({
    resource: 'session',
    outcome: 'FAILURE',
    tenantId: account?.tenantId ?? null,
    details: { ...(account && { account: account.id }), reason },
  });
}
