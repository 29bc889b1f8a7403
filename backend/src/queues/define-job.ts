import type { z } from 'zod';
import { queues, type QueueName } from './queues.ts';

export type JobDefinition<Payload extends z.ZodType = z.ZodType> = {
  queue: QueueName;
  /** Checked again when the job runs: what was queued by an older version may no longer fit. */
  payload: Payload;
  attempts: number;
  backoffSeconds: number;
  timeoutSeconds: number;
  /** A job that runs by the clock. Its payload must accept `{}`. */
  schedule?: JobSchedule;
};

/** `pattern`: minute, hour, day of month, month, day of week, in `timeZone`. */
export type JobSchedule = { pattern: string; timeZone: string };

/** Declares a kind of job. Never put a secret into a payload: it is kept in the outbox, the queue and dead letters. */
export const defineJob = <Payload extends z.ZodType>(
  definition: Pick<JobDefinition<Payload>, 'queue' | 'payload' | 'schedule'> &
    Partial<Pick<JobDefinition, 'attempts' | 'backoffSeconds' | 'timeoutSeconds'>>,
): JobDefinition<Payload> => ({
  attempts: queues[definition.queue].attempts,
  backoffSeconds: queues[definition.queue].backoffSeconds,
  timeoutSeconds: queues[definition.queue].timeoutSeconds,
  ...definition,
});

/** Every kind of job that a process knows, by name. */
export type JobDefinitions = Record<string, JobDefinition>;
