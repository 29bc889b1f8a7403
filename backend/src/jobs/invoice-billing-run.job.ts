import type { JobHandler } from '../queues/job-context.ts';
import { runBilling } from '../services/billing-run.service.ts';

/** Renews, ends and resumes what is due, and tells of trials that are about to end. */
export const runInvoiceBilling: JobHandler<'invoice.billing-run'> = (ctx) => runBilling(ctx);
