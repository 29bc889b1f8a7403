import type { LoginOutcome, SignInMethod } from '../generated/prisma/enums.ts';
import type { WriteContext } from '../types/context.ts';
import { newId } from '../utils/ids.ts';
import type { Account } from './auth.queries.ts';
import { countryOf } from './place.service.ts';
import { raiseSecurityEvent } from './security-events.service.ts';
import type { Claim, Wait } from './sign-in-throttle.service.ts';

/** Whose account somebody tries; undefined where there is no such account. */
type Tried = Pick<Account, 'id' | 'tenantId'> | undefined;

/** Enough to recognise a typing error, too little to be a list of addresses. */
export const maskAccount = (tried: string): string => `${tried.slice(0, 2)}…${tried.slice(-4)}`;

/** How an account is called in these lists where nothing was typed, as with a passkey. */
export const nameOfAccount = ({ id, email, phone }: Pick<Account, 'id' | 'email' | 'phone'>): string =>
  email ?? phone ?? id;

/**
 * Writes down one try to sign in, right or wrong.
 * @param typed email or phone as it was typed; it is kept masked
 */
export async function recordAttempt(
  tx: WriteContext,
  attempt: { account: Tried; typed: string; outcome: LoginOutcome; method: SignInMethod },
): Promise<void> {
  const { account, typed, ...rest } = attempt;
  await tx.db.loginAttempt.create({
    data: {
      id: newId(),
      ...rest,
      tenantId: account?.tenantId ?? null,
      userId: account?.id ?? null,
      account: maskAccount(typed),
      ipAddress: tx.client.ip || null,
      country: countryOf(tx.client.ip),
      userAgent: tx.client.userAgent,
      createdAt: tx.now,
    },
  });
}

/**
 * Puts the waits on the list that a wrong try began. One that shuts out every unknown device is a security event, where
 * there is such an account: somebody tries it from many places.
 */
export async function recordWaits(
  tx: WriteContext,
  { waits }: Pick<Claim, 'waits'>,
  { account, typed }: { account: Tried; typed: string },
): Promise<void> {
  for (const wait of waits) {
    await recordLockout(tx, wait, account, maskAccount(typed));
    if (wait.network !== null || !account) continue;
    await raiseSecurityEvent(tx, {
      type: 'ACCOUNT_LOCKED',
      tenantId: account.tenantId,
      userId: account.id,
      details: { kind: wait.kind, failures: wait.failures, seconds: wait.seconds },
    });
  }
}

async function recordLockout(tx: WriteContext, wait: Wait, account: Tried, masked: string): Promise<void> {
  const { throttleKey, network, failures } = wait;
  const kind = wait.kind === 'code' ? ('MFA' as const) : ('PASSWORD' as const);
  const lockedUntil = new Date(tx.now.getTime() + wait.seconds * 1000);
  const fields = { failures, createdAt: tx.now, lockedUntil, liftedAt: null, liftedById: null };
  const owner = { tenantId: account?.tenantId ?? null, userId: account?.id ?? null, account: masked };
  await tx.db.lockout.upsert({
    where: { throttleKey },
    create: { id: newId(), throttleKey, kind, network, ...owner, ...fields },
    update: fields,
  });
}

/**
 * Ends the lock-outs of a person in the list.
 * @returns the throttle keys of their counters, to be lifted once this has committed
 */
export async function endLockouts(tx: WriteContext, userId: string): Promise<string[]> {
  const where = { userId, liftedAt: null, lockedUntil: { gt: tx.now } };
  const locked = await tx.db.lockout.findMany({ where, select: { throttleKey: true } });
  if (locked.length > 0) await tx.db.lockout.updateMany({ where, data: { liftedAt: tx.now } });
  return locked.map(({ throttleKey }) => throttleKey);
}
