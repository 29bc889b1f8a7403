import type { Actor, WriteContext } from '../types/context.ts';
import { AppError } from '../utils/errors.ts';
import { newId } from '../utils/ids.ts';
import { newRecoveryCode, recoveryCodeHashes } from '../utils/recovery-code.ts';
import { lockPerson, secondFactorsOf, tellOfChange } from './mfa.service.ts';

const HOW_MANY = 10;
/** With so few left the person is told to make new ones (rule 4). */
const FEW = 3;

type Person = { id: string; tenantId: string | null };

/** Ten new codes; those from before are worth nothing any more. @returns them, this once: only hashes are kept */
export async function replaceRecoveryCodes(tx: WriteContext, { id: userId, tenantId }: Person): Promise<string[]> {
  const codes = Array.from({ length: HOW_MANY }, newRecoveryCode);
  await tx.db.recoveryCode.deleteMany({ where: { userId } });
  await tx.db.recoveryCode.createMany({
    data: codes.map((code) => ({
      id: newId(),
      tenantId,
      userId,
      codeHash: recoveryCodeHashes(userId, code)[0],
      createdAt: tx.now,
    })),
  });
  return codes;
}

/** @throws AppError conflict for somebody without any factor that the codes could stand in for */
export async function renewRecoveryCodes(tx: WriteContext<Actor>) {
  const person = await lockPerson(tx, tx.actor.id);
  if ((await secondFactorsOf(tx.sql, person.id)).length === 0) {
    throw new AppError('conflict', 'Recovery codes stand in for a second factor. Set one up first.');
  }
  const recoveryCodes = await replaceRecoveryCodes(tx, person);
  tellOfChange(tx, person, 'RECOVERY_CODES_RENEWED');
  tx.audit({ resource: 'second_factor', resourceId: person.id, details: { made: recoveryCodes.length } });
  return { recoveryCodes };
}

/**
 * Uses a code up. Of two that bring the same one exactly one gets through.
 * @returns how many are left; undefined when the code is wrong or was used
 */
export async function useRecoveryCode(tx: WriteContext, person: Person, code: string): Promise<number | undefined> {
  const { id: userId, tenantId } = person;
  const { count } = await tx.db.recoveryCode.updateMany({
    where: { userId, codeHash: { in: recoveryCodeHashes(userId, code) }, usedAt: null },
    data: { usedAt: tx.now },
  });
  if (count !== 1) return undefined;
  const left = await tx.db.recoveryCode.count({ where: { userId, usedAt: null } });
  if (left === FEW) tx.enqueue('email.recovery-codes-low', { userId, left }, { tenantId });
  return left;
}
