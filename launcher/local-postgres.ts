import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { createDataDir, fileSize, logTail, withLog } from './files.ts';
import { withLock } from './lock.ts';
import { choosePort } from './ports.ts';
import { findBinaries, serverUser, type ServerUser } from './postgres-binaries.ts';
import { deleteCluster, ensureCluster, readClusterRecord, writeClusterRecord } from './postgres-cluster.ts';
import {
  commandLine,
  identifyProcess,
  isRunning,
  processesWorkingIn,
  stopProcess,
  waitUntil,
  type ProcessIdentity,
} from './processes.ts';
import { loadSecrets } from './secrets.ts';

const START_TIMEOUT_MS = 60_000;
const STALE_TIMEOUT_MS = 15_000;
const DATABASE = 'studyspot';

const NORMAL_SETTINGS = ['max_connections=100', 'shared_buffers=128MB'];
/** For tests, whose data nobody misses after a crash. */
const FAST_SETTINGS = [
  'max_connections=200',
  'shared_buffers=128MB',
  'fsync=off',
  'full_page_writes=off',
  'synchronous_commit=off',
];

export interface LocalPostgres {
  /** As the superuser postgres, who owns everything: postgresql://postgres:PASSWORD@127.0.0.1:PORT/studyspot */
  url: string;
  port: number;
  /** It ran already, left by a process that was killed or started by another one that still uses it. */
  adopted: boolean;
  stop: () => Promise<void>;
}

/**
 * Starts the embedded PostgreSQL of a data directory, or adopts the one that runs there already. It listens on
 * 127.0.0.1 alone and outlives a killed launcher. `fast` trades safety for speed and keeps the data in memory where
 * it can: for tests. Whoever uses `fast` gives the memory back with `removePostgres`.
 */
export function startPostgres(options: { dataDir: string; port?: number; fast?: boolean }): Promise<LocalPostgres> {
  const dataDir = path.resolve(options.dataDir);
  createDataDir(dataDir);
  return withLock(path.join(dataDir, 'postgres.lock'), () => startUnderLock({ ...options, dataDir }));
}

async function startUnderLock(options: { dataDir: string; port?: number; fast?: boolean }): Promise<LocalPostgres> {
  const { dataDir, fast = false } = options;
  const { postgresPassword: password } = await loadSecrets(dataDir);
  const adopted = await adopt(dataDir, password);
  if (adopted) return adopted;

  const user = serverUser();
  const binaries = findBinaries(user);
  const directory = ensureCluster({ dataDir, binaries, user, password, fast });
  await removeStalePidFile(directory);
  for (let attempt = 1; ; attempt++) {
    // The remembered port may have been taken meanwhile, and any port between choosing it and using it.
    const port = await choosePort(options.port ?? readClusterRecord(dataDir)?.port);
    const server = await launch({ dataDir, directory, binaries, user, port, fast, password });
    if (server) {
      writeClusterRecord(dataDir, { directory, port });
      return { url: ownerUrl(password, port), port, adopted: false, stop: () => stopServer(dataDir, server) };
    }
    if (attempt === 3) throw new Error(`PostgreSQL found no free port on 127.0.0.1. See ${logFile(dataDir)}.`);
  }
}

/** Stops the PostgreSQL of a data directory if it runs, and deletes its data. */
export async function removePostgres(dataDir: string): Promise<void> {
  const directory = readClusterRecord(path.resolve(dataDir))?.directory;
  const running = directory ? runningServer(directory) : null;
  if (running) await stopServer(dataDir, running.process);
  deleteCluster(path.resolve(dataDir));
}

function logFile(dataDir: string): string {
  return path.join(dataDir, 'logs', 'postgres.log');
}

function ownerUrl(password: string, port: number, database = DATABASE): string {
  return `postgresql://postgres:${password}@127.0.0.1:${port}/${database}`;
}

/** The server that postmaster.pid of a cluster names, if that process is alive and really PostgreSQL. */
function runningServer(directory: string): { process: ProcessIdentity; port: number } | null {
  const file = path.join(directory, 'postmaster.pid');
  if (!existsSync(file)) return null;
  const [pid, , , port] = readFileSync(file, 'utf8').split('\n');
  const identity = identifyProcess(Number(pid));
  return identity && /postgres/.test(commandLine(identity.pid)) ? { process: identity, port: Number(port) } : null;
}

/**
 * PostgreSQL refuses to start while the number in postmaster.pid belongs to any process: to another program after a
 * reboot, or to a killed server that nobody has buried. The file may go once no server process uses the cluster.
 */
