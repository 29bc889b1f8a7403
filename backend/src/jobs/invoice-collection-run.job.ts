import type { JobHandler } from '../queues/job-context.ts';
import { runCollection } from '../services/collection-run.service.ts';

/** Charges what is due by now, and finds out what became of what is not known. */
export const runInvoiceCollection: JobHandler<'invoice.collection-run'> = async (ctx) => {
  const run = await runCollection(ctx);
  if (Object.values(run).some((count) => count > 0)) ctx.log.info('Collection run', run);
};
