import { createPostgresBackend, createRedisBackend, type BackendFactory, type RedisQueueBackend } from 'bullmq';
import type { Redis } from 'ioredis';
import pg from 'pg';
import { logger } from '../config/logger.ts';
import { openCommandRedis, openWorkerRedis } from '../config/redis.ts';
import { queueNames } from './queues.ts';

/** One of the two things BullMQ can keep its queues in. */
export type Store = {
  producer: unknown;
  consumer(): unknown;
  prefix: string;
  /** It goes last into the constructors, where a misplaced one would be ignored silently. */
  factory: BackendFactory<RedisQueueBackend>;
  /** @throws Error when there is no connection within 3 s */
  reachable(): Promise<void>;
  /** Waits until what was just opened can be used, where it would not get there by itself. */
  settled(opened: { waitUntilReady(): Promise<unknown>; close(): Promise<void> }): Promise<void>;
  close(): Promise<void>;
};

const REACHABLE_WITHIN_MS = 3_000;

export function redisStore(url: string): Store {
  const producer = openCommandRedis(url, 'queues');
  // Opened with the first worker: a process that only adds jobs needs none.
  let consumer: Redis | undefined;
  return {
    producer,
    consumer: () => (consumer ??= openWorkerRedis(url, 'workers')),
    prefix: 'studyspot',
    factory: createRedisBackend,
    reachable: () => untilReady(producer),
    // ioredis connects again and again; a worker that starts while Redis is away begins when it comes.
    settled: () => Promise.resolve(),
    close: () => {
      producer.disconnect();
      consumer?.disconnect();
      return Promise.resolve();
    },
  };
}

function untilReady(redis: Redis): Promise<void> {
  if (redis.status === 'ready') return Promise.resolve();
  return new Promise((resolve, reject) => {
    const ready = () => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(() => {
      redis.off('ready', ready);
      reject(
        new Error(`Redis does not answer within ${REACHABLE_WITHIN_MS / 1000} s. Check that it runs, and REDIS_URL.`),
      );
    }, REACHABLE_WITHIN_MS);
    redis.once('ready', ready);
  });
}

export function postgresStore(databaseUrl: string): Store {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    options: '-c search_path=bullmq',
    // Each worker keeps one to LISTEN on; the rest are for what it asks in between.
    max: queueNames.length + 4,
    application_name: 'studyspot-queues',
    connectionTimeoutMillis: REACHABLE_WITHIN_MS,
    query_timeout: 12_000,
    keepAlive: true,
  });
  // Every queue and worker listens for errors of the pool: more than the ten that look like a leak.
  pool.setMaxListeners(4 * queueNames.length);
  // One that is lost while it is in use fails a query; without a listener it would end the process as well.
  pool.on('connect', (client) => client.on('error', () => {}));
  pool.on('error', (error) => logger.debug('An idle connection of the queues was lost', { error }));
  return {
    producer: pool,
    consumer: () => pool,
    prefix: '',
    factory: createPostgresBackend as unknown as BackendFactory<RedisQueueBackend>,
    reachable: () => Promise.resolve(),
    settled: readyOrClosed,
    close: () => pool.end(),
  };
}

/** What failed to connect at first never recovers: it is given up, and the next call opens another. */
const readyOrClosed: Store['settled'] = async (opened) => {
  try {
    await opened.waitUntilReady();
  } catch (error) {
    await opened.close().catch(() => undefined);
    const missing = error instanceof Error && /is not initialized|does not exist|permission denied/.test(error.message);
    throw missing
      ? new Error('The tables of the queues are missing. Run: ./studyspot migrate', { cause: error })
      : error;
  }
};
