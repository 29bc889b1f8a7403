import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { closeDatabase } from '../../../src/config/database.ts';
import { logWith } from '../../../src/config/logger.ts';
import { closeRedis } from '../../../src/config/redis.ts';
import { openJobBackend, type JobBackend, type JobPlace } from '../../../src/queues/backend.ts';
import { defineJob, type JobDefinition } from '../../../src/queues/define-job.ts';
import type { JobContext } from '../../../src/queues/job-context.ts';
import type { JobRegistry } from '../../../src/queues/run-job.ts';
import { startWorkers, type Workers } from '../../../src/queues/worker.ts';
import { runInTransaction } from '../../../src/services/context.service.ts';
import type { EnqueueOptions, WriteContext } from '../../../src/types/context.ts';
import { ownerQuery, type TestDatabase } from '../../support/database.ts';

export const LOCK_SECONDS = 2;

/** Waits until something holds, and says what it waited for when it does not come. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, timeoutMs = 15_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`Waited ${timeoutMs} ms in vain until ${what}`);
    await sleep(25);
  }
}

/** Kinds of jobs that a test makes up, each handled by a function. */
export function registryOf(
  made: Record<string, { handle: (ctx: JobContext, payload: never) => Promise<unknown> } & Partial<JobDefinition>>,
): JobRegistry {
  const entries = Object.entries(made);
  return {
    jobs: Object.fromEntries(
      entries.map(([name, { handle: _handle, ...definition }]) => [
        name,
        defineJob({ queue: 'report', payload: z.looseObject({}), ...definition }),
      ]),
    ),
    handlers: Object.fromEntries(entries.map(([name, { handle }]) => [name, handle])),
  };
}

/** The environment of a process that runs jobs. */
export const environmentFor = (databaseUrl: string, more: Record<string, string> = {}): Record<string, string> => ({
  NODE_ENV: 'test',
  DATABASE_URL: databaseUrl,
  JWT_SECRET: 'test-secret-of-access-tokens-0123456789',
  REFRESH_TOKEN_SECRET: 'test-secret-of-refresh-tokens-012345678',
  ENCRYPTION_KEY: 'test-secret-of-sealed-secrets-0123456789',
  PUBLIC_URL: 'https://portal.studyspot.example',
  ...more,
});

/** A database, a place for queues, and whatever workers a test starts; `close` ends all of it. */
export function jobsOn(database: TestDatabase, place: Omit<JobPlace, 'databaseUrl' | 'lockSeconds'>) {
  Object.assign(process.env, environmentFor(database.appUrl));
  const dataDir = mkdtempSync(path.join(tmpdir(), 'studyspot-jobs-'));
  process.env.DATA_DIR = dataDir;
  const openBackend = (lockSeconds = LOCK_SECONDS) =>
    openJobBackend({ ...place, databaseUrl: database.appUrl, lockSeconds });
  const started: Workers[] = [];
  const backends: JobBackend[] = [];
  return {
    dataDir,
    openBackend(options: { lockSeconds?: number } = {}) {
      const backend = openBackend(options.lockSeconds);
      backends.push(backend);
      return backend;
    },
    async start(registry?: JobRegistry, options: { patienceMs?: number; lockSeconds?: number } = {}) {
      const { lockSeconds, patienceMs } = options;
      const workers = await startWorkers({ backend: openBackend(lockSeconds), registry, patienceMs });
      started.push(workers);
      return workers;
    },
    enqueue: (job: string, payload: object, options?: EnqueueOptions) =>
      inTransaction((ctx) => (ctx.enqueue as (...all: unknown[]) => void)(job, payload, options)),
    inTransaction,
    async stopWorkers() {
      await Promise.all(started.splice(0).map((workers) => workers.close()));
    },
    async close() {
      await this.stopWorkers();
      await Promise.all(backends.splice(0).map((backend) => backend.close()));
      await Promise.all([closeDatabase(), closeRedis()]);
      await database.drop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** Runs as a request of the portal would. */
export const inTransaction = <Result>(work: (ctx: WriteContext<null>) => Result | Promise<Result>): Promise<Result> =>
  runInTransaction<null, Result>(
    {
      scope: { role: 'portal' },
      tenantId: null,
      requestId: 'test',
      log: logWith({}),
      now: new Date(),
      client: { ip: '203.0.113.7', userAgent: null },
      cookies: { get: () => undefined, set: () => undefined, clear: () => undefined },
      actor: null,
    },
    { action: 'tenants.update' },
    async (ctx) => work(ctx),
  );

type DeadLetterRow = {
  id: string;
  tenant_id: string | null;
  queue: string;
  job_id: string;
  payload: object;
  error: string;
  attempts: number;
  resolved_at: Date | null;
};

/** What the tests of the contract share. */
export function fixtureOn(database: TestDatabase, place: { redisUrl?: string }) {
  let tenants = 0;
  return {
    database,
    place,
    jobs: jobsOn(database, place),
    deadLetters: (job: string) =>
      ownerQuery<DeadLetterRow>(database, 'select * from dead_letters where job = $1', [job]),
    /** How many jobs wait in the outbox. */
    unpublished: async () =>
      (await ownerQuery(database, 'select from outbox_messages where published_at is null')).length,
    async makeTenant(): Promise<string> {
      tenants += 1;
      const id = `c${String(tenants).padStart(24, '0')}`;
      await ownerQuery(
        database,
        `insert into tenants (id, name, slug, email, status, updated_at)
         values ($1, 'A Hall', $1, 'a@hall.example', 'ACTIVE', now())`,
        [id],
      );
      return id;
    },
  };
}

export type JobFixture = ReturnType<typeof fixtureOn>;
