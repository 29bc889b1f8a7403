import type { JobHandler } from '../queues/job-context.ts';
import { removeExpiredReports } from '../services/revenue-reports.service.ts';

/** Removes the files of reports of revenue that have served their time. */
export const cleanUpRevenueReports: JobHandler<'cleanup.revenue-reports'> = async (ctx) => {
  ctx.log.info('Expired reports of revenue removed', { removed: await removeExpiredReports(ctx) });
};
