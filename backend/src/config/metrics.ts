import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { unsafePool } from './database.ts';

// What this process counts, for GET /monitoring/metrics. No label is ever an id: each value of one is kept for good.

const registry = new Registry();
const registers = [registry];

export const cacheRequests = new Counter({
  name: 'studyspot_cache_requests_total',
  help: 'Answers asked of the cache, by what came of it',
  labelNames: ['family', 'result'] as const,
  registers,
});

export const cacheRefusals = new Counter({
  name: 'studyspot_cache_refused_values_total',
  help: 'Values that were too large to be kept in the cache',
  labelNames: ['family'] as const,
  registers,
});

export const jobsWaiting = new Gauge({
  name: 'studyspot_outbox_messages_waiting',
  help: 'Jobs that were committed and not handed to a queue yet, over all processes; 10001 stands for more',
  registers,
});

export const oldestJobSeconds = new Gauge({
  name: 'studyspot_outbox_oldest_seconds',
  help: 'How long the oldest of them could have been handed over',
  registers,
});

export const deadLetters = new Gauge({
  name: 'studyspot_dead_letters',
  help: 'Jobs that failed for good and were not dealt with, over all processes; 10001 stands for more',
  registers,
});

const jobsRun = new Counter({
  name: 'studyspot_jobs_total',
  help: 'Tries of jobs in this process, by what came of them',
  labelNames: ['job', 'result'] as const,
  registers,
});

export const countJob = (job: string, result: 'done' | 'failed' | 'dropped'): void => jobsRun.inc({ job, result });

const requestSeconds = new Histogram({
  name: 'studyspot_http_request_duration_seconds',
  help: 'Time from the head of a request to the end of its answer',
  labelNames: ['operation', 'status'] as const,
  buckets: [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20],
  registers,
});

/** @param operation empty for what no endpoint answered */
export const countRequest = (operation: string | undefined, statusCode: number, milliseconds: number): void =>
  requestSeconds.observe(
    { operation: operation ?? 'none', status: `${Math.floor(statusCode / 100)}xx` },
    milliseconds / 1000,
  );

const poolGauge = (state: string, help: string, count: () => number) =>
  new Gauge({
    name: `studyspot_database_connections_${state}`,
    help,
    registers,
    collect() {
      this.set(count());
    },
  });
poolGauge('open', 'Connections to PostgreSQL', () => unsafePool().totalCount);
poolGauge('idle', 'Those that nobody uses', () => unsafePool().idleCount);
poolGauge('awaited', 'Requests and jobs that wait for one', () => unsafePool().waitingCount);

let watchesProcess = false;

/** Everything in the text format of Prometheus. */
export async function metricsText(): Promise<{ text: string; type: string }> {
  // From the first time on: what is never asked for is not measured.
  if (!watchesProcess) collectDefaultMetrics({ register: registry });
  watchesProcess = true;
  return { text: await registry.metrics(), type: registry.contentType };
}
