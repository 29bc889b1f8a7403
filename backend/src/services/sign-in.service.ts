import type { SignInMethod } from '../generated/prisma/enums.ts';
import type { ReadContext, WriteContext } from '../types/context.ts';
import { sql } from '../utils/sql.ts';
import { signAccessToken } from '../utils/token.ts';
import type { Account } from './auth.queries.ts';
import { deviceName } from './device.service.ts';
import { deviceTokenOf, knownDevice, noteDevice } from './known-devices.service.ts';
import { nameOfAccount, recordAttempt } from './login-attempts.service.ts';
import { countryOf, placeName } from './place.service.ts';
import { grantsOf } from './principal.service.ts';
import { raiseSecurityEvent } from './security-events.service.ts';
import { startSession } from './sessions.service.ts';
import { standingOf } from './standing.service.ts';

export type SignedIn = {
  refreshToken: string;
  /** How long the refresh token works if it is not used. */
  refreshSeconds: number;
  /** What the device keeps to be recognised by; not there after a refresh. */
  deviceToken?: string;
} & Awaited<ReturnType<typeof issueAccess>>;

export const maySignIn = (account: Account): boolean =>
  account.status === 'ACTIVE' && account.tenantStatus !== 'PURGED';

/** The access token of a session, with what the person may do now. */
export async function issueAccess(ctx: Pick<ReadContext, 'sql'>, account: Account, sessionId: string) {
  const { role, permissions, until } = await grantsOf(ctx.sql, account.id);
  const { id, email, type, tenantId, name } = account;
  const claims = {
    userId: id,
    email,
    role,
    type,
    permissions: [...permissions],
    sid: sessionId,
    pv: account.permissionVersion,
    ...(tenantId && { tenantId }),
  };
  // A role that ends takes the token with it, whether or not the job has seen to it by then.
  const { token, expiresIn } = signAccessToken(claims, until);
  return {
    accessToken: token,
    tokenType: 'Bearer' as const,
    expiresIn,
    user: { id, name, email, type, role, tenantId },
  };
}

export type SignInHow = {
  method: SignInMethod;
  /** Whether a second factor (or a passkey that verified its holder) took part. */
  mfa: boolean;
  /** By which a program is recognised; browsers send a cookie. */
  deviceToken?: string | undefined;
};

/**
 * What every way of signing in ends with, once the person has proved who they are: a session and its tokens, in the
 * caller's transaction and with its audit row and its row in the list of attempts.
 */
export async function completeSignIn(tx: WriteContext, account: Account, how: SignInHow): Promise<SignedIn> {
  const { method, mfa, deviceToken } = how;
  const device = await noteDevice(tx, account, await knownDevice(tx, account.id, deviceToken));
  const farAway = await impossibleTravel(tx, account.id);
  const { restriction } = await standingOf(tx.sql, account.id, tx.now);
  const session = await startSession(tx, account, { method, mfa, restriction, knownDeviceId: device.id });
  await tx.db.user.update({ where: { id: account.id }, data: { lastLoginAt: tx.now } });
  await recordAttempt(tx, { account, typed: nameOfAccount(account), outcome: 'SUCCESS', method });
  if (device.isSurprising) await tellOfNewDevice(tx, account, session.id);
  if (farAway) await raiseTravel(tx, account, session.id, farAway);
  tx.audit({ resource: 'session', resourceId: session.id, tenantId: account.tenantId, actor: account });
  const { refreshToken, refreshSeconds } = session;
  return {
    refreshToken,
    refreshSeconds,
    deviceToken: deviceTokenOf(account.id, device.id),
    ...(await issueAccess(tx, account, session.id)),
  };
}

/** To the list for the company, and by mail to the person, who knows best whether it was them. */
async function tellOfNewDevice(tx: WriteContext, account: Account, sessionId: string): Promise<void> {
  const device = deviceName(tx.client.userAgent) ?? 'an unknown device';
  const place = placeName(tx.client.ip);
  await raiseSecurityEvent(tx, {
    type: 'NEW_DEVICE',
    tenantId: account.tenantId,
    userId: account.id,
    sessionId,
    details: { device, place },
  });
  if (!account.email) return;
  const told = { userId: account.id, device, place, address: tx.client.ip || null };
  tx.enqueue('email.new-sign-in', told, { tenantId: account.tenantId });
}

/** Nobody gets from one country to another faster. */
const TRAVEL_HOURS = 2;

type Place = { country: string; createdAt: Date };

/** Where the person signed in last, when nobody could have come here from there in the time between. */
async function impossibleTravel(tx: WriteContext, userId: string): Promise<Place | undefined> {
  const country = countryOf(tx.client.ip);
  if (!country) return undefined;
  const last = await tx.sql.one<Place>(sql`
    select country, created_at as "createdAt" from sessions
     where user_id = ${userId} and country is not null and impersonation_id is null
     order by created_at desc limit 1`);
  const isRecent = last && tx.now.getTime() - last.createdAt.getTime() < TRAVEL_HOURS * 3_600_000;
  return isRecent && last.country !== country ? last : undefined;
}

const raiseTravel = (tx: WriteContext, account: Account, sessionId: string, from: Place): Promise<void> =>
  raiseSecurityEvent(tx, {
    type: 'IMPOSSIBLE_TRAVEL',
    tenantId: account.tenantId,
    userId: account.id,
    sessionId,
    details: { from: from.country, to: countryOf(tx.client.ip), minutes: minutesBetween(from.createdAt, tx.now) },
  });

const minutesBetween = (from: Date, to: Date): number => Math.round((to.getTime() - from.getTime()) / 60_000);
