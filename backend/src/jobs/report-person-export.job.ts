import type { JobHandler } from '../queues/job-context.ts';
import { makePersonExport } from '../services/tenant-exports.service.ts';

/** Writes what is known of one person into a zip. */
export const exportPerson: JobHandler<'report.person-export'> = async (ctx, { exportId }) =>
  makePersonExport(ctx, exportId);
