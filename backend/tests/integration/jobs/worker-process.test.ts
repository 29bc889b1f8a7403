import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { simpleParser } from 'mailparser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jobs as declaredJobs } from '../../../src/queues/index.ts';
import { createTestDatabase, ownerQuery, type TestDatabase } from '../../support/database.ts';
import { factoriesFor } from '../../support/factories.ts';
import { environmentFor, inTransaction, jobsOn, until } from './support.ts';

describe('a process that runs the jobs of the product', () => {
  let database: TestDatabase;
  let jobs: ReturnType<typeof jobsOn>;
  let child: ChildProcess;
  let log = '';

  beforeAll(async () => {
    database = await createTestDatabase();
    jobs = jobsOn(database, {});
    const env = { ...process.env, ...environmentFor(database.appUrl), DATA_DIR: jobs.dataDir, LOG_LEVEL: 'debug' };
    child = spawn(process.execPath, ['--import', 'tsx', path.join(import.meta.dirname, 'worker-process.ts')], { env });
    child.stdout?.on('data', (text) => (log += String(text)));
    child.stderr?.on('data', (text) => (log += String(text)));
    await until('it is ready', () => log.includes('Workers started'), 30_000);
  });
  afterAll(async () => {
    if (child.exitCode === null) child.kill('SIGKILL');
    await jobs.close();
  });

  it('keeps mails in the local outbox, and no word of their secrets in its log', async () => {
    const owner = await factoriesFor(database, () => Promise.reject(new Error('there is no API here'))).buildOwner();
    await inTransaction((ctx) => ctx.enqueue('email.password-reset', { email: owner.email ?? '' }));
    const outbox = path.join(jobs.dataDir, 'outbox');
    await until(
      'the mail is there',
      () => existsSync(outbox) && readdirSync(outbox).some((name) => name.endsWith('.eml')),
    );
    const [file = ''] = readdirSync(outbox);
    const mail = await simpleParser(readFileSync(path.join(outbox, file)));
    const token = /token=([\w-]{43})/.exec(mail.text ?? '')?.[1];
    expect(token).toBeDefined();
    // Of this job: others are done by the minute.
    await until('it says so', () => /Job done.*email\.password-reset/.test(log));
    expect(log).toContain('Mail sent');
    expect(log).not.toContain(token);
    expect(log).not.toContain(owner.email);
  });

  it('has set the schedules of the product', async () => {
    const schedules = await ownerQuery(
      database,
      'select queue, scheduler_id, pattern, tz from bullmq.scheduler order by scheduler_id',
    );
    const declared = Object.entries(declaredJobs).flatMap(([name, { queue, schedule }]) =>
      schedule ? [{ queue, scheduler_id: name, pattern: schedule.pattern, tz: schedule.timeZone }] : [],
    );
    expect(schedules).toEqual(declared.toSorted((a, b) => (a.scheduler_id < b.scheduler_id ? -1 : 1)));
    expect(schedules).toContainEqual({
      queue: 'report',
      scheduler_id: 'report.audit-verification',
      pattern: '0 4 * * *',
      tz: 'Asia/Kolkata',
    });
  });

  it('ends by itself when it is told to', async () => {
    child.kill('SIGTERM');
    const [code, signal] = (await once(child, 'exit', { signal: AbortSignal.timeout(10_000) })) as [number, string];
    expect({ code, signal }).toEqual({ code: 0, signal: null });
  });
});
