import { spawn, type ChildProcess } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { startPostgres } from '../../../launcher/local-postgres.ts';
import { startRedis } from '../../../launcher/local-redis.ts';
import { migrate } from '../../prisma/migrate.ts';
import { removeServers } from './remove-servers.ts';

/** What the tests of one run need to know of its servers. */
export type TestServers = {
  /** A role that owns all databases of the run: postgres, or the one of TEST_DATABASE_URL. */
  ownerUrl: string;
  /** A migrated database to copy. */
  template: string;
  /** What the names of the run's databases begin with. */
  prefix: string;
  /** Of the role studyspot_app. */
  appPassword: string;
  /** Null where no Redis is to be had. */
  redisUrl: string | null;
};

declare module 'vitest' {
  interface ProvidedContext {
    testServers: TestServers;
  }
}

/**
 * Starts PostgreSQL and Redis for the tests, unless TEST_DATABASE_URL and TEST_REDIS_URL name servers that are there
 * for tests alone: the password of their role studyspot_app is changed. Stops what it started, and removes its data.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'studyspot-test-'));
  const guard = startGuard(dataDir);
  const prefix = `studyspot_test_${randomBytes(4).toString('hex')}`;
  let ownerUrl = process.env.TEST_DATABASE_URL;
  const stop = async () => {
    try {
      if (process.env.TEST_DATABASE_URL) await dropDatabases(process.env.TEST_DATABASE_URL, prefix);
    } finally {
      await removeServers(dataDir);
      guard.stdin?.end();
    }
  };
  try {
    const [postgres, redis] = await Promise.allSettled([
      ownerUrl ?? startPostgres({ dataDir, fast: true }).then(({ url }) => url),
      process.env.TEST_REDIS_URL ?? startRedis({ dataDir }).then((server) => server?.url ?? null),
    ]);
    if (postgres.status === 'rejected') throw postgres.reason;
    if (redis.status === 'rejected') throw redis.reason;
    ownerUrl = postgres.value;
    const servers = await buildTemplate(ownerUrl, prefix);
    project.provide('testServers', { ...servers, redisUrl: redis.value });
    return stop;
  } catch (error) {
    await stop().catch(() => {});
    throw error;
  }
}

async function buildTemplate(ownerUrl: string, prefix: string): Promise<Omit<TestServers, 'redisUrl'>> {
  const template = `${prefix}_template`;
  // The role belongs to the whole server: two runs that share one must agree.
  const appPassword = createHash('sha256').update(ownerUrl).digest('hex');
  await execute(ownerUrl, `CREATE DATABASE ${template}`);
  const url = new URL(ownerUrl);
  url.pathname = `/${template}`;
  await migrate(url.href);
  await execute(ownerUrl, `ALTER ROLE studyspot_app PASSWORD '${appPassword}'`);
  // PostgreSQL copies a database only while nobody is connected to it.
  await execute(ownerUrl, `ALTER DATABASE ${template} ALLOW_CONNECTIONS false`);
  return { ownerUrl, template, prefix, appPassword };
}

async function dropDatabases(ownerUrl: string, prefix: string): Promise<void> {
  const names = await execute(ownerUrl, `SELECT datname FROM pg_database WHERE starts_with(datname, '${prefix}')`);
  for (const { datname } of names) await execute(ownerUrl, `DROP DATABASE IF EXISTS ${datname} WITH (FORCE)`);
}

async function execute(url: string, sql: string): Promise<{ datname: string }[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000, query_timeout: 30_000 });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

/**
 * Waits in a process of its own for the end of this one, which closes the pipe between them however it ends. When the
 * data directory is still there by then, the run was interrupted or killed: its servers are stopped and removed.
 */
function startGuard(dataDir: string): ChildProcess {
  const script = 'cat >/dev/null; if [ -d "$1" ]; then exec "$2" --import tsx "$3" "$1"; fi';
  const cleaner = path.join(import.meta.dirname, 'remove-servers.ts');
  const guard = spawn('/bin/sh', ['-c', script, 'sh', dataDir, process.execPath, cleaner], {
    cwd: import.meta.dirname,
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.on('error', () => {});
  guard.unref();
  return guard;
}
