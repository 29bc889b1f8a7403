import type { ManualContext, ReadContext, WriteContext, Actor } from '../types/context.ts';
import { AppError, orNotFound } from '../utils/errors.ts';
import { hashPassword, needsRehash, verifyPassword } from '../utils/password.ts';
import { accountByEmail, accountsByPhone, profileOf, type Account, type MeRow } from './auth.queries.ts';
import { endSessions } from './sessions.service.ts';
import { completeSignIn, maySignIn } from './sign-in.service.ts';
import { claimTry, forgiveTries, throttleKey } from './sign-in-throttle.service.ts';

export type AccountName = { email?: string; phone?: string };

const wrong = () =>
  new AppError(
    'invalid_credentials',
    'Email, phone or password is wrong, or there were too many tries: wait a few minutes.',
  );

async function findAccount(ctx: Pick<ReadContext, 'sql'>, { email, phone }: AccountName): Promise<Account | undefined> {
  if (email) return ctx.sql.one<Account>(accountByEmail(email));
  const found = await ctx.sql.many<Account>(accountsByPhone(phone ?? ''));
  return found.length === 1 ? found[0] : undefined;
}

/**
 * Signs in with email or phone and password. Unknown, wrong, locked and suspended take the same way and the same
 * time: one look-up, one verification, one audited transaction (rule 1).
 * @throws AppError invalid_credentials for each of them
 */
export async function login(ctx: ManualContext<null>, input: AccountName & { password: string }) {
  const tried = input.email ?? input.phone ?? '';
  const account = await findAccount(ctx, input);
  const key = throttleKey(account?.id ?? tried, ctx.client.ip);
  const mayTry = await claimTry(key);
  const matches = await verifyPassword(account?.passwordHash, input.password);
  if (!mayTry || !matches || !account || !maySignIn(account)) {
    await ctx.transact(async (tx) => recordFailedLogin(tx, tried, account, mayTry));
    throw wrong();
  }
  const rehashed = needsRehash(account.passwordHash ?? '') ? await hashPassword(input.password) : undefined;
  const signedIn = await ctx.transact(async (tx) => {
    if (rehashed) await tx.db.user.update({ where: { id: account.id }, data: { passwordHash: rehashed } });
    return completeSignIn(tx, account, { method: 'PASSWORD', mfa: false });
  });
  await forgiveTries(key);
  return signedIn;
}

function recordFailedLogin(ctx: WriteContext, tried: string, account: Account | undefined, mayTry: boolean): void {
  ctx.audit({
    resource: 'session',
    outcome: 'FAILURE',
    tenantId: account?.tenantId ?? null,
    details: { account: account ? account.id : maskAccount(tried), locked: !mayTry },
  });
}

/** Enough to recognise a typing error, too little to be a list of addresses. */
const maskAccount = (tried: string): string => `${tried.slice(0, 2)}…${tried.slice(-4)}`;

export async function logout(ctx: WriteContext<Actor>): Promise<void> {
  await endSessions(ctx, { id: ctx.actor.sessionId }, 'LOGOUT');
  ctx.audit({ resource: 'session', resourceId: ctx.actor.sessionId });
}

export async function getMe(ctx: ReadContext<Actor>) {
  const { id, name, email, type, role, permissions, tenantId } = ctx.actor;
  const profile = orNotFound(await ctx.sql.one<MeRow>(profileOf(id)), 'user');
  return { id, name, email, type, role, tenantId, permissions: [...permissions].toSorted(), ...profile };
}
