import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { environment } from '../config/environment.ts';
import type { Cookies, ReadContext, WriteContext } from '../types/context.ts';
import { newId } from '../utils/ids.ts';
import { sql } from '../utils/sql.ts';
import type { Account } from './auth.queries.ts';
import { countryOf } from './place.service.ts';

// A device on which somebody has signed in before is recognised by a token that it keeps. Strangers who try the account
// do not have one: what they do never keeps the person out of their own device (rule 3).

/** Not seen for so long, a device is a stranger again. */
export const DEVICE_DAYS = 180;
/** A person has no more; a new one takes the place of the one not seen for longest. */
const MOST_DEVICES = 20;

export const DEVICE_COOKIE = 'studyspot_devices';
/** Several people may share a browser. */
export const MOST_IN_COOKIE = 5;

let key: Buffer | undefined;

/** Only who has the server's key can make one, and only for this person. */
function signatureOf(userId: string, deviceId: string): string {
  key ??= Buffer.from(hkdfSync('sha256', environment().REFRESH_TOKEN_SECRET, '', 'studyspot known devices', 32));
  return createHmac('sha256', key).update(`${userId}.${deviceId}`).digest('base64url');
}

/** What the device keeps, and shows with the next sign-in. */
export const deviceTokenOf = (userId: string, deviceId: string): string =>
  `${deviceId}.${signatureOf(userId, deviceId)}`;

const tokenPattern = /^c[a-z0-9]{24}\.[\w-]{43}$/;

/** The tokens that the request shows: of the cookie, and of the body where a program sends one. */
export function shownDeviceTokens(cookies: Cookies, fromBody?: string): string[] {
  const kept = (cookies.get(DEVICE_COOKIE) ?? '').split('~').slice(0, MOST_IN_COOKIE);
  return [...(fromBody ? [fromBody] : []), ...kept].filter((token) => tokenPattern.test(token));
}

type DeviceRow = { id: string; userId: string };

const idOf = (token: string) => token.slice(0, token.indexOf('.'));

/** The rows that tokens name, whosever they are: asked before it is known whose account it is. */
export const devicesNamed = (tokens: readonly string[], now: Date) => sql`
  select id, user_id as "userId" from known_devices
   where id = any (string_to_array(${tokens.map(idOf).join(',')}, ',')) and last_seen_at > ${daysBefore(now, DEVICE_DAYS)}`;

export const daysBefore = (now: Date, days: number): Date => new Date(now.getTime() - days * 86_400_000);

/** Which of the devices is the person's own, by a token that this server made for them. */
export function ownDevice(userId: string, tokens: readonly string[], rows: readonly DeviceRow[]): string | undefined {
  const own = tokens.find((token) => {
    const row = rows.find(({ id }) => id === idOf(token));
    return row?.userId === userId && isGenuine(userId, token);
  });
  return own && idOf(own);
}

function isGenuine(userId: string, token: string): boolean {
  const [genuine, given] = [Buffer.from(deviceTokenOf(userId, idOf(token))), Buffer.from(token)];
  return genuine.length === given.length && timingSafeEqual(genuine, given);
}

/**
 * The id of the known device from which the request comes, if it is one of this person's.
 * @param fromBody the token that a program sent in the body
 */
export async function knownDevice(
  ctx: Pick<ReadContext, 'sql' | 'cookies' | 'now'>,
  userId: string,
  fromBody?: string,
): Promise<string | undefined> {
  const tokens = shownDeviceTokens(ctx.cookies, fromBody);
  if (tokens.length === 0) return undefined;
  return ownDevice(userId, tokens, await ctx.sql.many<DeviceRow>(devicesNamed(tokens, ctx.now)));
}

/**
 * Notes that the person has signed in on this device.
 * @param known its id where it was recognised
 * @returns its id, and whether it is a new one of somebody who had others
 */
export async function noteDevice(
  tx: WriteContext,
  account: Pick<Account, 'id' | 'tenantId'>,
  known: string | undefined,
): Promise<{ id: string; isSurprising: boolean }> {
  const seen = { userAgent: tx.client.userAgent, country: countryOf(tx.client.ip), lastSeenAt: tx.now };
  if (known) {
    await tx.db.knownDevice.updateMany({ where: { id: known, userId: account.id }, data: seen });
    return { id: known, isSurprising: false };
  }
  const others = await tx.db.knownDevice.findMany({
    where: { userId: account.id },
    orderBy: { lastSeenAt: 'desc' },
    select: { id: true, lastSeenAt: true },
    take: MOST_DEVICES,
  });
  const device = { id: newId(), createdAt: tx.now, ...seen };
  const oldest = others.length === MOST_DEVICES ? others.at(-1) : undefined;
  if (oldest) await tx.db.knownDevice.updateMany({ where: { id: oldest.id }, data: device });
  else await tx.db.knownDevice.create({ data: { ...device, userId: account.id, tenantId: account.tenantId } });
  const limit = daysBefore(tx.now, DEVICE_DAYS);
  return { id: device.id, isSurprising: others.some(({ lastSeenAt }) => lastSeenAt > limit) };
}
