import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { removePostgres, startPostgres, type LocalPostgres } from '../../../../launcher/local-postgres.ts';
import { startRedis, stopRedis, type LocalRedis } from '../../../../launcher/local-redis.ts';
import { findRedis } from '../../../../launcher/redis-packages.ts';
import { migrate } from '../../../prisma/migrate.ts';
import { PermanentError } from '../../../src/queues/permanent-error.ts';
import { ownerQuery, type TestDatabase } from '../../support/database.ts';
import { jobsOn, registryOf, until } from './support.ts';

const dataDir = mkdtempSync(path.join(tmpdir(), 'studyspot-outage-'));
const hasRedis = Boolean(findRedis(dataDir));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

describe('PostgreSQL goes away', () => {
  let postgres: LocalPostgres;
  let redis: LocalRedis | null = null;
  let database: TestDatabase;

  beforeAll(async () => {
    postgres = await startPostgres({ dataDir, fast: true });
    if (hasRedis) redis = await startRedis({ dataDir });
    await migrate(postgres.url);
    const app = new URL(postgres.url);
    app.username = 'studyspot_app';
    app.password = 'pw';
    database = { name: 'studyspot', ownerUrl: postgres.url, appUrl: app.href, drop: () => Promise.resolve() };
    await ownerQuery(database, `alter role studyspot_app password 'pw'`);
  });
  afterAll(async () => {
    await removePostgres(dataDir);
    if (redis) await stopRedis(dataDir);
  });

  const restart = async () => {
    postgres = await startPostgres({ dataDir, fast: true, port: postgres.port });
  };

  it('with the queues in it: everything goes on when it is back', async () => {
    const jobs = jobsOn(database, {});
    const ran: unknown[] = [];
    await jobs.start(registryOf({ 'test.back': { handle: async (_, payload) => void ran.push(payload) } }));
    await jobs.enqueue('test.back', { n: 1 });
    await until('the first ran', () => ran.length === 1);
    const cpu = process.cpuUsage();
    await postgres.stop();
    await expect(jobs.enqueue('test.back', { n: 2 })).rejects.toMatchObject({ code: 'service_unavailable' });
    await sleep(3_000);
    const { user, system } = process.cpuUsage(cpu);
    // Nobody asks again and again without a rest.
    expect((user + system) / 1000).toBeLessThan(1_500);
    await restart();
    await jobs.enqueue('test.back', { n: 3 });
    await until('the next ran', () => ran.length === 2);
    expect(ran).toEqual([{ n: 1 }, { n: 3 }]);
    await jobs.close();
  });

  it.skipIf(!hasRedis)('with the queues in Redis: a job that fails for good then is not forgotten', async () => {
    const jobs = jobsOn(database, { redisUrl: redis?.url });
    let tries = 0;
    await jobs.start(
      registryOf({
        'test.grave': {
          handle: async () => {
            tries += 1;
            await postgres.stop();
            throw new PermanentError('never');
          },
        },
      }),
    );
    const queue = await jobs.openBackend().openQueue('report');
    await jobs.enqueue('test.grave', {}, { dedupeKey: 'grave' });
    await until('it failed', () => tries === 1);
    await until('it rests', async () => (await queue.getDelayedCount()) === 1);
    expect(await queue.getFailedCount()).toBe(0);
    await restart();
    await (await queue.getJob('grave'))?.promote();
    await until('it failed again', () => tries === 2);
    await restart();
    await jobs.stopWorkers();
    expect(await queue.getJobCounts('delayed', 'failed')).toMatchObject({ delayed: 1, failed: 0 });
    await jobs.close();
  });
});
