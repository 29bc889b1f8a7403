import { LRUCache } from 'lru-cache';
import { RateLimiterMemory, RateLimiterRedis, type RateLimiterAbstract } from 'rate-limiter-flexible';
import { commandRedis } from './redis.ts';

export type Limit = { points: number; seconds: number };

const limiters = new Map<string, RateLimiterAbstract>();

/** Counts in Redis, for all processes together; in this process's memory while Redis is away, so that it never blocks. */
export function limiterOf(name: string, { points, seconds }: Limit): RateLimiterAbstract {
  const key = `${name}:${points}:${seconds}`;
  const known = limiters.get(key);
  if (known) return known;
  const options = { keyPrefix: `limit:${name}`, points, duration: seconds };
  const storeClient = commandRedis();
  const insuranceLimiter = new RateLimiterMemory(options);
  const limiter = storeClient
    ? new RateLimiterRedis({ ...options, storeClient, rejectIfRedisNotReady: true, insuranceLimiter })
    : insuranceLimiter;
  limiters.set(key, limiter);
  return limiter;
}

/** What is left of a limit, and when it is whole again. */
export type Allowance = { remaining: number; milliseconds: number };

type Lease = { points: number; remaining: number; endsAt: number };

const leases = new LRUCache<string, Lease>({ max: 50_000 });

/** A hundredth of the limit, and never much: what a process has leased and does not use is lost to the caller. */
const leaseSize = ({ points }: Limit): number => Math.min(20, Math.max(1, Math.floor(points / 100)));

/**
 * Takes one point of a limit. A process leases some points at a time, so that not every request asks Redis; all
 * processes together never allow more than the limit.
 * @throws RateLimiterRes when there is none left
 */
export async function takePoint(name: string, limit: Limit, key: string): Promise<Allowance> {
  const lease = leases.get(`${name}:${key}`);
  const now = Date.now();
  if (lease && lease.points > 0 && lease.endsAt > now) {
    lease.points -= 1;
    return { remaining: lease.remaining + lease.points, milliseconds: lease.endsAt - now };
  }
  const size = leaseSize(limit);
  const { remainingPoints, msBeforeNext } = await limiterOf(name, limit).consume(key, size);
  leases.set(`${name}:${key}`, { points: size - 1, remaining: remainingPoints, endsAt: now + msBeforeNext });
  return { remaining: remainingPoints + size - 1, milliseconds: msBeforeNext };
}
