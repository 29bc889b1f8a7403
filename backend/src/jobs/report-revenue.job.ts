import type { JobHandler } from '../queues/job-context.ts';
import { makeReport } from '../services/revenue-reports.service.ts';

/** Writes the file of a report of revenue. */
export const reportRevenue: JobHandler<'report.revenue'> = async (ctx, { reportId }) => makeReport(ctx, reportId);
