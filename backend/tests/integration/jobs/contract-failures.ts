import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { listDeadLetters, retryDeadLetter } from '../../../src/queues/dead-letters.ts';
import { PermanentError } from '../../../src/queues/permanent-error.ts';
import { ownerQuery } from '../../support/database.ts';
import { registryOf, until, type JobFixture } from './support.ts';

/** What becomes of jobs that fail. */
export function failureContract(fixture: JobFixture): void {
  describe('failing', () => {
    it('tries again with growing waits, until it works', async () => {
      const tries: { attempt: number; at: number }[] = [];
      await fixture.jobs.start(
        registryOf({
          'test.flaky': {
            backoffSeconds: 0.4,
            attempts: 5,
            handle: async (ctx) => {
              tries.push({ attempt: ctx.job.attempt, at: Date.now() });
              if (ctx.job.attempt < 3) throw new Error('not yet');
            },
          },
        }),
      );
      await fixture.jobs.enqueue('test.flaky', {});
      await until('it worked', () => tries.length === 3);
      await sleep(300);
      expect(tries.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
      const [first, second, third] = tries.map(({ at }) => at) as [number, number, number];
      expect(second - first).toBeGreaterThanOrEqual(190);
      expect(third - second).toBeGreaterThanOrEqual(390);
      expect(await fixture.deadLetters('test.flaky')).toEqual([]);
    });

    it('keeps a job that fails for good as a dead letter, without secrets', async () => {
      const tenantId = await fixture.makeTenant();
      await fixture.jobs.start(
        registryOf({
          'test.hopeless': {
            attempts: 2,
            backoffSeconds: 0.1,
            handle: async () => {
              throw new Error('GET https://x.example/?token=s3cret-token with Bearer abcdef failed');
            },
          },
        }),
      );
      await fixture.jobs.enqueue('test.hopeless', { n: 7 }, { tenantId, dedupeKey: 'hopeless' });
      await until('it was given up', async () => (await fixture.deadLetters('test.hopeless')).length === 1);
      const [letter] = await fixture.deadLetters('test.hopeless');
      expect(letter).toMatchObject({
        tenant_id: tenantId,
        queue: 'report',
        job_id: 'hopeless',
        payload: { n: 7 },
        attempts: 2,
      });
      expect(letter?.error).toBe('GET https://x.example/?token=[redacted] with Bearer [redacted] failed');
      const queue = await fixture.jobs.openBackend().openQueue('report');
      expect(JSON.stringify(await queue.getJob('hopeless'))).not.toMatch(/s3cret|abcdef/);
    });

    it('gives up at once where another try cannot help', async () => {
      let tries = 0;
      const refuse = async () => {
        tries += 1;
        throw new PermanentError('never');
      };
      const payload = z.strictObject({ n: z.number() });
      await fixture.jobs.start(
        registryOf({ 'test.never': { handle: refuse }, 'test.misfit': { payload, handle: refuse } }),
      );
      await fixture.jobs.enqueue('test.never', {});
      await until('it was given up', async () => (await fixture.deadLetters('test.never')).length === 1);
      expect(tries).toBe(1);
      await fixture.jobs.enqueue('test.misfit', { n: 'seven' });
      await until('it was given up', async () => (await fixture.deadLetters('test.misfit')).length === 1);
      expect(tries).toBe(1);
      expect((await fixture.deadLetters('test.misfit'))[0]?.error).toContain('The payload does not fit');
    });

    it('lists and retries dead letters, each once', async () => {
      const seen: string[] = [];
      let mended = false;
      await fixture.jobs.start(
        registryOf({
          'test.mendable': {
            attempts: 1,
            handle: async (ctx) => {
              seen.push(ctx.job.id);
              if (!mended) throw new Error('broken');
            },
          },
        }),
      );
      await fixture.jobs.enqueue('test.mendable', { a: 1 }, { dedupeKey: 'mend:1' });
      await until('it was given up', async () => (await fixture.deadLetters('test.mendable')).length === 1);
      const id = (await fixture.deadLetters('test.mendable'))[0]?.id ?? '';
      const retry = () => fixture.jobs.inTransaction((ctx) => retryDeadLetter(ctx, id));
      await retry();
      await until(
        'it failed again',
        async () => seen.length === 2 && (await fixture.deadLetters('test.mendable'))[0]?.resolved_at === null,
      );
      expect(await fixture.deadLetters('test.mendable')).toHaveLength(1);
      mended = true;
      await retry();
      await expect(retry()).rejects.toMatchObject({ code: 'conflict' });
      await until('it worked', () => seen.length === 3);
      expect(new Set(seen)).toEqual(new Set(['mend%3A1']));
      expect(
        (await fixture.jobs.inTransaction((ctx) => listDeadLetters(ctx, { queue: 'report' }))).map(
          (letter) => letter.job,
        ),
      ).not.toContain('test.mendable');
      await expect(fixture.jobs.inTransaction((ctx) => retryDeadLetter(ctx, 'nope'))).rejects.toMatchObject({
        code: 'not_found',
      });
      const audited = await ownerQuery(
        fixture.database,
        `select * from audit_logs where resource = 'dead_letters' and resource_id = $1`,
        [id],
      );
      expect(audited).toHaveLength(2);
    });

    it('ends a job that takes too long, tells it so, and tries again', async () => {
      const aborted: number[] = [];
      let done = false;
      await fixture.jobs.start(
        registryOf({
          'test.slow': {
            timeoutSeconds: 0.3,
            backoffSeconds: 0.1,
            handle: async (ctx) => {
              done = ctx.job.attempt === 2;
              if (done) return;
              ctx.job.signal.addEventListener('abort', () => aborted.push(ctx.job.attempt));
              await new Promise(() => undefined);
            },
          },
        }),
      );
      await fixture.jobs.enqueue('test.slow', {});
      await until('the second try worked', () => done);
      expect(aborted).toEqual([1]);
    });
  });
}
