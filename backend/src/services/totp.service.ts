import { toDataURL } from 'qrcode';
import type { Actor, WriteContext } from '../types/context.ts';
import { AppError, invalidField, orNotFound } from '../utils/errors.ts';
import { isSealedWithOldKey, seal, unseal } from '../utils/secret-box.ts';
import { newTotpSecret, totpStep, totpUri } from '../utils/totp.ts';
import { assertMayAddFactor, lockPerson, settleAddition, settleRemoval } from './mfa.service.ts';
import { replaceRecoveryCodes } from './recovery-codes.service.ts';

const purposeOf = (userId: string): string => `totp:${userId}`;

/**
 * Begins to set up an authenticator app. Until a first code was right it demands nothing, and a new beginning replaces
 * it. One that is on stays on until then: who has a new phone is never without.
 * @throws AppError step_up_required
 */
export async function setUpTotp(tx: WriteContext<Actor>) {
  const { id: userId, tenantId, email, name } = tx.actor;
  await lockPerson(tx, userId);
  await assertMayAddFactor(tx);
  const secret = newTotpSecret();
  const sealed = seal(secret, purposeOf(userId));
  const known = await tx.db.totpCredential.findUnique({ where: { userId }, select: { confirmedAt: true } });
  const fresh = { sealedSecret: sealed, createdAt: tx.now, lastUsedStep: 0 };
  if (known?.confirmedAt) await tx.db.totpCredential.update({ where: { userId }, data: { nextSealedSecret: sealed } });
  else await tx.db.totpCredential.upsert({ where: { userId }, create: { userId, tenantId, ...fresh }, update: fresh });
  const uri = totpUri(secret, email ?? name);
  tx.audit({ resource: 'second_factor', resourceId: userId });
  return { secret, uri, qrCode: await toDataURL(uri, { errorCorrectionLevel: 'M', margin: 2 }) };
}

/**
 * Turns the app on with its first code, in place of the one that was on. That code counts as used.
 * @returns ten recovery codes, this once; earlier ones no longer work
 * @throws AppError conflict when nothing was begun; validation_failed for a wrong code; step_up_required
 */
export async function confirmTotp(tx: WriteContext<Actor>, code: string) {
  const person = await lockPerson(tx, tx.actor.id);
  const { id: userId } = person;
  const begun = await tx.db.totpCredential.findUnique({ where: { userId } });
  const isReplacement = Boolean(begun?.confirmedAt);
  const sealedSecret = isReplacement ? begun?.nextSealedSecret : begun?.sealedSecret;
  if (!sealedSecret) {
    throw new AppError(
      'conflict',
      'No authenticator app waits for its first code. Begin with POST /api/auth/mfa/totp/setup.',
    );
  }
  await assertMayAddFactor(tx);
  const step = await totpStep(unseal(sealedSecret, purposeOf(userId)), code, tx.now);
  if (step === undefined) {
    const message = 'is not right: enter what the app shows now, and check the clock of your device';
    throw invalidField('code', message, `The code ${message}.`);
  }
  await tx.db.totpCredential.update({
    where: { userId },
    data: { sealedSecret, nextSealedSecret: null, confirmedAt: tx.now, lastUsedStep: step },
  });
  const recoveryCodes = await replaceRecoveryCodes(tx, person);
  await settleAddition(tx, person, 'TOTP_ON');
  tx.audit({ resource: 'second_factor', resourceId: userId, ...(isReplacement && { details: { replaced: true } }) });
  return { recoveryCodes };
}

/** @throws AppError not_found when none is on; conflict when it is the last factor of somebody who has to have one */
export async function turnOffTotp(tx: WriteContext<Actor>): Promise<void> {
  const person = await lockPerson(tx, tx.actor.id);
  const { count } = await tx.db.totpCredential.deleteMany({ where: { userId: person.id, confirmedAt: { not: null } } });
  orNotFound(count || null, 'authenticator app');
  await settleRemoval(tx, person, 'TOTP_OFF');
  tx.audit({ resource: 'second_factor', resourceId: person.id });
}

/**
 * Uses a code up: it works once, and none from before it works after it (rule 4). Of two that bring the same one
 * exactly one gets through.
 */
export async function useTotpCode(tx: WriteContext, userId: string, code: string): Promise<boolean> {
  const credential = await tx.db.totpCredential.findUnique({ where: { userId } });
  if (!credential?.confirmedAt) return false;
  const { sealedSecret } = credential;
  const secret = unseal(sealedSecret, purposeOf(userId));
  const step = await totpStep(secret, code, tx.now);
  if (step === undefined) return false;
  const resealed = isSealedWithOldKey(sealedSecret) && { sealedSecret: seal(secret, purposeOf(userId)) };
  const { count } = await tx.db.totpCredential.updateMany({
    where: { userId, sealedSecret, confirmedAt: { not: null }, lastUsedStep: { lt: step } },
    data: { lastUsedStep: step, ...resealed },
  });
  return count === 1;
}
