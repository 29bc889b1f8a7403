import type { JobsOptions } from 'bullmq';
import type { JobDefinition } from './define-job.ts';
import { queues } from './queues.ts';

const DAY_SECONDS = 24 * 60 * 60;

/** How BullMQ is to treat jobs of a kind. */
export const jobOptions = (definition: JobDefinition): JobsOptions => ({
  attempts: definition.attempts,
  backoff: { type: 'exponential', delay: definition.backoffSeconds * 1000, jitter: 0.5 },
  // Finished ones are what a job is recognised by that is added a second time.
  removeOnComplete: { age: DAY_SECONDS, count: queues[definition.queue].keepCompleted },
  removeOnFail: { age: 7 * DAY_SECONDS, count: queues[definition.queue].keepCompleted },
});

/** An id that BullMQ takes: without `:`, and not a bare number, which it counts itself. */
export function queueJobId(dedupeKey: string): string {
  const id = dedupeKey.replaceAll(':', '%3A');
  return /^\d+$/.test(id) ? `%${id}` : id;
}
