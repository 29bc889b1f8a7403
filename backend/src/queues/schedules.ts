import { logger } from '../config/logger.ts';
import type { JobBackend } from './backend.ts';
import type { JobDefinition, JobDefinitions } from './define-job.ts';
import { jobOptions } from './job-options.ts';

/**
 * Makes the schedules in the queues what the definitions say. Any number of processes may do so: a schedule has the
 * name of its job, and each of its times runs once.
 */
export async function applySchedules(backend: JobBackend, jobs: JobDefinitions): Promise<void> {
  const queuesInUse = new Set(Object.values(jobs).map(({ queue }) => queue));
  for (const name of queuesInUse) {
    const queue = await backend.openQueue(name);
    const wanted = Object.entries(jobs).filter(([, job]) => job.queue === name && job.schedule);
    for (const schedule of await queue.getJobSchedulers()) {
      if (!wanted.some(([job]) => job === schedule.key)) await queue.removeJobScheduler(schedule.key);
    }
    for (const [job, definition] of wanted) {
      const set = () => queue.upsertJobScheduler(job, repeatOf(definition), templateOf(job, definition));
      // Two processes that do so at the same moment can get in each other's way: one of them fails, and may go again.
      await set().catch(set);
    }
  }
}

const repeatOf = ({ schedule }: JobDefinition) => ({
  pattern: schedule?.pattern ?? '',
  tz: schedule?.timeZone ?? 'UTC',
});

const templateOf = (name: string, definition: JobDefinition) => ({
  name,
  data: { payload: {}, tenantId: null, requestId: null },
  opts: jobOptions(definition),
});

const RETRY_MS = 5_000;

/** Applies the schedules as soon as the queues can be reached. */
export async function keepApplyingSchedules(
  backend: JobBackend,
  jobs: JobDefinitions,
  stopping: AbortSignal,
): Promise<void> {
  for (let tries = 0; !stopping.aborted; tries += 1) {
    try {
      return await applySchedules(backend, jobs);
    } catch (error) {
      if (stopping.aborted) return;
      if (tries === 0) logger.warn('The schedules of jobs cannot be set yet; trying again', { error });
      await restOrStop(stopping);
    }
  }
}

const restOrStop = (stopping: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, RETRY_MS);
    stopping.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
