import { generateAuthenticationOptions, generateRegistrationOptions } from '@simplewebauthn/server';
import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import { AppError, orNotFound } from '../utils/errors.ts';
import { newId } from '../utils/ids.ts';
import { page } from '../utils/page.ts';
import { sql } from '../utils/sql.ts';
import {
  challengeOf,
  PASSKEY_ALGORITHMS,
  relyingParty,
  userHandleOf,
  verifyAssertion,
  verifyAttestation,
  type Assertion,
  type Attestation,
} from '../utils/webauthn.ts';
import { CHALLENGE_SECONDS, openChallenge, randomChallenge, useChallenge } from './auth-challenges.service.ts';
import { assertMayAddFactor, lockPerson, settleAddition, settleRemoval } from './mfa.service.ts';
import { credentialsOf, passkeyCount, passkeysOf, type CredentialName, type PasskeyRow } from './passkeys.queries.ts';
import { raiseSecurityEvent } from './security-events.service.ts';

const MOST_PASSKEYS = 20;
const TIMEOUT_MS = CHALLENGE_SECONDS * 1000;

export const listPasskeys = (ctx: ReadContext<Actor>, query: { page: number; limit: number }) =>
  page<PasskeyRow>(ctx, query, {
    rows: sql`${passkeysOf(ctx.actor.id)} order by created_at desc, id desc`,
    count: passkeyCount(ctx.actor.id),
  });

/** What the browser needs to make a passkey. @throws AppError step_up_required, conflict */
export async function beginRegistration(tx: WriteContext<Actor>) {
  const { id: userId, tenantId, sessionId, name, email } = tx.actor;
  await assertMayAddFactor(tx);
  const known = await tx.sql.many<CredentialName>(credentialsOf(userId));
  assertRoom(known.length);
  const { id: rpID, name: rpName } = relyingParty();
  const options = await generateRegistrationOptions({
    rpID,
    rpName,
    userID: new TextEncoder().encode(userId),
    userName: email ?? name,
    userDisplayName: name,
    timeout: TIMEOUT_MS,
    attestationType: 'none',
    excludeCredentials: known,
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    supportedAlgorithmIDs: PASSKEY_ALGORITHMS,
  });
  await openChallenge(tx, {
    purpose: 'PASSKEY_REGISTRATION',
    challenge: options.challenge,
    userId,
    tenantId,
    sessionId,
  });
  return { options };
}

/**
 * Keeps the passkey that the browser has made.
 * @throws AppError token_invalid for a ceremony that is not right, or not that of this session; step_up_required,
 *   conflict
 */
export async function register(tx: WriteContext<Actor>, { name, response }: { name: string; response: Attestation }) {
  const { id: userId, sessionId } = tx.actor;
  const person = await lockPerson(tx, userId);
  await assertMayAddFactor(tx);
  assertRoom(await tx.db.passkey.count({ where: { userId } }));
  const challenge = challengeOf(response.response.clientDataJSON);
  const isBegun = await useChallenge(tx, 'PASSKEY_REGISTRATION', challenge, { userId, sessionId });
  const credential = isBegun ? await verifyAttestation(response, challenge) : undefined;
  if (!credential) throw registrationRefused();
  const passkey = {
    id: newId(),
    name,
    transports: response.response.transports ?? [],
    backedUp: credential.backedUp,
    createdAt: tx.now,
    lastUsedAt: null,
  };
  const { credentialId, publicKey, counter } = credential;
  await tx.db.passkey.create({
    data: { ...passkey, userId, tenantId: person.tenantId, credentialId, publicKey, counter },
  });
  await settleAddition(tx, person, 'PASSKEY_ADDED');
  tx.audit({ resource: 'passkey', resourceId: passkey.id, details: { name } });
  return passkey;
}

const registrationRefused = () =>
  new AppError('token_invalid', 'This passkey is not the answer to what this session has begun. Begin again.');

function assertRoom(held: number): void {
  if (held < MOST_PASSKEYS) return;
  throw new AppError('conflict', `You have ${MOST_PASSKEYS} passkeys, which is the most. Remove one first.`);
}

/** @throws AppError not_found for anybody else's; conflict for the last factor of somebody who has to have one */
export async function removePasskey(tx: WriteContext<Actor>, id: string): Promise<void> {
  const person = await lockPerson(tx, tx.actor.id);
  const { count } = await tx.db.passkey.deleteMany({ where: { id, userId: person.id } });
  orNotFound(count || null, 'passkey');
  await settleRemoval(tx, person, 'PASSKEY_REMOVED');
  tx.audit({ resource: 'passkey', resourceId: id });
}

/** What the browser needs to answer a challenge. @param allowed none: with whatever passkey the person picks */
export const assertionOptions = (challenge: string, allowed?: CredentialName[]) =>
  generateAuthenticationOptions({
    rpID: relyingParty().id,
    // Text would be encoded once more.
    challenge: new Uint8Array(Buffer.from(challenge, 'base64url')),
    timeout: TIMEOUT_MS,
    userVerification: 'required',
    ...(allowed && { allowCredentials: allowed }),
  });

/** Begins to prove with a passkey, within a session, that it is still the same person. */
export async function beginStepUp(tx: WriteContext<Actor>) {
  const { id: userId, tenantId, sessionId } = tx.actor;
  const held = await tx.sql.many<CredentialName>(credentialsOf(userId));
  if (held.length === 0) throw new AppError('conflict', 'You have no passkey. Prove with your code or password.');
  const challenge = randomChallenge();
  await openChallenge(tx, { purpose: 'PASSKEY_STEP_UP', challenge, userId, tenantId, sessionId });
  return { options: await assertionOptions(challenge, held) };
}

/**
 * Whether a passkey of this person has signed this challenge, for us and with its holder verified. The person is locked
 * by the caller. A counter that does not move on means that the key was copied: that is refused, and raised (rule 4).
 */
export async function takeAssertion(
  tx: WriteContext,
  person: { id: string; tenantId: string | null },
  answer: Assertion,
  challenge: string,
): Promise<boolean> {
  const passkey = await tx.db.passkey.findUnique({ where: { credentialId: answer.id } });
  if (passkey?.userId !== person.id) return false;
  const { userHandle } = answer.response;
  if (userHandle && userHandle !== userHandleOf(person.id)) return false;
  const genuine = await verifyAssertion(answer, challenge, passkey);
  if (!genuine) return false;
  const { counter, backedUp } = genuine;
  // Authenticators that do not count always say 0.
  const { count } = await tx.db.passkey.updateMany({
    where: { id: passkey.id, ...(counter === 0 ? { counter: 0 } : { counter: { lt: counter } }) },
    data: { counter, backedUp, lastUsedAt: tx.now },
  });
  if (count === 1) return true;
  await raiseSecurityEvent(tx, {
    type: 'PASSKEY_COUNTER',
    tenantId: person.tenantId,
    userId: person.id,
    details: { passkeyId: passkey.id, name: passkey.name, known: Number(passkey.counter), told: counter },
  });
  return false;
}
