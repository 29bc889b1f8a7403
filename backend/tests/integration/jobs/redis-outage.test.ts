import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startRedis, stopRedis, type LocalRedis } from '../../../../launcher/local-redis.ts';
import { findRedis } from '../../../../launcher/redis-packages.ts';
import { createTestDatabase, ownerQuery, type TestDatabase } from '../../support/database.ts';
import { jobsOn, registryOf, until } from './support.ts';

const dataDir = mkdtempSync(path.join(tmpdir(), 'studyspot-outage-'));
const hasRedis = Boolean(findRedis(dataDir));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

const count = async (database: TestDatabase, where: string): Promise<number> =>
  (await ownerQuery<{ n: number }>(database, `select count(*)::int as n from ${where}`))[0]?.n ?? -1;

describe.skipIf(!hasRedis)('Redis goes away', () => {
  let redis: LocalRedis;
  let database: TestDatabase;
  let jobs: ReturnType<typeof jobsOn>;
  const start = async () => {
    const started = await startRedis({ dataDir });
    if (!started) throw new Error('Redis did not start');
    return started;
  };

  beforeAll(async () => {
    redis = await start();
    database = await createTestDatabase();
    jobs = jobsOn(database, { redisUrl: redis.url });
  });
  afterEach(() => jobs.stopWorkers());
  afterAll(async () => {
    await jobs.close();
    await stopRedis(dataDir);
  });

  it('whoever adds a job learns it soon; the outbox keeps what comes, and all of it runs when Redis is back', async () => {
    const ran: unknown[] = [];
    const registry = registryOf({
      'test.patient': {
        handle: async (_, payload) => (ran.push(payload), sleep((payload as { ms?: number }).ms ?? 0)),
      },
    });
    await jobs.start(registry);
    const backend = jobs.openBackend();
    const queue = await backend.openQueue('report');
    await jobs.enqueue('test.patient', { n: 1, ms: 1_500 });
    await until('the first began', () => ran.length === 1);
    await redis.stop();

    const begun = Date.now();
    await expect(
      queue.add('test.patient', { payload: {}, tenantId: null, requestId: null }, { jobId: 'x' }),
    ).rejects.toThrow();
    expect(Date.now() - begun).toBeLessThan(1_000);
    await expect(backend.openQueue('email')).rejects.toThrow('Redis does not answer');
    expect(Date.now() - begun).toBeLessThan(4_500);

    await jobs.enqueue('test.patient', { n: 2 });
    await jobs.enqueue('test.patient', { n: 3 });
    expect(await count(database, 'outbox_messages where published_at is null')).toBe(2);

    redis = await start();
    await until('the others ran', () => ran.length >= 3);
    await sleep(500);
    expect(ran).toEqual([{ n: 1, ms: 1_500 }, { n: 2 }, { n: 3 }]);
    await until('all are finished', async () => (await queue.getCompletedCount()) === 3);
    expect(await count(database, 'dead_letters')).toBe(0);
  });

  it('hangs: no wait is endless, and nothing is lost', async () => {
    const ran: unknown[] = [];
    await jobs.start(registryOf({ 'test.hung': { handle: async (_, payload) => void ran.push(payload) } }));
    const backend = jobs.openBackend();
    const queue = await backend.openQueue('report');
    const probe = new Redis(redis.url);
    const pid = Number(/process_id:(\d+)/.exec(await probe.info('server'))?.[1]);
    probe.disconnect();
    process.kill(pid, 'SIGSTOP');
    try {
      const begun = Date.now();
      await expect(
        queue.add('test.hung', { payload: {}, tenantId: null, requestId: null }, { jobId: 'hung' }),
      ).rejects.toThrow();
      expect(Date.now() - begun).toBeLessThan(2_000);
      await jobs.enqueue('test.hung', { n: 1 });
      await sleep(1_500);
      expect(await count(database, 'outbox_messages where published_at is null')).toBe(1);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await until('it ran', () => ran.some((payload) => (payload as { n?: number }).n === 1));
    expect(ran.filter((payload) => (payload as { n?: number }).n === 1)).toHaveLength(1);
  });

  it('is away when the workers start: they begin when it comes', async () => {
    const ran: unknown[] = [];
    await redis.stop();
    await jobs.start(registryOf({ 'test.early': { handle: async () => void ran.push(1) } }));
    await jobs.enqueue('test.early', {});
    await sleep(500);
    redis = await start();
    await until('it ran', () => ran.length === 1);
  });

  it('is away when the workers stop: they stop all the same', async () => {
    const workers = await jobs.start(registryOf({ 'test.idle': { handle: async () => undefined } }));
    await sleep(300);
    await redis.stop();
    const begun = Date.now();
    await workers.close();
    expect(Date.now() - begun).toBeLessThan(6_000);
    redis = await start();
  });
});
