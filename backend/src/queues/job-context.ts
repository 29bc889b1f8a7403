import type { Job } from 'bullmq';
import type { z } from 'zod';
import { clockNow } from '../config/clock.ts';
import { logWith } from '../config/logger.ts';
import { manualContext } from '../services/context.service.ts';
import type { Cookies, ManualContext, Scope } from '../types/context.ts';
import type { JobEnvelope } from './backend.ts';
import { lastingJobId } from './dead-letters.ts';
import type { JobName, jobs } from './index.ts';

/** What a job's handler gets. Nothing is open: write within `ctx.transact`, call third parties outside of it. */
export type JobContext = ManualContext<null> & {
  job: {
    /** The same for every try, so that it can make the work idempotent. */
    id: string;
    name: string;
    /** 1 for the first. */
    attempt: number;
    /** When it was decided on. */
    queuedAt: Date;
    /** Aborted when the job's time is up or the process stops: hand it to everything that takes one. */
    signal: AbortSignal;
  };
};

/** Does the work. It may run more than once for the same job: whatever it does must be safe to repeat. */
export type JobHandler<Name extends JobName> = (
  ctx: JobContext,
  payload: z.output<(typeof jobs)[Name]['payload']>,
) => Promise<unknown>;

const noCookies: Cookies = { get: () => undefined, set: () => undefined, clear: () => undefined };

/** The scope of a job is its tenant when it was handed over for one, else everything. */
export function jobContext(job: Job<JobEnvelope>, signal: AbortSignal): JobContext {
  const { tenantId, queuedAt } = job.data;
  const id = lastingJobId(job.id ?? job.name);
  const requestId = job.data.requestId ?? id;
  const scope: Scope = tenantId ? { role: 'tenant', tenantId } : { role: 'portal' };
  const attempt = job.attemptsMade + 1;
  const base = {
    requestId,
    client: { ip: '', userAgent: null },
    cookies: noCookies,
    log: logWith({ job: job.name, jobId: id, attempt, requestId, ...(tenantId && { tenantId }) }),
    now: clockNow(),
    scope,
    tenantId,
    actor: null,
    system: true,
  };
  return {
    ...manualContext<null>(base, { action: job.name as JobName }),
    job: { id, name: job.name, attempt, queuedAt: new Date(queuedAt ?? job.timestamp), signal },
  };
}
