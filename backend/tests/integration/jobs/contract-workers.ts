import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { JobContext } from '../../../src/queues/job-context.ts';
import { ownerQuery } from '../../support/database.ts';
import { environmentFor, LOCK_SECONDS, registryOf, until, type JobFixture } from './support.ts';

/** How worker processes share jobs, lose them and stop. */
export function workerContract(fixture: JobFixture): void {
  describe('workers', () => {
    it('share the work without doing anything twice', async () => {
      const ran: [number, number][] = [];
      const registry = (worker: number) =>
        registryOf({
          'test.shared': {
            handle: async (_, { n }: { n: number }) => {
              ran.push([worker, n]);
              await sleep(5);
            },
          },
        });
      await Promise.all([fixture.jobs.start(registry(1)), fixture.jobs.start(registry(2))]);
      await fixture.jobs.inTransaction((ctx) => {
        for (let n = 0; n < 250; n += 1) (ctx.enqueue as (...all: unknown[]) => void)('test.shared', { n });
      });
      await until('all ran', () => ran.length >= 250);
      await sleep(300);
      expect(ran).toHaveLength(250);
      expect(new Set(ran.map(([, n]) => n)).size).toBe(250);
      expect(new Set(ran.map(([worker]) => worker)).size).toBe(2);
    });

    it('finish a job whose worker was killed', async () => {
      const child = spawn(
        process.execPath,
        [
          '--import',
          'tsx',
          path.join(import.meta.dirname, 'doomed-worker.ts'),
          JSON.stringify({ ...fixture.place, databaseUrl: fixture.database.appUrl, lockSeconds: LOCK_SECONDS }),
        ],
        { env: { ...process.env, ...environmentFor(fixture.database.appUrl) }, stdio: ['ignore', 'pipe', 'inherit'] },
      );
      let told = '';
      child.stdout.on('data', (text) => (told += String(text)));
      await until('the child is ready', () => told.includes('ready'), 20_000);
      await fixture.jobs.enqueue('test.doomed', {}, { dedupeKey: 'doomed' });
      await until('the child took the job', () => told.includes('taken'));
      child.kill('SIGKILL');
      await once(child, 'exit');
      const ran: string[] = [];
      await fixture.jobs.start(registryOf({ 'test.doomed': { handle: async (ctx) => void ran.push(ctx.job.id) } }));
      await until('another finished it', () => ran.length > 0, LOCK_SECONDS * 4_000);
      expect(ran).toEqual(['doomed']);
    });

    it('bury a job that loses its worker every time', async () => {
      let lost = 0;
      const backend = fixture.jobs.openBackend({ lockSeconds: 0.2 });
      const queue = await backend.openQueue('invoice');
      await queue.add('test.killer', { payload: { n: 1 }, tenantId: null, requestId: null }, { jobId: 'killer' });
      for (let before = 0; before < 6; before += 1) {
        const worker = await backend.openWorker('invoice', () => ((lost += 1), new Promise(() => undefined)));
        await until('it was taken', () => lost > before);
        await worker.close(true);
      }
      const handle = async () => void (lost += 1);
      await fixture.jobs.start(registryOf({ 'test.killer': { queue: 'invoice', handle } }), { lockSeconds: 0.2 });
      await until('it was given up', async () => (await fixture.deadLetters('test.killer')).length === 1);
      expect((await fixture.deadLetters('test.killer'))[0]).toMatchObject({
        queue: 'invoice',
        job_id: 'killer',
        payload: { n: 1 },
      });
      expect(lost).toBe(6);
    });

    it('wait for a running job when they are closed', async () => {
      const steps: string[] = [];
      const workers = await fixture.jobs.start(
        registryOf({
          'test.patient': {
            handle: async () => {
              steps.push('begun');
              await sleep(700);
              steps.push('done');
            },
          },
        }),
      );
      await fixture.jobs.enqueue('test.patient', {});
      await until('it began', () => steps.length === 1);
      await workers.close();
      expect(steps).toEqual(['begun', 'done']);
    });

    it('give a job back that takes longer than they may wait, and it counts as no try', async () => {
      const attempts: number[] = [];
      let stuck = true;
      const registry = registryOf({
        'test.stuck': {
          attempts: 1,
          handle: async (ctx) => {
            attempts.push(ctx.job.attempt);
            if (stuck) await new Promise(() => undefined);
          },
        },
      });
      const workers = await fixture.jobs.start(registry, { patienceMs: 300 });
      await fixture.jobs.enqueue('test.stuck', {});
      await until('it began', () => attempts.length === 1);
      const begun = Date.now();
      await workers.close();
      expect(Date.now() - begun).toBeLessThan(2_000);
      stuck = false;
      await fixture.jobs.start(registry);
      await until('another took it', () => attempts.length === 2);
      expect(attempts).toEqual([1, 1]);
      expect(await fixture.deadLetters('test.stuck')).toEqual([]);
    });

    it('see the rows of the tenant of the job, and all without one', async () => {
      const mine = await fixture.makeTenant();
      await fixture.makeTenant();
      const seen: Record<string, string[]> = {};
      await fixture.jobs.start(
        registryOf({
          'test.scope': {
            handle: async (ctx, { as }: { as: string }) => {
              const rows = await ctx.transact(({ db }) => db.tenant.findMany({ select: { id: true } }));
              seen[as] = rows.map(({ id }) => id);
            },
          },
        }),
      );
      await fixture.jobs.enqueue('test.scope', { as: 'tenant' }, { tenantId: mine });
      await fixture.jobs.enqueue('test.scope', { as: 'portal' });
      await until('both ran', () => Boolean(seen.tenant && seen.portal));
      expect(seen.tenant).toEqual([mine]);
      expect(seen.portal?.length).toBeGreaterThanOrEqual(2);
    });

    it('write audit rows and further jobs as the system', async () => {
      const followers: JobContext['job'][] = [];
      await fixture.jobs.start(
        registryOf({
          'test.leader': {
            handle: async (ctx) =>
              ctx.transact(async (tx) => {
                tx.audit({ resource: 'test', resourceId: 'leader' });
                (tx.enqueue as (...all: unknown[]) => void)('test.follower', {});
              }),
          },
          'test.follower': { handle: async (ctx) => void followers.push(ctx.job) },
        }),
      );
      await fixture.jobs.enqueue('test.leader', {});
      await until('the follower ran', () => followers.length === 1);
      const rows = await ownerQuery(
        fixture.database,
        `select actor_type, action, request_id from audit_logs where resource = 'test'`,
      );
      expect(rows).toEqual([{ actor_type: 'SYSTEM', action: 'test.leader', request_id: 'test' }]);
    });
  });
}
