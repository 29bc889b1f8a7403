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
