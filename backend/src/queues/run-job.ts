import { DelayedError, UnrecoverableError, WaitingError, type Job } from 'bullmq';
import { z } from 'zod';
import { logger } from '../config/logger.ts';
import { countJob } from '../config/metrics.ts';
import { scopedReader, withScope } from '../config/scope.ts';
import { sql } from '../utils/sql.ts';
import type { JobEnvelope, JobWorker } from './backend.ts';
import { lastingJobId, recordDeadLetter, safeErrorText } from './dead-letters.ts';
import type { JobDefinition, JobDefinitions } from './define-job.ts';
import { jobContext, type JobContext } from './job-context.ts';
import { PermanentError } from './permanent-error.ts';

/** Kinds of jobs and what runs them. */
export type JobRegistry = {
  jobs: JobDefinitions;
  handlers: Record<string, (ctx: JobContext, payload: never) => Promise<unknown>>;
};

/** How long a job rests whose dead letter could not be written: the database is away. */
const DATABASE_REST_MS = 30_000;

/** How long a job waits before it asks again whether its tenant is open. */
const SHUT_OUT_REST_MS = 10 * 60_000;

/** Failures that were dealt with here; BullMQ reports them once more. */
const dealtWith = new WeakSet<Error>();

/**
 * Runs one try of a job.
 * @param stopping aborted when the process cannot wait any longer: the job goes back to its queue, unpunished
 * @throws what tells BullMQ to try again, or to give up
 */
export async function runJob(
  registry: JobRegistry,
  job: Job<JobEnvelope>,
  token: string,
  stopping: AbortSignal,
): Promise<void> {
  const started = performance.now();
  try {
    const now = await whatNow(registry.jobs[job.name], job);
    if (now === 'drop') {
      countJob(job.name, 'dropped');
      return logger.info('Job dropped: its tenant is purged or shut out', describe(job));
    }
    if (now === 'wait') {
      await job.moveToDelayed(Date.now() + SHUT_OUT_REST_MS, token);
      throw new DelayedError();
    }
    await attempt(registry, job, stopping);
    countJob(job.name, 'done');
    logger.debug('Job done', { ...describe(job), milliseconds: Math.round(performance.now() - started) });
  } catch (error) {
    if (error instanceof DelayedError) throw error;
    if (stopping.aborted) {
      await job.moveToWait(token);
      throw new WaitingError();
    }
    countJob(job.name, 'failed');
    throw await failureOf(job, token, error);
  }
}

const portal = scopedReader({ role: 'portal' });

/** What becomes of a job, by the state of its tenant. One of a tenant that is not known runs: it finds nothing. */
async function whatNow(
  definition: JobDefinition | undefined,
  { data: { tenantId } }: Job<JobEnvelope>,
): Promise<JobDefinition['whenShutOut']> {
  if (!definition || !tenantId) return 'run';
  const tenant = await portal.one<{ status: string }>(sql`select status from tenants where id = ${tenantId}`);
  if (tenant?.status === 'PURGED') return 'drop';
  return ['SUSPENDED', 'INACTIVE', 'OFFBOARDING'].includes(tenant?.status ?? '') ? definition.whenShutOut : 'run';
}

async function attempt(registry: JobRegistry, job: Job<JobEnvelope>, stopping: AbortSignal): Promise<void> {
  const definition = registry.jobs[job.name];
  const handler = registry.handlers[job.name];
  if (!definition || !handler) throw new PermanentError(`There is no job named ${job.name} in this version`);
  const payload = definition.payload.safeParse(job.data.payload);
  if (!payload.success) throw new PermanentError(`The payload does not fit: ${z.prettifyError(payload.error)}`);
  const timeUp = AbortSignal.timeout(definition.timeoutSeconds * 1000);
  const signal = AbortSignal.any([timeUp, stopping]);
  const tooLong = new Error(`It took longer than ${definition.timeoutSeconds} s`);
  await unlessAborted(signal, tooLong, () => handler(jobContext(job, signal), payload.data as never));
}

/** A handler that does not look at its signal is left behind: its job must not hold up the queue. */
async function unlessAborted(signal: AbortSignal, error: Error, work: () => Promise<unknown>): Promise<void> {
  signal.throwIfAborted();
  let abort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(error);
    signal.addEventListener('abort', abort, { once: true });
  });
  try {
    await Promise.race([work(), aborted]);
  } finally {
    if (abort) signal.removeEventListener('abort', abort);
  }
}

/** What to tell BullMQ about a failure; when it is the last one, its dead letter is written first. */
async function failureOf(job: Job<JobEnvelope>, token: string, error: unknown): Promise<Error> {
  const permanent = error instanceof PermanentError || error instanceof UnrecoverableError;
  const text = safeErrorText(error);
  if (!permanent && job.attemptsMade + 1 < (job.opts.attempts ?? 1)) {
    logger.warn('Job failed; it will be tried again', { ...describe(job), error: text });
    return remembered(new Error(text));
  }
  try {
    await buryJob(job, error, job.attemptsMade + 1);
  } catch (unwritten) {
    logger.warn('The dead letter of a job could not be written; the job rests', { ...describe(job), error: unwritten });
    await job.moveToDelayed(Date.now() + DATABASE_REST_MS, token);
    return new DelayedError();
  }
  return remembered(new UnrecoverableError(text));
}

/** The queue keeps the stack of an error, which repeats its message: only ours is known to be without secrets. */
function remembered(error: Error): Error {
  error.stack = `${error.name}: ${error.message}`;
  dealtWith.add(error);
  return error;
}

async function buryJob(job: Job<JobEnvelope>, error: unknown, attempts: number): Promise<void> {
  const { tenantId, payload } = job.data;
  const jobId = lastingJobId(job.id ?? job.name);
  await withScope({ role: 'portal' }, (db) =>
    recordDeadLetter(db, { tenantId, queue: job.queueName, job: job.name, jobId, payload, attempts, error }),
  );
  logger.error('Job failed for good; it is kept as a dead letter', {
    ...describe(job),
    attempts,
    error: safeErrorText(error),
  });
}

/** Writes the dead letters of jobs that BullMQ gave up by itself, such as one that loses its worker every time. */
export function buryAbandonedJobs(worker: JobWorker): void {
  worker.on('failed', (job, error) => {
    if (!job?.finishedOn || dealtWith.has(error)) return;
    buryJob(job, error, job.attemptsMade).catch((unwritten: unknown) =>
      logger.error('A job failed for good, and its dead letter could not be written', {
        ...describe(job),
        error: unwritten,
      }),
    );
  });
}

const describe = (job: Job<JobEnvelope>) => ({
  queue: job.queueName,
  job: job.name,
  jobId: job.id,
  attempt: job.attemptsMade + 1,
  tenantId: job.data.tenantId,
  requestId: job.data.requestId,
});
