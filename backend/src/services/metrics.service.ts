import { Readable } from 'node:stream';
import { deadLetters, jobsWaiting, metricsText, oldestJobSeconds } from '../config/metrics.ts';
import type { ReadContext } from '../types/context.ts';
import type { FileAnswer } from '../utils/file-answer.ts';
import { jobFigures } from './monitoring.queries.ts';

type JobFigures = { waiting: number; oldestSeconds: number; deadLetters: number };

/** What this process and its database have to say to Prometheus. */
export async function getMetrics(ctx: Pick<ReadContext, 'sql'>): Promise<FileAnswer> {
  const jobs = (await ctx.sql.one<JobFigures>(jobFigures)) as JobFigures;
  jobsWaiting.set(jobs.waiting);
  oldestJobSeconds.set(jobs.oldestSeconds);
  deadLetters.set(jobs.deadLetters);
  const { text, type } = await metricsText();
  const content = Buffer.from(text);
  return { content: Readable.from([content]), name: 'metrics.txt', type, sizeBytes: content.length };
}
