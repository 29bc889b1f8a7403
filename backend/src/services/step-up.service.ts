import type { Actor, ManualContext, WriteContext } from '../types/context.ts';
import { AppError, invalidField, orNotFound } from '../utils/errors.ts';
import { verifyPassword } from '../utils/password.ts';
import { challengeOf } from '../utils/webauthn.ts';
import { accountById, type Account } from './auth.queries.ts';
import { useChallenge } from './auth-challenges.service.ts';
import { nameOfAccount, recordWaits } from './login-attempts.service.ts';
import { lockPerson, secondFactorsOf } from './mfa.service.ts';
import { proveWith, type FactorAnswer, type Proof } from './second-factor.service.ts';
import { policyOf } from './security-policies.service.ts';
import { claimTry, forgiveTries, type Claim } from './sign-in-throttle.service.ts';

/** Counts as having just proved who they are for so long, in this session alone. */
const STEP_UP_MINUTES = 10;

export type StepUpAnswer = FactorAnswer & { password?: string | undefined };

const wrong = () =>
  new AppError(
    'invalid_credentials',
    'That is wrong or was used already, or there were too many tries: wait a few minutes.',
  );

/**
 * Proves again that it is the same person. Whoever has a second factor uses it, whoever has none the password. Wrong
 * answers count like wrong codes, for this session.
 * @throws AppError validation_failed for the wrong kind of proof; invalid_credentials
 */
export async function stepUp(
  ctx: ManualContext<Actor>,
  answer: StepUpAnswer,
): Promise<{ elevatedUntil: Date } & Proof> {
  const { id, sessionId } = ctx.actor;
  assertRightKind(answer, (await secondFactorsOf(ctx.sql, id)).length > 0);
  const account = orNotFound(await ctx.sql.one<Account>(accountById(id)), 'user');
  const trier = { account: id, ip: ctx.client.ip, trusted: sessionId };
  const claim = await claimTry('code', trier, await policyOf(ctx, 'LOCKOUT'));
  // Outside the transaction: it takes its time.
  const isPassword = answer.password !== undefined;
  const matches = isPassword && claim.allowed && (await verifyPassword(account.passwordHash, answer.password ?? ''));
  const done = await ctx.transact(async (tx) => {
    const proof = claim.allowed ? await prove(tx, account, answer, matches) : undefined;
    return proof ? elevate(tx, proof) : refuse(tx, account, claim);
  });
  if (!done) throw wrong();
  await forgiveTries(claim);
  return done;
}

function assertRightKind(answer: StepUpAnswer, hasSecondFactor: boolean): void {
  const isPassword = answer.password !== undefined;
  if (isPassword !== hasSecondFactor) return;
  const given = Object.entries(answer).find(([, value]) => value !== undefined)?.[0] ?? 'password';
  const message = hasSecondFactor
    ? 'is not enough: use your second factor'
    : 'cannot be used: you have no second factor, use your password';
  throw invalidField(given, message, `The ${given} ${message}.`);
}

async function prove(
  tx: WriteContext<Actor>,
  account: Account,
  answer: StepUpAnswer,
  passwordMatches: boolean,
): Promise<Proof | undefined> {
  const { id: userId, sessionId } = tx.actor;
  const person = await lockPerson(tx, userId);
  if (answer.password !== undefined) {
    // Neither a second factor nor another password may have come about in the meantime.
    const current = await tx.sql.one<Account>(accountById(userId));
    const isStill =
      current?.passwordHash === account.passwordHash && (await secondFactorsOf(tx.sql, userId)).length === 0;
    return passwordMatches && isStill ? { recoveryCodesLeft: null } : undefined;
  }
  const ceremony = answer.passkey ? challengeOf(answer.passkey.response.clientDataJSON) : '';
  if (answer.passkey && !(await useChallenge(tx, 'PASSKEY_STEP_UP', ceremony, { userId, sessionId }))) return undefined;
  return proveWith(tx, person, answer, ceremony);
}

async function elevate(tx: WriteContext<Actor>, proof: Proof) {
  const { id: userId, sessionId } = tx.actor;
  const elevatedUntil = new Date(tx.now.getTime() + STEP_UP_MINUTES * 60_000);
  await tx.db.session.updateMany({ where: { id: sessionId, userId }, data: { elevatedUntil } });
  tx.audit({ resource: 'session', resourceId: sessionId });
  return { elevatedUntil, ...proof };
}

async function refuse(tx: WriteContext<Actor>, account: Account, claim: Claim): Promise<undefined> {
  await recordWaits(tx, claim, { account, typed: nameOfAccount(account) });
  tx.audit({
    resource: 'session',
    resourceId: tx.actor.sessionId,
    outcome: 'FAILURE',
    details: { locked: !claim.allowed },
  });
}
