import type { Job } from 'bullmq';
import { handlers } from '../../../src/jobs/index.ts';
import type { JobEnvelope } from '../../../src/queues/backend.ts';
import type { JobName, JobPayload } from '../../../src/queues/index.ts';
import { jobContext } from '../../../src/queues/job-context.ts';
import { newId } from '../../../src/utils/ids.ts';

/** Runs a job as a worker would, at once and in this process. */
export async function runJobNow<Name extends JobName>(
  name: Name,
  ...[payload]: Record<string, never> extends JobPayload<Name> ? [payload?: JobPayload<Name>] : [JobPayload<Name>]
): Promise<void> {
  const data = { payload: payload ?? {}, tenantId: null, requestId: null };
  const job = { id: newId(), name, data, attemptsMade: 0, timestamp: Date.now() } as unknown as Job<JobEnvelope>;
  const handle = handlers[name] as (ctx: ReturnType<typeof jobContext>, payload: unknown) => Promise<unknown>;
  await handle(jobContext(job, new AbortController().signal), data.payload);
}
