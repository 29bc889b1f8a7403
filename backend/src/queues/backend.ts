import { Queue, Worker, type Job, type QueueOptions, type WorkerOptions } from 'bullmq';
import { environment } from '../config/environment.ts';
import { logger } from '../config/logger.ts';
import { redisUrl } from '../config/redis.ts';
import { queues, type QueueName } from './queues.ts';
import { postgresStore, redisStore } from './stores.ts';

/** What travels with a job through its queue. */
export type JobEnvelope = {
  payload: unknown;
  tenantId: string | null;
  requestId: string | null;
  /** ISO 8601; scheduled jobs have none. */
  queuedAt?: string;
};

export type JobQueue = Queue<JobEnvelope>;
export type JobWorker = Worker<JobEnvelope>;
/** @param token shows that the job is this worker's; BullMQ wants it back for every move */
export type JobProcessor = (job: Job<JobEnvelope>, token: string) => Promise<unknown>;

/** Where the queues live: in Redis, or in the schema `bullmq` of PostgreSQL, which the migrations lay. */
export type JobBackend = {
  /** @throws Error when there is no connection within 3 s */
  reachable(): Promise<void>;
  /** The queue, ready to be used; the same one each time. @throws Error within 3 s when it cannot be reached */
  openQueue(name: QueueName): Promise<JobQueue>;
  /** Starts to work. The caller closes it. */
  openWorker(name: QueueName, process: JobProcessor): Promise<JobWorker>;
  /** Closes the queues and the connections; close the workers before. */
  close(): Promise<void>;
};

export type JobPlace = { redisUrl?: string; databaseUrl: string; lockSeconds: number };

const configuredPlace = (): JobPlace => ({
  redisUrl: redisUrl(),
  databaseUrl: environment().DATABASE_URL,
  lockSeconds: environment().JOB_LOCK_SECONDS,
});

/** Redis when there is one, else PostgreSQL. Both pass the same tests: `tests/integration/jobs/contract.ts`. */
export function openJobBackend(place = configuredPlace()): JobBackend {
  const store = place.redisUrl ? redisStore(place.redisUrl) : postgresStore(place.databaseUrl);
  const queuesOpen = new Map<QueueName, Promise<JobQueue>>();
  const watch = outageReporter();
  const open = async (name: QueueName): Promise<JobQueue> => {
    const options = { connection: store.producer, prefix: store.prefix } as QueueOptions;
    const queue = watch(new Queue<JobEnvelope>(name, options, store.factory));
    await store.settled(queue);
    return queue;
  };
  return {
    reachable: store.reachable,
    async openQueue(name) {
      await store.reachable();
      const opening = queuesOpen.get(name) ?? open(name);
      queuesOpen.set(name, opening);
      opening.catch(() => queuesOpen.delete(name));
      return opening;
    },
    async openWorker(name, process) {
      const options = {
        ...workerOptions(name, place),
        connection: store.consumer(),
        prefix: store.prefix,
      } as WorkerOptions;
      const worker = watch(
        new Worker<JobEnvelope>(name, (job, token) => process(job, token ?? ''), options, store.factory),
      );
      await store.settled(worker);
      return worker;
    },
    async close() {
      await Promise.allSettled([...queuesOpen.values()].map(async (queue) => (await queue).close()));
      queuesOpen.clear();
      await store.close();
    },
  };
}

/** How often a job may lose its worker (killed, out of memory) before it counts as the one that kills them. */
const MOST_LOST_WORKERS = 5;

const workerOptions = (name: QueueName, { lockSeconds }: JobPlace) => ({
  concurrency: queues[name].concurrency,
  lockDuration: lockSeconds * 1000,
  stalledInterval: lockSeconds * 500,
  maxStalledCount: MOST_LOST_WORKERS,
  // How long a worker that lost its connection waits before it asks again; BullMQ's 15 s feel like a hang.
  runRetryDelay: 1_000,
});

const QUIET_MS = 60_000;

type Watched = { name: string; on(event: 'error', listener: (error: Error) => void): unknown };

/** Logs the first error of an outage: every queue and worker reports the same one again with every try. */
function outageReporter() {
  let last = 0;
  return <Opened extends Watched>(opened: Opened): Opened => {
    opened.on('error', (error) => {
      const fields = { queue: opened.name, error };
      if (Date.now() - last > QUIET_MS)
        logger.warn('The queues cannot be reached; trying again until they can', fields);
      last = Date.now();
    });
    return opened;
  };
}
