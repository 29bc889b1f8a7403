import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../src/utils/ids.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';

let app: TestApp;
const directory = mkdtempSync(path.join(tmpdir(), 'mails-'));
beforeAll(async () => {
  app = await startTestApp({ DATA_DIR: directory });
});
afterAll(async () => {
  await app.close();
  rmSync(directory, { recursive: true });
});

/** Runs the job as the worker would. */
async function sendMail(tenantId: string, impersonationId: string): Promise<string> {
  const { sendImpersonationStarted } = await import('../../../src/jobs/email-impersonation-started.job.ts');
  const { jobContext } = await import('../../../src/queues/job-context.ts');
  const id = newId();
  const job = {
    id,
    name: 'email.impersonation-started',
    attemptsMade: 0,
    timestamp: Date.now(),
    data: { tenantId, payload: { impersonationId }, queuedAt: new Date().toISOString() },
  } as unknown as Parameters<typeof jobContext>[0];
  const ctx = jobContext(job, new AbortController().signal);
  await sendImpersonationStarted(ctx, { impersonationId });
  return ctx.job.id;
}

async function begin(userId: string): Promise<string> {
  const body = { userId, reason: 'Cannot find her <invoices>', ticket: 'SUP-1042' };
  const token = await app.elevatedToken({ name: 'Asha Menon' });
  const answer = await app.call('POST', '/api/security/impersonations', { token, body });
  return answer.body.data.impersonation.id;
}

describe('When somebody begins to act in the name of a person', () => {
  it('the owner of the library gets one mail', async () => {
    const owner = await app.buildOwner({ name: 'Meera Sharma' });
    const staff = await app.buildUser({ role: 'library_staff', tenantId: owner.tenantId, name: 'Ravi Kumar' });
    const jobId = await sendMail(owner.tenantId as string, await begin(staff.id));
    const mails = await app.query(
      `select recipient, subject, status, tenant_id from email_deliveries where job_id = $1`,
      [jobId],
    );
    expect(mails).toEqual([
      {
        recipient: owner.email,
        subject: 'Meera Sharma, StudySpot support is acting in the name of Ravi Kumar',
        status: 'SENT',
        tenant_id: owner.tenantId,
      },
    ]);
  });

  it('nobody gets one where the library has no owner who could', async () => {
    const staff = await app.buildUser({ role: 'library_staff' });
    const jobId = await sendMail(staff.tenantId as string, await begin(staff.id));
    expect(await app.query('select id from email_deliveries where job_id = $1', [jobId])).toEqual([]);
  });
});
