import type { Job } from 'bullmq';
import { openJobBackend, type JobEnvelope, type JobQueue } from './backend.ts';
import { queueNames } from './queues.ts';

const AT_ONCE = 500;
// A job that runs is its worker's; the purge looks again.
const RESTING = ['waiting', 'delayed', 'prioritized', 'completed', 'failed'] as const;

/** Whether jobs that name no tenant are of one all the same; asked for many at once. */
export type TheirJobs = (jobs: readonly JobEnvelope[]) => Promise<readonly boolean[]>;

/**
 * Removes a tenant's jobs from every queue, those included that are kept to recognise them by.
 * @param namedOtherwise which of the jobs without a tenant are theirs
 * @returns how many
 * @throws Error when the queues cannot be reached
 */
export async function removeJobsOf(tenantId: string, namedOtherwise: TheirJobs, signal: AbortSignal): Promise<number> {
  const backend = openJobBackend();
  try {
    let removed = 0;
    for (const name of queueNames) {
      removed += await removeFrom(await backend.openQueue(name), tenantId, namedOtherwise, signal);
    }
    return removed;
  } finally {
    await backend.close();
  }
}

async function removeFrom(
  queue: JobQueue,
  tenantId: string,
  namedOtherwise: TheirJobs,
  signal: AbortSignal,
): Promise<number> {
  // All are found before any is removed: removing moves those behind to places that were looked at already.
  const theirs: string[] = [];
  for (let start = 0; ; start += AT_ONCE) {
    signal.throwIfAborted();
    const jobs = await queue.getJobs([...RESTING], start, start + AT_ONCE - 1);
    // One that was removed between its listing and its reading is undefined.
    const present = jobs.filter((job): job is Job<JobEnvelope> => Boolean(job?.data));
    const unnamed = present.filter(({ data }) => data.tenantId === null);
    const named = await namedOtherwise(unnamed.map(({ data }) => data));
    theirs.push(...unnamed.filter((_, index) => named[index]).map(({ id }) => id ?? ''));
    theirs.push(...present.filter(({ data }) => data.tenantId === tenantId).map(({ id }) => id ?? ''));
    // Pages are counted by state: one is over when no state has more.
    if (jobs.length === 0) break;
  }
  let removed = 0;
  for (const id of new Set(theirs)) removed += await queue.remove(id);
  return removed;
}
