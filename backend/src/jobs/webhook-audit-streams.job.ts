import type { JobHandler } from '../queues/job-context.ts';
import { deliverStreams } from '../services/audit-delivery.service.ts';

/** Sends what is new in the audit trail to those who listen. */
export const deliverAuditStreams: JobHandler<'webhook.audit-streams'> = async (ctx) => {
  const delivered = await deliverStreams(ctx);
  if (delivered.rows > 0 || delivered.failed > 0) ctx.log.info('Audit rows streamed', delivered);
};
