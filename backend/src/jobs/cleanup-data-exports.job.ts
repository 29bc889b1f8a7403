import type { JobHandler } from '../queues/job-context.ts';
import { removeExpiredDataExports } from '../services/data-exports.service.ts';

/** Removes the files of exports of personal data that have served their time. */
export const cleanUpDataExports: JobHandler<'cleanup.data-exports'> = async (ctx) => {
  ctx.log.info('Expired exports of personal data removed', { removed: await removeExpiredDataExports(ctx) });
};
