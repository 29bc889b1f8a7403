import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { namesInSpace, namesOf, type CacheKey } from '../utils/cache-key.ts';
import { logger } from './logger.ts';
import { commandRedis } from './redis.ts';

// The cache in Redis. Each script is one step that nothing comes between. A value begins with the generation of its
// tenant when it was loaded; another generation makes all values of the tenant invisible at once. Whoever is to load
// a value holds a lease; forgetting takes the lease away, so that what was read before a change is not kept after it.

/** Longer than any value lives: while there are values, their generation is remembered. */
const GENERATION_MS = 7 * 3_600_000;
/** How long one may be at loading a value before another begins as well. */
const LEASE_MS = 5_000;
/**
 * After a failure nobody asks for this long, so that not every request waits for a Redis that does not answer. It is
 * also what other processes have, once Redis is back, to forget there what has changed meanwhile.
 */
const REST_MS = 3_000;
const RETRY_MS = 250;

const take = `
local generation = redis.call('get', KEYS[1])
if not generation then
  generation = ARGV[1]
  redis.call('set', KEYS[1], generation, 'px', ARGV[4])
end
local function isCurrent(text) return text and string.sub(text, 1, #generation) == generation end
local value = redis.call('get', KEYS[2])
if isCurrent(value) then return {'hit', string.sub(value, #generation + 1)} end
local lease = redis.call('get', KEYS[3])
if isCurrent(lease) then return {'wait', lease} end
lease = generation .. ARGV[2]
redis.call('set', KEYS[3], lease, 'px', ARGV[3])
return {'lease', lease}`;

const fill = `
local generation = redis.call('get', KEYS[1])
if not generation or redis.call('get', KEYS[3]) ~= ARGV[1] then return 0 end
if string.sub(ARGV[1], 1, #generation) ~= generation then return 0 end
redis.call('set', KEYS[2], generation .. ARGV[2], 'px', ARGV[3])
redis.call('unlink', KEYS[3])
redis.call('pexpire', KEYS[1], ARGV[4])
local time = redis.call('time')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('zremrangebyscore', KEYS[4], '-inf', now)
redis.call('zadd', KEYS[4], now + ARGV[3], KEYS[2])
redis.call('pexpire', KEYS[4], ARGV[4])
return 1`;

const giveBack = `
if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('unlink', KEYS[1]) end
return 0`;

const drop = `
redis.call('unlink', KEYS[1])
local names = redis.call('zrange', KEYS[2], 0, -1)
for first = 1, #names, 1000 do
  redis.call('unlink', unpack(names, first, math.min(first + 999, #names)))
end
redis.call('unlink', KEYS[2])
return #names`;

type Scripted = Redis & {
  cacheTake(...args: string[]): Promise<['hit' | 'wait' | 'lease', string]>;
  cacheFill(...args: string[]): Promise<number>;
  cacheGiveBack(...args: string[]): Promise<number>;
  cacheDrop(...args: string[]): Promise<number>;
};

const prepared = new WeakSet<Redis>();
let restsUntil = 0;
/**
 * Tenants of whom something has changed that Redis could not be told, and how often. Nothing of them is taken from it
 * until then.
 */
const unforgotten = new Map<string, number>();
let retrying: NodeJS.Timeout | undefined;

const rest = (): void => void (restsUntil = Date.now() + REST_MS);

/** The connection, when it can be asked now. */
function connection(): Scripted | undefined {
  const redis = commandRedis();
  if (!redis) return undefined;
  if (!prepared.has(redis)) prepare(redis);
  return redis.status === 'ready' ? (redis as Scripted) : undefined;
}

function prepare(redis: Redis): void {
  prepared.add(redis);
  redis.defineCommand('cacheTake', { numberOfKeys: 3, lua: take });
  redis.defineCommand('cacheFill', { numberOfKeys: 4, lua: fill });
  redis.defineCommand('cacheGiveBack', { numberOfKeys: 1, lua: giveBack });
  redis.defineCommand('cacheDrop', { numberOfKeys: 2, lua: drop });
  let lost = false;
  redis.on('close', () => {
    lost = true;
    rest();
  });
  redis.on('ready', () => {
    if (lost) rest();
    lost = false;
  });
}

