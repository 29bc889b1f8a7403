import { setTimeout as sleep } from 'node:timers/promises';
import { SHUTDOWN_SECONDS } from '../config/constants.ts';
import { logger } from '../config/logger.ts';
import { handlers } from '../jobs/index.ts';
import { closeEmailProvider } from '../providers/email.ts';
import { openJobBackend, type JobBackend, type JobProcessor, type JobWorker } from './backend.ts';
import { jobs } from './index.ts';
import { startRelay } from './relay.ts';
import { buryAbandonedJobs, runJob, type JobRegistry } from './run-job.ts';
import { keepApplyingSchedules } from './schedules.ts';

export type Workers = {
  /** Waits for the running jobs, and always ends in time for the process to stop. */
  close(): Promise<void>;
};

/** Of the time that a stop may take, what is left after the jobs for everything else. */
const RESERVE_MS = 4_000;

/**
 * Starts everything that makes jobs run in this process: the relay of the outbox, a worker for each queue that has
 * jobs, and the schedules.
 * @throws Error when jobs live in PostgreSQL and it cannot be reached, or was not migrated
 */
export async function startWorkers(
  options: { backend?: JobBackend; registry?: JobRegistry; patienceMs?: number } = {},
): Promise<Workers> {
  const backend = options.backend ?? openJobBackend();
  const registry = options.registry ?? { jobs, handlers };
  const patienceMs = options.patienceMs ?? SHUTDOWN_SECONDS * 1000 - RESERVE_MS;
  const running = countRunning(registry);
  const workers = await openWorkers(backend, registry, running.process);
  const relay = startRelay(backend, registry.jobs);
  const stopping = new AbortController();
  const scheduling = keepApplyingSchedules(backend, registry.jobs, stopping.signal);
  let closing: Promise<void> | undefined;
  const close = async () => {
    stopping.abort();
    await Promise.all([
      within(RESERVE_MS / 2, Promise.all([relay.close(), scheduling])),
      closeWorkers(workers, running, patienceMs),
    ]);
    await within(RESERVE_MS / 4, Promise.all([backend.close(), closeEmailProvider()]));
  };
  logger.info('Workers started', { queues: workers.map(({ name }) => name) });
  return { close: () => (closing ??= close()) };
}

async function openWorkers(
  backend: JobBackend,
  { jobs: definitions }: JobRegistry,
  process: JobProcessor,
): Promise<JobWorker[]> {
  const names = [...new Set(Object.values(definitions).map(({ queue }) => queue))];
  const opened = await Promise.allSettled(names.map((name) => backend.openWorker(name, process)));
  const workers = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failed = opened.find((result) => result.status === 'rejected');
  if (failed) {
    await Promise.allSettled(workers.map((worker) => worker.close()));
    await backend.close();
    throw failed.reason;
  }
  workers.forEach(buryAbandonedJobs);
  return workers;
}

type Running = { count(): number; sendBack(): void; process: JobProcessor };

/** Runs jobs, and knows how many are under way. */
function countRunning(registry: JobRegistry): Running {
  const leaving = new AbortController();
  let count = 0;
  return {
    count: () => count,
    sendBack: () => leaving.abort(),
    process: async (job, token) => {
      count += 1;
      try {
        await runJob(registry, job, token, leaving.signal);
      } finally {
        count -= 1;
      }
    },
  };
}

/** Takes no new jobs, waits for the running ones, and sends back to their queues those that take too long. */
async function closeWorkers(workers: JobWorker[], running: Running, patienceMs: number): Promise<void> {
  const closed = Promise.allSettled(workers.map((worker) => worker.close()));
  if (await within(patienceMs, Promise.race([closed, idle(running)]))) {
    if (await within(0, closed)) return;
  } else {
    logger.warn('Jobs take longer than this process can wait; they go back to their queues', { jobs: running.count() });
    running.sendBack();
    if (await within(RESERVE_MS / 4, closed)) return;
  }
  // The queue is away, and BullMQ waits for it.
  await within(RESERVE_MS / 4, Promise.allSettled(workers.map((worker) => worker.disconnect())));
}

const IDLE_MS = 1_000;

/** Nothing has been under way for a while: a worker that is not closed by then waits for a queue that is away. */
async function idle(running: Running): Promise<void> {
  do await sleep(IDLE_MS);
  while (running.count() > 0);
}

/** @returns whether it was done in time */
async function within(milliseconds: number, work: Promise<unknown>): Promise<boolean> {
  const done = work.then(
    () => true,
    () => true,
  );
  const enough = new AbortController();
  const late = sleep(milliseconds, false, { signal: enough.signal }).catch(() => false);
  return Promise.race([done, late]).finally(() => enough.abort());
}
