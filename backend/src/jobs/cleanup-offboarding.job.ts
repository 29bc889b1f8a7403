import type { JobContext, JobHandler } from '../queues/job-context.ts';
import { duePurges } from '../services/offboarding.queries.ts';
import { NOTICE_MS, sendDueNotices } from '../services/offboarding.service.ts';
import { purgeTenant } from '../services/tenant-purge.service.ts';

const AT_ONCE = 50;

/** Tells owners that the purge of their tenant is near, and purges those whose time has come. */
export const runOffboardings: JobHandler<'cleanup.offboarding'> = async (ctx) => {
  const noticed = await sendDueNotices(ctx);
  const { purged, failures } = await purgeDue(ctx);
  if (noticed + purged > 0) ctx.log.info('Off-boardings went on', { noticed, purged });
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} purges failed; they go on next time`);
};

/** One that fails does not keep the others waiting. */
async function purgeDue(ctx: JobContext): Promise<{ purged: number; failures: unknown[] }> {
  const failures: unknown[] = [];
  const noticeBefore = new Date(ctx.now.getTime() - NOTICE_MS);
  let purged = 0;
  for (let after = ''; ;) {
    const due = await ctx.sql.many<{ id: string; tenantId: string }>(duePurges(ctx.now, noticeBefore, after, AT_ONCE));
    for (const one of due) {
      try {
        if (await purgeTenant(ctx, one)) purged += 1;
      } catch (error) {
        ctx.job.signal.throwIfAborted();
        ctx.log.error('A purge failed; it goes on next time', { tenantId: one.tenantId, error });
        failures.push(error);
      }
    }
    const last = due.at(-1);
    if (!last || due.length < AT_ONCE) return { purged, failures };
    after = last.id;
  }
}
