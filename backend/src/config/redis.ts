import { Redis, type RedisOptions } from 'ioredis';
import { environment } from './environment.ts';
import { logger } from './logger.ts';

/** Where Redis is; undefined: there is none, jobs run on PostgreSQL and limits are kept in memory. */
export const redisUrl = (): string | undefined => environment().REDIS_URL;

const common: RedisOptions = {
  connectTimeout: 2_000,
  keepAlive: 10_000,
  // Quick at first, so that a restart of Redis is hardly felt; never more than 2 s apart.
  retryStrategy: (tries) => Math.min(50 * 2 ** Math.min(tries, 10), 2_000),
  // After a failover the old primary answers READONLY: connect again, which finds the new one.
  reconnectOnError: (error) => error.message.startsWith('READONLY'),
};

/**
 * For commands on which somebody waits: they fail at once while Redis is away, and after 500 ms when it hangs. After a
 * second without a word it counts as away, so that not every request waits for it.
 */
const forCommands: RedisOptions = {
  ...common,
  commandTimeout: 500,
  socketTimeout: 1_000,
  maxRetriesPerRequest: 1,
  enableOfflineQueue: false,
};

/** For what must get through: commands wait for Redis to come back. BullMQ's workers need it so. */
const forWorkers: RedisOptions = { ...common, maxRetriesPerRequest: null };

const open = new Set<Redis>();

function connect(url: string, name: string, options: RedisOptions): Redis {
  const redis = new Redis(url, { ...options, connectionName: `studyspot-${name}` });
  reportOutages(redis, name);
  open.add(redis);
  redis.once('end', () => open.delete(redis));
  return redis;
}

/** One line when Redis goes, one when it is back. The listener also keeps an error from ending the process. */
function reportOutages(redis: Redis, name: string): void {
  let away = false;
  redis.on('error', (error) => {
    if (!away) logger.warn('Redis does not answer; trying again until it does', { connection: name, error });
    away = true;
  });
  redis.on('ready', () => {
    if (away) logger.info('Redis is back', { connection: name });
    away = false;
  });
}

/** A connection for commands that must answer or fail within half a second. */
export const openCommandRedis = (url: string, name: string): Redis => connect(url, name, forCommands);

/** A connection whose commands wait until Redis is there, without end. */
export const openWorkerRedis = (url: string, name: string): Redis => connect(url, name, forWorkers);

let commands: Redis | undefined;

/** The connection for commands that this process shares; null without Redis. */
export function commandRedis(): Redis | null {
  const url = redisUrl();
  if (!url) return null;
  commands ??= openCommandRedis(url, 'commands');
  return commands;
}

/** Closes every connection of this process. */
export function closeRedis(): Promise<void> {
  for (const redis of open) redis.disconnect();
  open.clear();
  commands = undefined;
  return Promise.resolve();
}
