import { availableParallelism } from 'node:os';
import type { LoginOutcome } from '../generated/prisma/enums.ts';
import type { Actor, ManualContext, ReadContext, WriteContext } from '../types/context.ts';
import { AppError, orNotFound } from '../utils/errors.ts';
import { hashPassword, needsRehash, verifyPassword } from '../utils/password.ts';
import type { Sql } from '../utils/sql.ts';
import { turnstile } from '../utils/turnstile.ts';
import { profileOf, signInByEmail, signInByPhone, type MeRow, type SignInAccount } from './auth.queries.ts';
import { devicesNamed, ownDevice, shownDeviceTokens } from './known-devices.service.ts';
import { maskAccount, recordAttempt, recordWaits } from './login-attempts.service.ts';
import { beginSecondFactor, secondFactorsOf, type SecondFactor } from './mfa.service.ts';
import { policyFrom, storedPolicies, type StoredPolicy } from './security-policies.service.ts';
import { endSessions } from './sessions.service.ts';
import { completeSignIn, maySignIn } from './sign-in.service.ts';
import { claimTry, forgiveTries, type Claim } from './sign-in-throttle.service.ts';
import { standingFrom, standingQueries, type StandingRows } from './standing.service.ts';

export type AccountName = { email?: string | undefined; phone?: string | undefined };
type LoginInput = AccountName & { password: string; deviceToken?: string | undefined };

const wrong = () =>
  new AppError(
    'invalid_credentials',
    'Email, phone or password is wrong, or there were too many tries: wait a few minutes.',
  );

// A flood waits here, where it holds nothing, and not for connections and processors that everybody else needs too.
const lookUps = turnstile(4);
const verifications = turnstile(availableParallelism());
// Each writes to the audit chain of the tenant, under its lock: whoever had to wait for that would hold a connection.
// Wrong tries have a queue of their own, so that a flood of them delays nobody who is right.
const wrongTries = turnstile(2);
const rightTries = turnstile(3);

type Attempt = { typed: string; account: SignInAccount | undefined; claim: Claim };

/** One look-up, whether or not there is such an account, and one try claimed. */
async function beginAttempt(ctx: ManualContext<null>, { email, phone, deviceToken }: LoginInput): Promise<Attempt> {
  const typed = email ?? phone ?? '';
  const { ip } = ctx.client;
  const tokens = shownDeviceTokens(ctx.cookies, deviceToken);
  const [found, policies, devices] = await lookUps(() =>
    ctx.sql.batch<[SignInAccount[], StoredPolicy[], { id: string; userId: string }[]]>(
      lookUp(typed, email === undefined, ip),
      storedPolicies('LOCKOUT'),
      devicesNamed(tokens, ctx.now),
    ),
  );
  const account = found.length === 1 ? found[0] : undefined;
  const trusted = account && ownDevice(account.id, tokens, devices);
  const trier = { account: account?.id ?? typed, ip, trusted };
  return { typed, account, claim: await claimTry('password', trier, policyFrom('LOCKOUT', policies)) };
}

const lookUp = (typed: string, isPhone: boolean, ip: string): Sql =>
  isPhone ? signInByPhone(typed, ip) : signInByEmail(typed, ip);

/** Why the try is refused; the caller never learns which it was. */
function refusalOf({ claim, account }: Attempt, matches: boolean): LoginOutcome | undefined {
  if (!claim.allowed) return 'LOCKED';
  if (!account) return 'UNKNOWN_ACCOUNT';
  if (!account.addressAllowed) return 'ADDRESS_REFUSED';
  if (!matches) return 'WRONG_PASSWORD';
  return maySignIn(account) ? undefined : 'NOT_ACTIVE';
}

/**
 * Signs in with email or phone and password. Unknown, wrong, locked, suspended and from a refused address take the same
 * way and the same time: one look-up, one verification, one audited transaction (rule 1).
 * @returns tokens, or a challenge where a second factor is to follow
 * @throws AppError invalid_credentials for each of them
 */
