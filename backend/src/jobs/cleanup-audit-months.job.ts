import type { JobHandler } from '../queues/job-context.ts';
import { dropExpiredMonths, ensureAuditMonths } from '../services/audit-retention.service.ts';

/** Makes the months of the audit trail that are to come, and drops those that have served their time. */
export const keepAuditMonths: JobHandler<'cleanup.audit-months'> = async (ctx) => {
  const made = await ensureAuditMonths(ctx);
  const dropped = await dropExpiredMonths(ctx);
  ctx.log.info('The months of the audit trail are as they should be', { made, dropped });
};
