import type { JobHandler } from '../queues/job-context.ts';
import { runDunning } from '../services/dunning-run.service.ts';

/** Takes the attempts and steps of dunning that are due. */
export const dun: JobHandler<'dunning.run'> = (ctx) => runDunning(ctx);
