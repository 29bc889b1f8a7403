import { RateLimiterRes } from 'rate-limiter-flexible';
import { limiterOf } from '../config/limits.ts';
import { sha256 } from '../utils/canonical-json.ts';
import { addressPrefix } from '../utils/ip-address.ts';

const DAY = 86_400;
/** Tries before the delays begin. */
export const FREE_TRIES = 5;
const LONGEST_DELAY_SECONDS = 900;

const tries = () => limiterOf('login-tries', { points: FREE_TRIES, seconds: DAY });
const delay = () => limiterOf('login-delay', { points: 1, seconds: 1 });

/** 30 s, 1, 2, 4, 8 and then 15 minutes. */
export const delayAfter = (failures: number): number =>
  Math.min(LONGEST_DELAY_SECONDS, 30 * 2 ** Math.min(10, Math.max(0, failures - FREE_TRIES)));

/**
 * Who tries which account from where (rule 3). The account is known by hash only, and the neighbourhood of the
 * address is part of it: a stranger slows down nobody but themselves.
 * @param account id, so that email and phone count together; what was typed, where there is no such account
 */
export const throttleKey = (account: string, ip: string): string =>
  `${sha256(account).slice(0, 32)}|${addressPrefix(ip)}`;

/**
 * Claims one try. It is counted before the password is looked at, so that parallel tries cannot slip through.
 * @returns false while the account is locked for this neighbourhood
 */
export async function claimTry(key: string): Promise<boolean> {
  const { consumedPoints } = await tries().penalty(key);
  if (consumedPoints < FREE_TRIES) return true;
  try {
    await delay().consume(key);
    await delay().block(key, delayAfter(consumedPoints));
    return true;
  } catch (refusal) {
    if (!(refusal instanceof RateLimiterRes)) throw refusal;
    await tries().reward(key);
    return false;
  }
}

/** After a success nothing is held against them. */
export async function forgiveTries(key: string): Promise<void> {
  await Promise.all([tries().delete(key), delay().delete(key)]);
}