export const hasCache = (): boolean => commandRedis() !== null;

async function attempt<Result>(work: (redis: Scripted) => Promise<Result>): Promise<Result | undefined> {
  const redis = Date.now() >= restsUntil ? connection() : undefined;
  if (!redis) return undefined;
  try {
    return await work(redis);
  } catch (error) {
    if (Date.now() >= restsUntil) logger.warn('The cache failed; it is left alone for a while', { error });
    rest();
    return undefined;
  }
}

/**
 * `hit`: the value. `lease`: there is none, and the caller is to load it. `wait`: another is at it, who holds that lease.
 */
export type Taken = { state: 'hit' | 'lease' | 'wait'; text: string };

/** @returns undefined when the cache cannot be asked, which takes 500 ms at most */
export async function takeFromCache(key: CacheKey): Promise<Taken | undefined> {
  if (unforgotten.has(key.space)) return undefined;
  const { generation, value, lease } = namesOf(key);
  const made = [randomBytes(12).toString('base64url'), randomBytes(12).toString('base64url')] as const;
  const taken = await attempt((redis) =>
    redis.cacheTake(generation, value, lease, ...made, String(LEASE_MS), String(GENERATION_MS)),
  );
  // Something may have changed while it was asked.
  if (!taken || unforgotten.has(key.space)) return undefined;
  return { state: taken[0], text: taken[1] };
}

/** Keeps a value, unless it was forgotten since the lease was given. */
export async function putIntoCache(key: CacheKey, held: string, text: string): Promise<void> {
  const { generation, value, lease, keys } = namesOf(key);
  const milliseconds = String(key.seconds * 1000);
  await attempt((redis) =>
    redis.cacheFill(generation, value, lease, keys, held, text, milliseconds, String(GENERATION_MS)),
  );
}

/** Lets another load the value at once. */
export const giveBackLease = async (key: CacheKey, held: string): Promise<void> =>
  void (await attempt((redis) => redis.cacheGiveBack(namesOf(key).lease, held)));

/**
 * Forgets values, and what is being loaded for them. Where Redis cannot be told, this process takes nothing of the
 * tenants from it until it could.
 */
export async function forgetInCache(keys: readonly CacheKey[]): Promise<void> {
  if (!hasCache()) return;
  for (const space of new Set(keys.map((key) => key.space))) {
    const names = keys
      .filter((key) => key.space === space)
      .map(namesOf)
      .flatMap(({ value, lease }) => [value, lease]);
    const done = await attempt((redis) => redis.unlink(...names));
    if (done === undefined) remember(space);
  }
}

/** Forgets everything of a tenant, and removes it from Redis. */
export async function dropFromCache(space: string): Promise<void> {
  if (!hasCache()) return;
  const { generation, keys } = namesInSpace(space);
  const done = await attempt((redis) => redis.cacheDrop(generation, keys));
  if (done === undefined) remember(space);
}

function remember(space: string): void {
  unforgotten.set(space, (unforgotten.get(space) ?? 0) + 1);
  retrying ??= setInterval(() => void catchUp(), RETRY_MS).unref();
}

let catchingUp = false;

/** As soon as Redis answers, before anybody asks it again. */
async function catchUp(): Promise<void> {
  const redis = connection();
  if (!redis || catchingUp) return;
  catchingUp = true;
  try {
    for (const [space, changes] of unforgotten) {
      const { generation, keys } = namesInSpace(space);
      await redis.cacheDrop(generation, keys);
      // Not if more has changed while Redis was told.
      if (unforgotten.get(space) === changes) unforgotten.delete(space);
    }
    if (unforgotten.size > 0) return;
    clearInterval(retrying);
    retrying = undefined;
  } catch {
    rest();
  } finally {
    catchingUp = false;
  }
}
