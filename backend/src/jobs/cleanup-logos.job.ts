import type { JobHandler } from '../queues/job-context.ts';
import { removeLeftLogos } from '../services/tenant-branding.service.ts';

/** Removes the logos of a tenant that were written and are named by no row: something failed in between. */
export const cleanUpLogos: JobHandler<'cleanup.logos'> = async (ctx, { tenantId }) => {
  const removed = await removeLeftLogos(ctx, tenantId);
  if (removed > 0) ctx.log.info('Logos that were left over are removed', { tenantId, removed });
};
