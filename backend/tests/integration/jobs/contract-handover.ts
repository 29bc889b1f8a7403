import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { jobOptions } from '../../../src/queues/job-options.ts';
import { queueNames } from '../../../src/queues/queues.ts';
import { relayBatch } from '../../../src/queues/relay.ts';
import { applySchedules } from '../../../src/queues/schedules.ts';
import { registryOf, until, type JobFixture } from './support.ts';

/** How jobs get from where they are decided on to where they run: outbox, queues, schedules. */
export function handoverContract(fixture: JobFixture): void {
  describe('handing over', () => {
    it('runs a job once that is added twice with the same id', async () => {
      const ran: string[] = [];
      const registry = registryOf({ 'test.once': { handle: async (ctx) => void ran.push(ctx.job.id) } });
      const backend = fixture.jobs.openBackend();
      const queue = await backend.openQueue('report');
      const envelope = { payload: {}, tenantId: null, requestId: null };
      const definition = registry.jobs['test.once'];
      if (!definition) throw new Error('not defined');
      for (let time = 0; time < 3; time += 1) {
        await queue.add('test.once', envelope, { ...jobOptions(definition), jobId: 'the-same' });
      }
      await fixture.jobs.start(registry);
      await until('it ran', () => ran.length > 0);
      await queue.add('test.once', envelope, { ...jobOptions(definition), jobId: 'the-same' });
      await sleep(500);
      expect(ran).toEqual(['the-same']);
    });

    it('runs what was committed, and nothing of what was rolled back', async () => {
      const ran: unknown[] = [];
      await fixture.jobs.start(registryOf({ 'test.commit': { handle: async (_, payload) => void ran.push(payload) } }));
      await expect(
        fixture.jobs.inTransaction(async (ctx) => {
          (ctx.enqueue as (...all: unknown[]) => void)('test.commit', { kept: false });
          throw new Error('changed my mind');
        }),
      ).rejects.toThrow('changed my mind');
      await fixture.jobs.enqueue('test.commit', { kept: true });
      await until('it ran', () => ran.length > 0);
      await sleep(700);
      expect(ran).toEqual([{ kept: true }]);
      expect(await fixture.unpublished()).toBe(0);
    });

    it('queues the same dedupe key once, colons and bare numbers included', async () => {
      const ran: string[] = [];
      await fixture.jobs.start(registryOf({ 'test.dedupe': { handle: async (ctx) => void ran.push(ctx.job.id) } }));
      for (const dedupeKey of ['invoice:2026:7', 'invoice:2026:7', '42']) {
        await fixture.jobs.enqueue('test.dedupe', {}, { dedupeKey });
      }
      await until('both ran', () => ran.length >= 2);
      await sleep(500);
      expect(ran.toSorted()).toEqual(['%42', 'invoice%3A2026%3A7']);
    });

    it('does not run a job twice when the relay dies between adding and marking', async () => {
      const ran: string[] = [];
      const registry = registryOf({ 'test.crash': { handle: async (ctx) => void ran.push(ctx.job.id) } });
      await fixture.jobs.enqueue('test.crash', {}, { dedupeKey: 'crash-1' });
      const backend = fixture.jobs.openBackend();
      const dying = {
        ...backend,
        openQueue: async (name: 'report') => {
          const queue = await backend.openQueue(name);
          return {
            add: async (...all: Parameters<typeof queue.add>) => (
              await queue.add(...all),
              Promise.reject(new Error('crash'))
            ),
          };
        },
      } as unknown as typeof backend;
      await expect(relayBatch(dying, registry.jobs)).rejects.toThrow('The queue report takes no jobs');
      expect(await fixture.unpublished()).toBe(1);
      await fixture.jobs.start(registry);
      await until('the relay marked it', async () => (await fixture.unpublished()) === 0);
      await until('it ran', () => ran.length > 0);
      await sleep(500);
      expect(ran).toEqual(['crash-1']);
    });

    it('keeps a delayed job back until it is due', async () => {
      const ran: number[] = [];
      await fixture.jobs.start(registryOf({ 'test.later': { handle: async () => void ran.push(Date.now()) } }));
      const availableAt = new Date(Date.now() + 1_500);
      await fixture.jobs.enqueue('test.later', {}, { availableAt });
      await until('it ran', () => ran.length > 0);
      expect(ran[0]).toBeGreaterThanOrEqual(availableAt.getTime() - 50);
    });

    it('hands over quickly when it is nudged', async () => {
      const ran: number[] = [];
      await fixture.jobs.start(registryOf({ 'test.quick': { handle: async () => void ran.push(Date.now()) } }));
      await sleep(600);
      const took: number[] = [];
      for (let time = 0; time < 5; time += 1) {
        const begun = Date.now();
        await fixture.jobs.enqueue('test.quick', {});
        await until('it ran', () => ran.length === time + 1);
        took.push(Date.now() - begun);
      }
      // Polling alone would take half a second now and then.
      expect(took.toSorted((a, b) => a - b)[2]).toBeLessThan(300);
    });

    it('does not let a job of an unknown kind hold up the others', async () => {
      const ran: unknown[] = [];
      await fixture.jobs.start(registryOf({ 'test.known': { handle: async () => void ran.push(1) } }));
      await fixture.jobs.enqueue('test.unknown', { a: 1 });
      await fixture.jobs.enqueue('test.known', {});
      await until('the known one ran', () => ran.length > 0);
      await until('the other was put aside', async () => (await fixture.deadLetters('test.unknown')).length === 1);
      expect((await fixture.deadLetters('test.unknown'))[0]?.error).toContain('There is no job named test.unknown');
    });
  });

  describe('each of the queues', () => {
    it.each(queueNames)('%s runs jobs, and can be paused and resumed', async (queueName) => {
      const ran: number[] = [];
      await fixture.jobs.start(
        registryOf({ 'test.queue': { queue: queueName, handle: async () => void ran.push(1) } }),
      );
      const queue = await fixture.jobs.openBackend().openQueue(queueName);
      await fixture.jobs.enqueue('test.queue', {});
      await until('it ran', () => ran.length === 1);
      await queue.pause();
      await fixture.jobs.enqueue('test.queue', {});
      await until('it was handed over', async () => (await fixture.unpublished()) === 0);
      await sleep(300);
      expect(ran).toHaveLength(1);
      await queue.resume();
      await until('it ran', () => ran.length === 2);
    });
  });

  describe('schedules', () => {
    const clock = (ran: string[], pattern: string) =>
      registryOf({
        'test.clock': {
          schedule: { pattern, timeZone: 'Asia/Kolkata' },
          handle: async (ctx) => void ran.push(ctx.job.id),
        },
      });

    it('are set once however often they are applied, and go when they are no longer declared', async () => {
      const backend = fixture.jobs.openBackend();
      const queue = await backend.openQueue('report');
      const { jobs: definitions } = clock([], '30 3 * * *');
      await Promise.all([applySchedules(backend, definitions), applySchedules(backend, definitions)]);
      await applySchedules(backend, definitions);
      const schedules = await queue.getJobSchedulers();
      expect(schedules).toHaveLength(1);
      expect(schedules[0]).toMatchObject({ key: 'test.clock', pattern: '30 3 * * *', tz: 'Asia/Kolkata' });
      expect(new Date(schedules[0]?.next ?? 0).toISOString()).toMatch(/T22:00:00/);
      expect(await queue.getDelayedCount()).toBe(1);
      await applySchedules(backend, registryOf({ 'test.other': { handle: async () => undefined } }).jobs);
      expect(await queue.getJobSchedulers()).toEqual([]);
      expect(await queue.getDelayedCount()).toBe(0);
    });

    it('run each of their times once, with two processes', async () => {
      const ran: string[] = [];
      await Promise.all([fixture.jobs.start(clock(ran, '* * * * * *')), fixture.jobs.start(clock(ran, '* * * * * *'))]);
      await until('it ran three times', () => ran.length >= 3, 8_000);
      expect(new Set(ran).size).toBe(ran.length);
      await fixture.jobs.stopWorkers();
      await applySchedules(
        fixture.jobs.openBackend(),
        registryOf({ 'test.other': { handle: async () => undefined } }).jobs,
      );
    });
  });
}
