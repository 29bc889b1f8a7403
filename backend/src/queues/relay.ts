import { clockOffset } from '../config/clock.ts';
import { logger } from '../config/logger.ts';
import { transactionReader, withScope } from '../config/scope.ts';
import type { Transaction } from '../config/database.ts';
import { sql } from '../utils/sql.ts';
import type { JobBackend } from './backend.ts';
import { lastingJobId, recordDeadLetter } from './dead-letters.ts';
import type { JobDefinitions } from './define-job.ts';
import { jobOptions, queueJobId } from './job-options.ts';

const BATCH = 100;
const POLL_MS = 500;
const LONGEST_REST_MS = 5_000;

type OutboxRow = {
  id: string;
  tenantId: string | null;
  job: string;
  payload: unknown;
  dedupeKey: string;
  requestId: string | null;
  createdAt: Date;
};

export type Relay = { close(): Promise<void> };

const nudges = new Set<() => void>();

/** Makes a relay in this process look for new rows at once. Call it when what wrote them has committed. */
export const nudgeRelay = (): void => nudges.forEach((nudge) => nudge());

/**
 * Moves jobs from the outbox to their queues, until it is closed. Any number of them may run: each takes rows that no
 * other has. A crash between adding and marking adds the same id again, which the queue knows and leaves alone.
 */
export function startRelay(backend: JobBackend, jobs: JobDefinitions): Relay {
  const waiting = interruptibleWait();
  nudges.add(waiting.nudge);
  const running = (async () => {
    let failures = 0;
    while (!waiting.closed()) {
      try {
        // First, so that no transaction is open while a queue that is away is waited for.
        await backend.reachable();
        const moved = await relayBatch(backend, jobs);
        if (failures > 0) logger.info('Jobs are handed to their queues again');
        failures = 0;
        if (moved < BATCH) await waiting.wait(POLL_MS);
      } catch (error) {
        if (failures === 0) logger.warn('Jobs cannot be handed to their queues; they wait in the outbox', { error });
        failures += 1;
        await waiting.rest(Math.min(POLL_MS * 2 ** Math.min(failures, 10), LONGEST_REST_MS));
      }
    }
  })();
  return {
    async close() {
      nudges.delete(waiting.nudge);
      waiting.close();
      await running;
    },
  };
}

/** Waits that a nudge ends early. One that comes while nobody waits makes the next wait short. */
function interruptibleWait() {
  let nudged = false;
  let closed = false;
  let wake: (() => void) | undefined;
  const sleep = (milliseconds: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  let resting = false;
  return {
    closed: () => closed,
    nudge() {
      nudged = true;
      if (!resting) wake?.();
    },
    close() {
      closed = true;
      wake?.();
    },
    async wait(milliseconds: number) {
      if (!nudged && !closed) await sleep(milliseconds);
      nudged = false;
    },
    /** After a failure: requests that go on writing must not make it try faster. */
    async rest(milliseconds: number) {
      resting = true;
      if (!closed) await sleep(milliseconds);
      resting = false;
    },
  };
}

/** Hands over one batch. @returns how many rows it took */
export const relayBatch = (backend: JobBackend, jobs: JobDefinitions): Promise<number> =>
  withScope({ role: 'portal' }, async (db) => {
    const rows = await transactionReader(db).many<OutboxRow>(sql`
      select id, tenant_id as "tenantId", job, payload, dedupe_key as "dedupeKey", request_id as "requestId",
             created_at as "createdAt"
        from outbox_messages
       where published_at is null and available_at <= now() + ${clockOffset() / 1000} * interval '1 second'
       order by available_at
       limit ${BATCH}
         for update skip locked`);
    if (rows.length === 0) return 0;
    await Promise.all(rows.map((row) => publish(db, backend, jobs, row)));
    await markPublished(db, rows);
    return rows.length;
  });

/** The time is the database's, as in the query that looks for old rows. */
const markPublished = (db: Transaction, rows: OutboxRow[]): Promise<number> =>
  db.$executeRaw`update outbox_messages set published_at = now() where id = any (${rows.map((row) => row.id)})`;

async function publish(db: Transaction, backend: JobBackend, jobs: JobDefinitions, row: OutboxRow): Promise<void> {
  const { payload, tenantId, requestId, job } = row;
  const definition = jobs[job];
  if (!definition) {
    const error = new Error(`There is no job named ${job} in this version`);
    logger.error('The outbox holds a job of a kind that this version does not know; it is kept as a dead letter', {
      job,
    });
    return recordDeadLetter(db, {
      tenantId,
      queue: 'unknown',
      job,
      jobId: lastingJobId(row.dedupeKey),
      payload,
      attempts: 0,
      error,
    });
  }
  const envelope = { payload, tenantId, requestId, queuedAt: row.createdAt.toISOString() };
  try {
    const queue = await backend.openQueue(definition.queue);
    await queue.add(job, envelope, { ...jobOptions(definition), jobId: queueJobId(row.dedupeKey) });
  } catch (cause) {
    throw new Error(`The queue ${definition.queue} takes no jobs`, { cause });
  }
}