async function removeStalePidFile(directory: string): Promise<void> {
  const file = path.join(directory, 'postmaster.pid');
  if (!existsSync(file)) return;
  const unused = await waitUntil(() => processesWorkingIn(directory).length === 0, STALE_TIMEOUT_MS, 50);
  if (!unused) {
    const pids = processesWorkingIn(directory).join(' ');
    throw new Error(`Processes of a killed PostgreSQL still use ${directory}. Stop them (kill ${pids}) and try again.`);
  }
  rmSync(file, { force: true });
}

async function adopt(dataDir: string, password: string): Promise<LocalPostgres | null> {
  const record = readClusterRecord(dataDir);
  const running = record ? runningServer(record.directory) : null;
  if (!record || !running) return null;
  const up = await waitUntil(
    () => !isRunning(running.process) || answers(password, running.port),
    START_TIMEOUT_MS,
    100,
  );
  if (!up) {
    throw new Error(
      `PostgreSQL (process ${running.process.pid}) runs in ${record.directory} but does not answer. ` +
        `Stop it (kill -INT ${running.process.pid}) and try again.`,
    );
  }
  // It was on its way out.
  if (!isRunning(running.process)) return null;
  await ensureDatabase(password, running.port);
  writeClusterRecord(dataDir, { directory: record.directory, port: running.port });
  const { port } = running;
  return { url: ownerUrl(password, port), port, adopted: true, stop: () => stopServer(dataDir, running.process) };
}

interface Launch {
  dataDir: string;
  directory: string;
  binaries: string;
  user: ServerUser;
  port: number;
  fast: boolean;
  password: string;
}

/** Starts the server and waits until it answers; null when its port was taken from under it. */
async function launch(options: Launch): Promise<ProcessIdentity | null> {
  const log = logFile(options.dataDir);
  const logStart = fileSize(log);
  const child = spawnServer(options, log);
  const identity = child.pid ? identifyProcess(child.pid) : null;
  const ended = () => child.exitCode !== null || child.signalCode !== null || !identity;
  const settled = await waitUntil(
    async () => ended() || (await answers(options.password, options.port)),
    START_TIMEOUT_MS,
  );
  if (settled && !ended() && identity) {
    await ensureDatabase(options.password, options.port);
    return identity;
  }
  if (identity) await stopServer(options.dataDir, identity);
  const tail = logTail(log, 15, logStart);
  if (/could not bind|could not create any TCP/i.test(tail)) return null;
  throw new Error(`PostgreSQL did not start. Its log (${log}) ends with:\n${tail}`);
}

function spawnServer({ directory, binaries, user, port, fast }: Launch, log: string): ChildProcess {
  const settings = [
    ...(fast ? FAST_SETTINGS : NORMAL_SETTINGS),
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    // Paths of sockets are limited to about 100 characters, which a data directory may exceed.
    'unix_socket_directories=',
    'timezone=UTC',
    'log_timezone=UTC',
  ];
  const args = ['-D', directory, ...settings.flatMap((setting) => ['-c', setting])];
  // A session of its own: Ctrl-C in the terminal must reach the launcher alone, which stops things in order.
  const child = withLog(log, (descriptor) =>
    spawn(path.join(binaries, 'postgres'), args, {
      ...user,
      cwd: '/',
      detached: true,
      stdio: ['ignore', descriptor, descriptor],
    }),
  );
  child.on('error', () => {});
  child.unref();
  return child;
}

async function answers(password: string, port: number): Promise<boolean> {
  const client = new pg.Client({
    connectionString: ownerUrl(password, port, 'postgres'),
    connectionTimeoutMillis: 2_000,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    return true;
  } catch (error) {
    if ((error as { code?: string }).code !== '28P01') return false;
    throw new Error(
      'PostgreSQL refuses the password in secrets.json. Restore that file, or run "./studyspot reset" to start anew.',
      { cause: error },
    );
  } finally {
    await client.end().catch(() => {});
  }
}

async function ensureDatabase(password: string, port: number): Promise<void> {
  const client = new pg.Client({
    connectionString: ownerUrl(password, port, 'postgres'),
    connectionTimeoutMillis: 10_000,
    query_timeout: 30_000,
  });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
    if (!rowCount) await client.query(`CREATE DATABASE ${DATABASE}`);
  } finally {
    await client.end();
  }
}

/** SIGINT is PostgreSQL's fast shutdown: sessions are ended, everything is written. */
async function stopServer(dataDir: string, server: ProcessIdentity): Promise<void> {
  const stopped = await stopProcess(server, [
    { name: 'SIGINT', patienceMs: 30_000 },
    { name: 'SIGQUIT', patienceMs: 10_000 },
  ]);
  if (!stopped) throw new Error(`PostgreSQL (process ${server.pid}) does not stop. See ${logFile(dataDir)}.`);
}
