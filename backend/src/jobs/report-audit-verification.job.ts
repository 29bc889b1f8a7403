import type { JobHandler } from '../queues/job-context.ts';
import { PermanentError } from '../queues/permanent-error.ts';
import { verifyAuditTrail } from '../services/audit.service.ts';

/** Goes along every audit chain. A broken one is no accident of the moment: no further try, but a dead letter. */
export const verifyAudit: JobHandler<'report.audit-verification'> = async (ctx) => {
  const { chains, rows, broken } = await verifyAuditTrail(ctx);
  if (broken.length === 0) return ctx.log.info('The audit trail is whole', { chains, rows });
  ctx.log.error('The audit trail is broken: rows were changed, removed or added', { chains, rows, broken });
  const places = broken.map(({ chain, sequence, reason }) => `${chain} at ${sequence} (${reason})`);
  throw new PermanentError(`The audit trail is broken: ${places.join(', ')}`);
};
