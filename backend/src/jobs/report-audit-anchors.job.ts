import type { JobHandler } from '../queues/job-context.ts';
import { anchorAuditTrail } from '../services/audit-anchors.service.ts';

/** Writes down where every audit chain ends. */
export const anchorAudit: JobHandler<'report.audit-anchors'> = async (ctx) => {
  ctx.log.info('The ends of the audit chains are anchored', await anchorAuditTrail(ctx));
};
