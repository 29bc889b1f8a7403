import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import pg from 'pg';
import { SMTPServer } from 'smtp-server';
import { inject } from 'vitest';
import { ensureBuilt } from '../../../launcher/backend-modules.ts';
import { startPostgres } from '../../../launcher/local-postgres.ts';
import { startRedis } from '../../../launcher/local-redis.ts';
import { readClusterRecord } from '../../../launcher/postgres-cluster.ts';
import { findRedis } from '../../../launcher/redis-packages.ts';
import { migrate } from '../../prisma/migrate.ts';
import { clientOf } from './client.ts';
import { ownerQuery, type TestDatabase } from './database.ts';
import { removeServers } from './remove-servers.ts';

const BACKEND = path.resolve(import.meta.dirname, '../..');
const START_MS = 30_000;
const PATIENCE_MS = 20_000;

/** Whether there is a Redis to start on this machine. */
export const hasRedis = Boolean(findRedis(tmpdir()));

/** Waits until something holds, and says what it waited for when it does not come. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, timeoutMs = 15_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`Waited ${timeoutMs} ms in vain until ${what}`);
    await sleep(25);
  }
}

export type End = { code: number | null; signal: NodeJS.Signals | null };

export type BackendProcess = {
  child: ChildProcess;
  /** Where it listens; empty for a worker. */
  url: string;
  call: ReturnType<typeof clientOf>;
  ended: Promise<End>;
  hasEnded: () => boolean;
  stdout: () => string;
  stderr: () => string;
};

const usual = {
  NODE_ENV: 'development',
  HOST: '127.0.0.1',
  PORT: '0',
  PUBLIC_URL: 'https://portal.studyspot.example',
  TRUST_PROXY: 'loopback',
  RATE_LIMIT_USER_PER_MINUTE: '100000',
  RATE_LIMIT_IP_PER_MINUTE: '100000',
  JWT_SECRET: 'test-secret-of-access-tokens-0123456789',
  REFRESH_TOKEN_SECRET: 'test-secret-of-refresh-tokens-012345678',
  ENCRYPTION_KEY: 'test-secret-of-sealed-secrets-0123456789',
};

const running = new Set<BackendProcess>();

/**
 * Starts the built backend as the launcher does, and does not wait for it.
 * @param environment what differs from the usual; an empty variable counts as missing
 */
export async function spawnBackend(environment: Record<string, string>): Promise<BackendProcess> {
  await ensureBuilt();
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [path.join(BACKEND, 'dist/index.js')], {
    cwd: BACKEND,
    env: { PATH, HOME, ...usual, ...environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const written = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk: Buffer) => (written.stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (written.stderr += chunk.toString()));
  const outputs = [child.stdout, child.stderr].map((stream) => once(stream as Readable, 'close'));
  // Not `close` of the process, which does not come when it was this side that closed the channel.
  const ended: Promise<End> = once(child, 'exit').then(async ([code, signal]) => {
    await Promise.all(outputs);
    return { code, signal };
  });
  const started: BackendProcess = {
    child,
    url: '',
    call: () => Promise.reject(new Error('It does not listen')),
    ended,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    stdout: () => written.stdout,
    stderr: () => written.stderr,
  };
  running.add(started);
  void ended.then(() => running.delete(started));
  return started;
}

/** Starts the built backend and waits until it is ready. */
export async function startBackend(environment: Record<string, string>): Promise<BackendProcess> {
  const started = await spawnBackend(environment);
  let ready: { url?: string } | undefined;
  started.child.once('message', (message) => (ready = message as { url?: string }));
  await until('the backend was ready', () => ready !== undefined || started.hasEnded(), START_MS);
  if (!ready) throw new Error(`The backend ended at its start:\n${started.stderr()}${started.stdout()}`);
  started.url = ready.url ?? '';
  if (ready.url) started.call = clientOf(ready.url);
  return started;
}

/** Sends a signal and waits for the end. A process that outlives `PATIENCE_MS` is killed, and its end says so. */
export async function endBackend({ child, ended }: BackendProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<End> {
  const forced = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  child.kill(signal);
  return ended.finally(() => clearTimeout(forced));
}

/** Ends every process that the test file has started and not ended. */
export async function killBackends(): Promise<void> {
  await Promise.all([...running].map((process) => endBackend(process, 'SIGKILL')));
}

/** A PostgreSQL and a Redis that a test may stop, hang and start again: nobody else uses them. */
export type OwnServers = {
  database: TestDatabase;
  /** Empty where no Redis is to be had. */
  redisUrl: string;
  startPostgres: () => Promise<void>;
  stopPostgres: () => Promise<void>;
  /** The server itself, which takes new connections. */
  postgresProcess: () => number;
  startRedis: () => Promise<void>;
  stopRedis: () => Promise<void>;
  redisProcess: () => number;
  close: () => Promise<void>;
};

/** Starts servers of one's own, with a migrated database. */
export async function startOwnServers(): Promise<OwnServers> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'studyspot-e2e-'));
  try {
    let [postgres, redis] = await Promise.all([startPostgres({ dataDir, fast: true }), startRedis({ dataDir })]);
    await migrate(postgres.url);
    const app = Object.assign(new URL(postgres.url), { username: 'studyspot_app', password: 'pw' });
    const database = { name: 'studyspot', ownerUrl: postgres.url, appUrl: app.href, drop: () => Promise.resolve() };
    await ownerQuery(database, `alter role studyspot_app password 'pw'`);
    return {
      database,
      redisUrl: redis?.url ?? '',
      startPostgres: async () => void (postgres = await startPostgres({ dataDir, fast: true })),
      stopPostgres: () => postgres.stop(),
      postgresProcess: () => postmasterOf(dataDir),
      startRedis: async () => void (redis = await startRedis({ dataDir })),
      stopRedis: async () => redis?.stop(),
      redisProcess: () => JSON.parse(readFileSync(path.join(dataDir, 'redis/server.json'), 'utf8')).process.pid,
      close: () => removeServers(dataDir),
    };
  } catch (error) {
    await removeServers(dataDir);
    throw error;
  }
}