export async function login(ctx: ManualContext<null>, input: LoginInput) {
  const attempt = await beginAttempt(ctx, input);
  const { account, claim } = attempt;
  const matches = await verifications(() => verifyPassword(account?.passwordHash, input.password));
  const refusal = refusalOf(attempt, matches);
  const done =
    account && !refusal
      ? await rightTries(async () => letIn(ctx, account, input, await rehashed(account, input.password)))
      : undefined;
  if (!done) {
    const outcome = refusal ?? 'WRONG_PASSWORD';
    await wrongTries(() => ctx.transact((tx) => recordFailedLogin(tx, attempt, outcome)));
    throw wrong();
  }
  await forgiveTries(claim);
  return done;
}

const rehashed = async ({ passwordHash }: SignInAccount, password: string): Promise<string | null> =>
  passwordHash && needsRehash(passwordHash) ? hashPassword(password) : passwordHash;

const letIn = (ctx: ManualContext<null>, account: SignInAccount, input: LoginInput, passwordHash: string | null) =>
  ctx.transact(async (tx) => {
    // Nobody gets in with a password that was changed, or an account that was closed, while it was verified.
    const { count } = await tx.db.user.updateMany({
      where: { id: account.id, passwordHash: account.passwordHash, status: 'ACTIVE' },
      data: { passwordHash },
    });
    if (count !== 1) return undefined;
    const methods = await secondFactorsOf(tx.sql, account.id);
    return methods.length > 0
      ? askForSecondFactor(tx, account, input, methods)
      : completeSignIn(tx, account, { method: 'PASSWORD', mfa: false, deviceToken: input.deviceToken });
  });

/** The password was right; whether it is the person shows with the second factor. */
async function askForSecondFactor(
  tx: WriteContext,
  account: SignInAccount,
  { email, phone }: LoginInput,
  methods: SecondFactor[],
) {
  const asked = await beginSecondFactor(tx, account, methods);
  const typed = email ?? phone ?? '';
  await recordAttempt(tx, { account, typed, outcome: 'MFA_PENDING', method: 'PASSWORD' });
  tx.audit({
    resource: 'session',
    tenantId: account.tenantId,
    actor: account,
    details: { secondFactor: 'awaited' },
  });
  return { mfaRequired: true as const, ...asked };
}

async function recordFailedLogin(tx: WriteContext, attempt: Attempt, outcome: LoginOutcome): Promise<void> {
  const { typed, account, claim } = attempt;
  await recordAttempt(tx, { account, typed, outcome, method: 'PASSWORD' });
  await recordWaits(tx, claim, { account, typed });
  tx.audit({
    resource: 'session',
    outcome: 'FAILURE',
    tenantId: account?.tenantId ?? null,
    details: { account: account ? account.id : maskAccount(typed), locked: outcome === 'LOCKED' },
  });
}

export async function logout(ctx: WriteContext<Actor>): Promise<void> {
  await endSessions(ctx, { id: ctx.actor.sessionId }, 'LOGOUT');
  ctx.audit({ resource: 'session', resourceId: ctx.actor.sessionId });
}

/** The person, what they may do, and what they have to see to. */
export async function getMe(ctx: ReadContext<Actor>) {
  const { id, email, type, role, permissions, tenantId, restriction, elevatedUntil, impersonation } = ctx.actor;
  const [[profile], ...standing] = await ctx.sql.batch<[MeRow[], ...StandingRows]>(
    profileOf(id),
    ...standingQueries(id),
  );
  const { mfaEnabled, mfaDeadline, passwordExpiresAt } = standingFrom(standing, ctx.now);
  return {
    id,
    email,
    type,
    role,
    tenantId,
    permissions: [...permissions].toSorted(),
    ...orNotFound(profile, 'user'),
    restriction,
    passwordExpiresAt,
    mfaEnabled,
    mfaDeadline,
    elevatedUntil: elevatedUntil && elevatedUntil > ctx.now ? elevatedUntil : null,
    impersonation: impersonation && {
      id: impersonation.id,
      adminName: impersonation.adminName,
      mode: impersonation.mode,
      expiresAt: impersonation.expiresAt,
    },
  };
}
