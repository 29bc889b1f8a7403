import type { JobHandler } from '../queues/job-context.ts';
import { removeExpiredAccess } from '../services/role-assignments.service.ts';

/** People in one transaction: few enough to hold no lock for long. */
const BATCH = 50;

/** Removes roles and direct grants whose time is over. Two workers at once share the people between them. */
export const cleanUpAccess: JobHandler<'cleanup.access'> = async (ctx) => {
  for (let removed = 0; ;) {
    ctx.job.signal.throwIfAborted();
    const count = await ctx.transact((tx) => removeExpiredAccess(tx, BATCH));
    removed += count;
    if (count < BATCH) {
      if (removed > 0) ctx.log.info('Access that was over removed', { people: removed });
      return;
    }
  }
};
