import type { JobHandler } from '../queues/job-context.ts';
import { makeExport } from '../services/audit-export.service.ts';

/** Writes the file of an export. */
export const exportAudit: JobHandler<'report.audit-export'> = async (ctx, { exportId }) => makeExport(ctx, exportId);
