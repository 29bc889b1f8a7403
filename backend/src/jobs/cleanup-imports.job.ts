import type { JobHandler } from '../queues/job-context.ts';
import { removeExpiredImports } from '../services/people-import-expiry.service.ts';

/** Removes imports of people that have served their time. */
export const cleanUpImports: JobHandler<'cleanup.imports'> = async (ctx) => {
  ctx.log.info('Expired imports of people removed', { removed: await removeExpiredImports(ctx) });
};
