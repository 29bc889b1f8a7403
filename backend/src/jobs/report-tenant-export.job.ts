import type { JobHandler } from '../queues/job-context.ts';
import { makeTenantExport } from '../services/tenant-exports.service.ts';

/** Writes all data of a tenant into a zip. */
export const exportTenant: JobHandler<'report.tenant-export'> = async (ctx, { exportId }) =>
  makeTenantExport(ctx, exportId);
