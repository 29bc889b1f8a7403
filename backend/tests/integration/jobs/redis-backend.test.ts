import { Redis } from 'ioredis';
import { describe, inject } from 'vitest';
import { jobContract } from './contract.ts';

const { redisUrl } = inject('testServers');

describe.skipIf(!redisUrl)('jobs on Redis', () =>
  jobContract(async () => {
    // A database of Redis that no other test uses: queues have the same names everywhere.
    const url = new URL(redisUrl ?? '');
    url.pathname = '/11';
    const redis = new Redis(url.href);
    await redis.flushdb();
    redis.disconnect();
    return { redisUrl: url.href };
  }),
);
