import type { z } from 'zod';
import { cleanupJobs } from './cleanup.jobs.ts';
import { dunningJobs } from './dunning.jobs.ts';
import { emailJobs } from './email.jobs.ts';
import { importJobs } from './import.jobs.ts';
import { invoiceJobs } from './invoice.jobs.ts';
import { reportJobs } from './report.jobs.ts';
import { webhookJobs } from './webhook.jobs.ts';

/** Every kind of job there is. A new one is declared in the file of its queue and handled in `jobs/index.ts`. */
export const jobs = {
  ...emailJobs,
  ...invoiceJobs,
  ...dunningJobs,
  ...cleanupJobs,
  ...importJobs,
  ...reportJobs,
  ...webhookJobs,
};

export type JobName = keyof typeof jobs;

/** What is handed over with `ctx.enqueue`. */
export type JobPayload<Name extends JobName> = z.input<(typeof jobs)[Name]['payload']>;
