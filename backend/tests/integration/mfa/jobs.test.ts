import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Job } from 'bullmq';
import { simpleParser } from 'mailparser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JobEnvelope } from '../../../src/queues/backend.ts';
import { newId } from '../../../src/utils/ids.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { loginOptions, PORTAL } from './support.ts';

const dataDir = mkdtempSync(path.join(tmpdir(), 'studyspot-mfa-'));
let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({ PUBLIC_URL: PORTAL, DATA_DIR: dataDir });
});
afterAll(async () => {
  await app.close();
  rmSync(dataDir, { recursive: true, force: true });
});

type Name = 'email.mfa-changed' | 'email.recovery-codes-low' | 'cleanup.expired';

/** Runs a job as a worker would. */
async function run(name: Name, payload: object): Promise<void> {
  const { handlers } = await import('../../../src/jobs/index.ts');
  const { jobContext } = await import('../../../src/queues/job-context.ts');
  const data = { payload, tenantId: null, requestId: null };
  const job = { id: newId(), name, data, attemptsMade: 0, timestamp: Date.now() } as unknown as Job<JobEnvelope>;
  const handle = handlers[name] as (ctx: ReturnType<typeof jobContext>, payload: unknown) => Promise<unknown>;
  await handle(jobContext(job, new AbortController().signal), payload);
}

async function mailsTo(address: string | null) {
  const folder = path.join(dataDir, 'outbox');
  const files = readdirSync(folder).filter((name) => name.endsWith('.eml'));
  const mails = await Promise.all(files.map((name) => simpleParser(readFileSync(path.join(folder, name)))));
  return mails.filter(({ to }) => to && !Array.isArray(to) && to.value[0]?.address === address);
}

describe('The jobs of second factors', () => {
  it('tell a person of each change, in words', async () => {
    const { email, id: userId } = await app.buildOwner();
    for (const change of [
      'TOTP_ON',
      'TOTP_OFF',
      'PASSKEY_ADDED',
      'PASSKEY_REMOVED',
      'RECOVERY_CODES_RENEWED',
      'RESET',
    ]) {
      await run('email.mfa-changed', { userId, change });
    }
    const mails = await mailsTo(email);
    expect(new Set(mails.map(({ text }) => text)).size).toBe(6);
    for (const { text, subject } of mails) {
      expect(subject).toContain('the way you sign in to StudySpot was changed');
      expect(text).toContain(`${PORTAL}/forgot-password`);
    }
  });

  it('warn of few recovery codes', async () => {
    const { email, id: userId } = await app.buildOwner();
    await run('email.recovery-codes-low', { userId, left: 3 });
    expect((await mailsTo(email)).map(({ subject }) => subject)).toEqual([
      expect.stringContaining('3 recovery codes left'),
    ]);
  });

  it('write to nobody whose account is closed', async () => {
    const { email, id: userId } = await app.buildOwner({ status: 'INACTIVE' });
    await run('email.mfa-changed', { userId, change: 'RESET' });
    expect(await mailsTo(email)).toEqual([]);
  });

  it('remove challenges a day after their end, and no others', async () => {
    const [old, ended, open] = [await loginOptions(app), await loginOptions(app), await loginOptions(app)];
    const endAgo = (challenge: string, ago: string) =>
      app.query(`update auth_challenges set expires_at = now() - $2::interval where challenge = $1`, [challenge, ago]);
    await endAgo(old.challenge, '25 hours');
    await endAgo(ended.challenge, '23 hours');
    await run('cleanup.expired', {});
    const left = await app.query(`select challenge from auth_challenges`);
    expect(new Set(left.map(({ challenge }) => challenge))).toEqual(new Set([ended.challenge, open.challenge]));
  });
});
