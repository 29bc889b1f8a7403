import type { Job } from 'bullmq';
import type { JobEnvelope } from '../../../src/queues/backend.ts';
import type { TestApp } from '../../support/server.ts';

type How = { attempt?: number; signal?: AbortSignal };

/** Runs the job of an export of people as its worker would, within its tenant where it is of one. */
export async function runPeopleExport(
  exportId: string,
  tenantId: string | null,
  { attempt = 1, signal = new AbortController().signal }: How = {},
): Promise<unknown> {
  const { jobContext } = await import('../../../src/queues/job-context.ts');
  const { handlers } = await import('../../../src/jobs/index.ts');
  const payload = { exportId };
  const data = { payload, tenantId, requestId: null, queuedAt: new Date().toISOString() };
  const job = { id: exportId, name: 'report.people-export', data, attemptsMade: attempt - 1, timestamp: Date.now() };
  return handlers['report.people-export'](jobContext(job as unknown as Job<JobEnvelope>, signal), payload);
}

/** Runs the exports of people that wait, each as it was handed over. */
export async function runPeopleExports(app: TestApp): Promise<void> {
  const waiting = await app.query<{ id: string; tenantId: string | null }>(
    `select m.payload ->> 'exportId' as id, m.tenant_id as "tenantId" from outbox_messages m
       join data_exports e on e.id = m.payload ->> 'exportId'
      where m.job = 'report.people-export' and e.status = 'PENDING'`,
  );
  for (const { id, tenantId } of waiting) await runPeopleExport(id, tenantId);
}
