import { Prisma } from '../generated/prisma/client.ts';
import type { Transaction } from '../config/database.ts';
import { redact } from '../config/logger.ts';
import type { ReadContext, WriteContext } from '../types/context.ts';
import { AppError, orNotFound } from '../utils/errors.ts';
import { newId } from '../utils/ids.ts';
import { empty, sql } from '../utils/sql.ts';
import type { JobName, JobPayload } from './index.ts';

export type DeadLetter = {
  id: string;
  tenantId: string | null;
  queue: string;
  job: string;
  jobId: string;
  payload: unknown;
  error: string;
  attempts: number;
  failedAt: Date;
  resolvedAt: Date | null;
};

const MOST_CHARACTERS = 2_000;
const tokenInUrl = /([?&]token=)[\w%.~-]+/gi;

/** The message of an error as it may be kept: without tokens and passwords, and not endless. */
export function safeErrorText(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (redact(text) as string).replace(tokenInUrl, '$1[redacted]').slice(0, MOST_CHARACTERS);
}

/** Keeps a job that failed for good. One that fails again after a retry takes the place of the first failure. */
export async function recordDeadLetter(
  db: Transaction,
  letter: Pick<DeadLetter, 'tenantId' | 'queue' | 'job' | 'jobId' | 'payload' | 'attempts'> & { error: unknown },
): Promise<void> {
  const { queue, jobId } = letter;
  const failure = {
    error: safeErrorText(letter.error),
    attempts: letter.attempts,
    failedAt: new Date(),
    resolvedAt: null,
  };
  const payload = (letter.payload ?? Prisma.JsonNull) as Prisma.InputJsonValue;
  await db.deadLetter.upsert({
    where: { queue_jobId: { queue, jobId } },
    create: { ...failure, tenantId: letter.tenantId, queue, job: letter.job, jobId, payload },
    update: failure,
  });
}

/** The jobs that failed for good and wait for somebody, newest first; at most `limit`, 100 unless told. */
export const listDeadLetters = (
  ctx: ReadContext,
  filter: { queue?: string; limit?: number } = {},
): Promise<DeadLetter[]> =>
  ctx.sql.many<DeadLetter>(sql`
    select id, tenant_id as "tenantId", queue, job, job_id as "jobId", payload, error, attempts,
           failed_at as "failedAt", resolved_at as "resolvedAt"
      from dead_letters
     where resolved_at is null ${filter.queue ? sql`and queue = ${filter.queue}` : empty}
     order by failed_at desc, id
     limit ${filter.limit ?? 100}`);

/**
 * Hands a failed job over once more, with its whole number of tries.
 * @throws AppError not_found; conflict when somebody has retried it already
 */
export async function retryDeadLetter(ctx: WriteContext, id: string): Promise<void> {
  const letter = orNotFound(await ctx.db.deadLetter.findUnique({ where: { id } }), 'failed job');
  const taken = await ctx.db.deadLetter.updateMany({ where: { id, resolvedAt: null }, data: { resolvedAt: ctx.now } });
  if (taken.count !== 1) throw new AppError('conflict', 'Somebody has retried this job already.');
  ctx.enqueue(letter.job as JobName, letter.payload as JobPayload<JobName>, {
    dedupeKey: retryId(letter.jobId),
    tenantId: letter.tenantId,
  });
  ctx.audit({ resource: 'dead_letters', resourceId: id, tenantId: letter.tenantId, details: { job: letter.job } });
}

/** The queue still knows the failed job under its id, so the retry needs another one. */
const RETRY_MARK = '~retry-';
const retryId = (jobId: string): string => `${jobId}${RETRY_MARK}${newId()}`;

/** The id of a job over all its retries. */
export const lastingJobId = (queueId: string): string => queueId.split(RETRY_MARK)[0] ?? queueId;
