import { RateLimiterRes } from 'rate-limiter-flexible';
import { limiterOf } from '../config/limits.ts';
import { sha256 } from '../utils/canonical-json.ts';
import { addressPrefix } from '../utils/ip-address.ts';
import type { SecurityPolicy } from './security-policies.service.ts';

const DAY = 86_400;
const HOUR = 3_600;
/** A wait this long is put on the list of lock-outs. */
const LISTED_FROM_SECONDS = 60;

/** Wrong passwords and wrong codes are counted apart (rule 3). */
export type TryKind = 'password' | 'code';
export type LockoutPolicy = SecurityPolicy<'LOCKOUT'>;

/** Who tries which account from where. */
export type Trier = {
  /** Id, so that email and phone count together; what was typed, where there is no such account. */
  account: string;
  ip: string;
  /**
   * A device on which the person has signed in before, or their live session: it has a count of its own, so that no
   * stranger can use up its tries.
   */
  trusted?: string | undefined;
};

/** A wait that the try began, should it turn out to be wrong. */
export type Wait = {
  /** Names the counters that hold it. */
  throttleKey: string;
  kind: TryKind;
  /** The neighbourhood that waits; null: every device that is not known. */
  network: string | null;
  seconds: number;
  failures: number;
};

export type Claim = {
  /** False while the account takes no try from there. */
  allowed: boolean;
  kind: TryKind;
  trier: Trier;
  /** Those of a minute and more. */
  waits: Wait[];
};

// Counted up only, never back: what is taken back after a reset would leave tries to spare.
const tries = () => limiterOf('login-tries', { points: 1, seconds: DAY });
const waits = () => limiterOf('login-waits', { points: 1, seconds: DAY });
const delay = () => limiterOf('login-delay', { points: 1, seconds: 1 });
const wide = () => limiterOf('login-account', { points: 1, seconds: HOUR });

const freeTries = (kind: TryKind, policy: LockoutPolicy) => (kind === 'password' ? policy.freeTries : policy.codeTries);

/** The first wait, then each twice as long as the one before, up to the longest. @param nth 1 for the first */
export const waitSeconds = (nth: number, policy: LockoutPolicy): number =>
  Math.min(policy.longestDelaySeconds, policy.firstDelaySeconds * 2 ** Math.min(20, nth - 1));

/** The account is known by hash only: what strangers typed is kept nowhere. */
const accountKey = (kind: TryKind, account: string) => `${kind}|${sha256(account).slice(0, 32)}`;

/** The counter of a neighbourhood, or of a device that is known: strangers slow down nobody but themselves. */
export const throttleKey = (kind: TryKind, { account, ip, trusted }: Trier): string =>
  `${accountKey(kind, account)}|${trusted ? `own:${trusted}` : addressPrefix(ip)}`;

const wideKey = (kind: TryKind, { account }: Trier): string => `${accountKey(kind, account)}|*`;

/**
 * Claims one try. It is counted before anything is looked at, so that parallel tries cannot slip through: first for the
 * neighbourhood with growing waits, then for all unknown devices together, so that many addresses help nobody.
 */
export async function claimTry(kind: TryKind, trier: Trier, policy: LockoutPolicy): Promise<Claim> {
  const refused = { allowed: false, kind, trier, waits: [] };
  const isKnown = trier.trusted !== undefined;
  if (!isKnown && (await isSpent(kind, trier, policy))) return refused;
  const near = await claimNear(kind, trier, policy);
  const all = near && !isKnown ? await claimWide(kind, trier, policy) : [];
  return near && all ? { allowed: true, kind, trier, waits: [...near, ...all] } : refused;
}

async function claimNear(kind: TryKind, trier: Trier, policy: LockoutPolicy): Promise<Wait[] | undefined> {
  const key = throttleKey(kind, trier);
  const free = freeTries(kind, policy);
  const { consumedPoints: tried } = await tries().penalty(key);
  if (tried < free) return [];
  if (!(await isOver(key))) return undefined;
  const { consumedPoints: nth } = await waits().penalty(key);
  const seconds = waitSeconds(nth, policy);
  await delay().block(key, seconds);
  if (seconds < LISTED_FROM_SECONDS) return [];
  return [{ throttleKey: key, kind, network: addressPrefix(trier.ip), seconds, failures: free - 1 + nth }];
}

/** Of all who wait exactly one gets through when the wait is over. */
const isOver = (key: string): Promise<boolean> =>
  delay()
    .consume(key)
    .then(
      () => true,
      (refusal: unknown) => {
        if (refusal instanceof RateLimiterRes) return false;
        throw refusal;
      },
    );

async function isSpent(kind: TryKind, trier: Trier, policy: LockoutPolicy): Promise<boolean> {
  const taken = await wide().get(wideKey(kind, trier));
  return taken !== null && taken.consumedPoints >= policy.accountTriesPerHour;
}

async function claimWide(kind: TryKind, trier: Trier, policy: LockoutPolicy): Promise<Wait[] | undefined> {
  const key = wideKey(kind, trier);
  const { consumedPoints: failures, msBeforeNext } = await wide().penalty(key);
  if (failures > policy.accountTriesPerHour) return undefined;
  if (failures < policy.accountTriesPerHour) return [];
  return [{ throttleKey: key, kind, network: null, seconds: Math.ceil(msBeforeNext / 1000), failures }];
}

/** After a success nothing is held against this place; of all places together only this try is given back. */
export async function forgiveTries({ kind, trier }: Claim): Promise<void> {
  await liftThrottle(throttleKey(kind, trier));
  if (trier.trusted === undefined) await wide().reward(wideKey(kind, trier));
}

/**
 * Sets the counters back that a throttle key names, as `lockouts` keeps it: from there the account takes tries again.
 * The row is the caller's.
 */
export async function liftThrottle(key: string): Promise<void> {
  const counters = key.endsWith('|*') ? [wide()] : [tries(), waits(), delay()];
  await Promise.all(counters.map((counter) => counter.delete(key)));
}

/** As if nobody had tried this account from here, nor from everywhere together: the person has proved who they are. */
export async function forgetTries(trier: Trier): Promise<void> {
  const keys = (['password', 'code'] as const).flatMap((kind) => [throttleKey(kind, trier), wideKey(kind, trier)]);
  await Promise.all(keys.map(liftThrottle));
}