function postmasterOf(dataDir: string): number {
  const { directory } = readClusterRecord(dataDir) ?? {};
  return Number(readFileSync(path.join(directory ?? '', 'postmaster.pid'), 'utf8').split('\n')[0]);
}

/** The mails in a local outbox, by recipient. */
export function mailsIn(dataDir: string): Record<string, number> {
  const counts: Record<string, number> = {};
  const folder = path.join(dataDir, 'outbox');
  if (!existsSync(folder)) return counts;
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.eml'))) {
    const to = /^To: .*?([^\s<>]+@[^\s<>]+)/im.exec(readFileSync(path.join(folder, file), 'utf8'))?.[1] ?? file;
    counts[to] = (counts[to] ?? 0) + 1;
  }
  return counts;
}

/** The Redis of the run, with nothing in a database of its own: no other test file may use the number. */
export async function emptyRedis(number: number): Promise<string> {
  const { redisUrl } = inject('testServers');
  if (!redisUrl) return '';
  const url = Object.assign(new URL(redisUrl), { pathname: `/${number}` }).href;
  const redis = new Redis(url);
  await redis.flushdb();
  redis.disconnect();
  return url;
}

/**
 * Takes the lock of an audit chain, which every write to it needs as its last act. Whoever writes waits, with all else
 * of its transaction done and not committed, for five seconds at most.
 */
export async function holdAuditChain(database: TestDatabase, chain: string) {
  const client = new pg.Client(database.ownerUrl);
  await client.connect();
  await client.query('begin');
  await client.query('select app.lock_audit_chain($1)', [chain]);
  return {
    /** Resolves when somebody waits for it. */
    awaited: () =>
      until('somebody waited for the audit chain', async () => {
        const { rows } = await client.query(
          `select pid from pg_locks where locktype = 'advisory' and not granted and database =
             (select oid from pg_database where datname = current_database())`,
        );
        return rows.length > 0;
      }),
    release: () => client.end(),
  };
}

/** A mail server that takes everything, and holds back its answer to mails for those whom it was told to. */
export async function startMailServer() {
  const delivered: string[] = [];
  const begun: string[] = [];
  const held = new Map<string, () => void>();
  const holding = new Set<string>();
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    onData: (stream, session, done) => {
      const to = session.envelope.rcptTo[0]?.address ?? '';
      begun.push(to);
      const take = () => {
        delivered.push(to);
        done();
      };
      stream.resume();
      stream.once('end', () => (holding.has(to) ? held.set(to, take) : take()));
    },
  });
  // A client that is killed is no news here.
  server.on('error', () => {});
  const listening = server.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  return {
    url: `smtp://127.0.0.1:${(listening.address() as AddressInfo).port}`,
    /** Recipients, one for each mail that was taken. */
    delivered,
    /** Recipients, one for each mail whose text came in. */
    begun,
    hold: (to: string) => void holding.add(to),
    /** Later mails for them are taken at once; `answer` says whether the one that is held back is taken too. */
    release: (to: string, answer: boolean) => {
      holding.delete(to);
      if (answer) held.get(to)?.();
    },
    close: () => new Promise<void>((resolve) => server.close(resolve)),
  };
}
