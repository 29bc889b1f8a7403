import type { JobHandler } from '../queues/job-context.ts';
import { removeExpiredExports } from '../services/audit-export.service.ts';

/** Removes the files of exports that have served their time. */
export const cleanUpAuditExports: JobHandler<'cleanup.audit-exports'> = async (ctx) => {
  ctx.log.info('Expired exports of the audit trail removed', { removed: await removeExpiredExports(ctx) });
};
