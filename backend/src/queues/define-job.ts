import type { z } from 'zod';
import { queues, type QueueName } from './queues.ts';

export type JobDefinition<Payload extends z.ZodType = z.ZodType> = {
  queue: QueueName;
  /** Checked again when the job runs: what was queued by an older version may no longer fit. */
  payload: Payload;
  attempts: number;
  backoffSeconds: number;
  timeoutSeconds: number;
  /**
   * What happens while the tenant of a job is suspended, inactive or off-boarding (rule 11). `run`: nothing changes, for
   * exports and notices. `wait`: it goes back to its queue until the tenant is open again, for what is sent or done for
   * the tenant's business, such as welcome mails, campaigns and imports. `drop`: it is not run at all, for what is of no
   * use later. Once a tenant is purged no job of theirs runs, whatever this says.
   */
  whenShutOut: 'run' | 'wait' | 'drop';
  /** A job that runs by the clock. Its payload must accept `{}`. */
  schedule?: JobSchedule;
};

/** `pattern`: minute, hour, day of month, month, day of week, in `timeZone`. */
export type JobSchedule = { pattern: string; timeZone: string };

/** Declares a kind of job. Never put a secret into a payload: it is kept in the outbox, the queue and dead letters. */
export const defineJob = <Payload extends z.ZodType>(
  definition: Pick<JobDefinition<Payload>, 'queue' | 'payload' | 'schedule'> &
    Partial<Pick<JobDefinition, 'attempts' | 'backoffSeconds' | 'timeoutSeconds' | 'whenShutOut'>>,
): JobDefinition<Payload> => ({
  attempts: queues[definition.queue].attempts,
  backoffSeconds: queues[definition.queue].backoffSeconds,
  timeoutSeconds: queues[definition.queue].timeoutSeconds,
  whenShutOut: 'run',
  ...definition,
});

/** Every kind of job that a process knows, by name. */
export type JobDefinitions = Record<string, JobDefinition>;
