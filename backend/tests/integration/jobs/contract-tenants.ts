import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ownerQuery } from '../../support/database.ts';
import { registryOf, until, type JobFixture } from './support.ts';

/** What becomes of the jobs of a tenant that is shut out, or gone (rules 11 and 12). */
export function tenantContract(fixture: JobFixture): void {
  const setStatus = (tenantId: string, status: string) =>
    ownerQuery(fixture.database, `update tenants set status = $2::tenant_status where id = $1`, [tenantId, status]);

  describe('of a tenant', () => {
    it.each(['SUSPENDED', 'INACTIVE', 'OFFBOARDING'])(
      'that is %s: one kind runs, one waits unpunished until it is open again, one is dropped',
      async (status) => {
        const tenantId = await fixture.makeTenant();
        const ran: string[] = [];
        const handle = async (ctx: { job: { name: string; attempt: number } }) =>
          void ran.push(`${ctx.job.name} ${ctx.job.attempt}`);
        await fixture.jobs.start(
          registryOf({
            'test.runs': { handle },
            'test.waits': { handle, whenShutOut: 'wait', attempts: 1 },
            'test.drops': { handle, whenShutOut: 'drop' },
          }),
        );
        await setStatus(tenantId, status);
        const key = `waits-${status}`;
        await fixture.jobs.enqueue('test.waits', {}, { tenantId, dedupeKey: key });
        await fixture.jobs.enqueue('test.drops', {}, { tenantId, dedupeKey: `drops-${status}` });
        await fixture.jobs.enqueue('test.runs', {}, { tenantId });
        const queue = await fixture.jobs.openBackend().openQueue('report');
        await until('one waits', async () => (await (await queue.getJob(key))?.isDelayed()) === true);
        await until(
          'one was dropped',
          async () => (await (await queue.getJob(`drops-${status}`))?.isCompleted()) === true,
        );
        await until('one ran', () => ran.length === 1);
        expect(ran).toEqual(['test.runs 1']);
        await setStatus(tenantId, 'ACTIVE');
        await (await queue.getJob(key))?.promote();
        await until('the one that waited ran', () => ran.length === 2);
        expect(ran[1]).toBe('test.waits 1');
        expect(await fixture.deadLetters('test.waits')).toEqual([]);
      },
    );

    it('that is purged runs none, whatever its kind', async () => {
      const tenantId = await fixture.makeTenant();
      let ran = 0;
      const handle = async () => void (ran += 1);
      await fixture.jobs.start(registryOf({ 'test.runs': { handle }, 'test.waits': { handle, whenShutOut: 'wait' } }));
      await setStatus(tenantId, 'PURGED');
      await fixture.jobs.enqueue('test.runs', {}, { tenantId, dedupeKey: 'purged-runs' });
      await fixture.jobs.enqueue('test.waits', {}, { tenantId, dedupeKey: 'purged-waits' });
      const queue = await fixture.jobs.openBackend().openQueue('report');
      for (const key of ['purged-runs', 'purged-waits']) {
        await until('it is over', async () => (await (await queue.getJob(key))?.isCompleted()) === true);
      }
      await sleep(100);
      expect(ran).toBe(0);
      expect(await fixture.deadLetters('test.runs')).toEqual([]);
    });
  });
}
