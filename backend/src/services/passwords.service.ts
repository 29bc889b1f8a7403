import type { ReadContext, WriteContext } from '../types/context.ts';
import { isCommonPassword } from '../utils/common-passwords.ts';
import { AppError, invalidField } from '../utils/errors.ts';
import { newId } from '../utils/ids.ts';
import { verifyPassword } from '../utils/password.ts';
import { earlierPasswords, type PasswordOwner } from './passwords.queries.ts';
import { policyFrom, storedPolicies, type SecurityPolicy, type StoredPolicy } from './security-policies.service.ts';

type PasswordPolicy = SecurityPolicy<'PASSWORD'>;

/** The most that the policy lets anybody remember. */
const MOST_REMEMBERED = 24;

/**
 * Whether somebody may have this password, by the policy that holds now. It verifies hashes: call it outside of
 * transactions.
 * @param field of the body, for the error
 * @throws AppError validation_failed, saying what to do
 */
export async function assertAcceptablePassword(
  ctx: Pick<ReadContext, 'sql'>,
  user: PasswordOwner,
  password: string,
  field = 'password',
): Promise<void> {
  const [policies, earlier] = await ctx.sql.batch<[StoredPolicy[], { passwordHash: string }[]]>(
    storedPolicies('PASSWORD'),
    earlierPasswords(user.id, MOST_REMEMBERED),
  );
  const policy = policyFrom('PASSWORD', policies);
  const hashes = [user.passwordHash, ...earlier.map(({ passwordHash }) => passwordHash)];
  const problem = plainProblem(policy, user, password) ?? (await reuseProblem(policy, hashes, password));
  if (problem) throw invalidField(field, problem);
}

/** What is counted as characters: an emoji is one, whatever it takes to store it. */
const codePoints = (text: string): number => Array.from(text).length;

function plainProblem(policy: PasswordPolicy, user: PasswordOwner, password: string): string | undefined {
  if (codePoints(password) < policy.minLength) {
    return `must have at least ${policy.minLength} characters: several words are easy to remember`;
  }
  if (policy.refuseCommon && isCommonPassword(password)) {
    return 'is one of those that many people use: choose several words that do not belong together';
  }
  if (policy.refusePersonal && tellsOf(user, password)) {
    return 'must not contain your name, email address, phone number or library';
  }
  return undefined;
}

const squeezed = (text: string): string =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');

const SHORTEST_PART = 4;
const PHONE_DIGITS = 8;

/** Whether the password contains something that others know of the person, in whatever spelling. */
function tellsOf({ name, email, phone, tenantName }: PasswordOwner, password: string): boolean {
  const within = squeezed(password);
  const parts = [
    ...name.split(/[^\p{L}\p{M}]+/u).map(squeezed),
    squeezed(email?.split('@')[0] ?? ''),
    squeezed(tenantName ?? ''),
  ];
  const phoneEnd = phone?.replace(/\D/g, '').slice(-PHONE_DIGITS) ?? '';
  if (phoneEnd.length === PHONE_DIGITS && within.includes(phoneEnd)) return true;
  return parts.some((part) => codePoints(part) >= SHORTEST_PART && within.includes(part));
}

async function reuseProblem(
  { historyCount }: PasswordPolicy,
  hashes: readonly (string | null)[],
  password: string,
): Promise<string | undefined> {
  const remembered = hashes.filter((one) => one !== null).slice(0, historyCount);
  for (const passwordHash of remembered) {
    if (await verifyPassword(passwordHash, password)) {
      return `must differ from the last ${historyCount}: choose one that you have not had`;
    }
  }
  return undefined;
}

/**
 * Sets a password that was found acceptable, and remembers the one before.
 * @param user as read when the password was checked: what has changed since is not written over
 * @param alsoSet what else changes with it
 * @throws AppError conflict when the password or the state of the account was changed in between
 */
export async function setPassword(
  tx: WriteContext,
  user: Pick<PasswordOwner, 'id' | 'tenantId' | 'passwordHash' | 'status'>,
  passwordHash: string,
  alsoSet: { name?: string; status?: 'ACTIVE'; emailVerified?: true } = {},
): Promise<void> {
  const { count } = await tx.db.user.updateMany({
    where: { id: user.id, passwordHash: user.passwordHash, status: user.status },
    data: { passwordHash, passwordChangedAt: tx.now, ...alsoSet },
  });
  if (count !== 1) {
    throw new AppError('conflict', 'The account was changed at the same moment. Look at it again.');
  }
  if (user.passwordHash === null) return;
  await tx.db.passwordHistory.create({
    data: {
      id: newId(),
      userId: user.id,
      tenantId: user.tenantId,
      passwordHash: user.passwordHash,
      createdAt: tx.now,
    },
  });
}
