import { spawn } from 'node:child_process';
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Redis } from 'ioredis';
import type { Program } from './debian-packages.ts';
import { createDataDir, fileSize, logTail, readJson, withLog, writeJson } from './files.ts';
import { withLock } from './lock.ts';
import { choosePort } from './ports.ts';
import { identifyProcess, isRunning, stopProcess, waitUntil, type ProcessIdentity } from './processes.ts';
import { findRedis } from './redis-packages.ts';
import { loadSecrets } from './secrets.ts';

const START_TIMEOUT_MS = 30_000;

export interface LocalRedis {
  /** redis://:PASSWORD@127.0.0.1:PORT/0 */
  url: string;
  port: number;
  /** It ran already, left by a process that was killed or started by another one that still uses it. */
  adopted: boolean;
  stop: () => Promise<void>;
}

/** What the data directory remembers of its Redis. */
interface RedisRecord {
  port: number;
  process?: ProcessIdentity;
}

/**
 * Starts the Redis of a data directory, or adopts the one that runs there already; null where no Redis is to be had
 * (`provisionRedis` fetches one). It listens on 127.0.0.1 alone, keeps its data and outlives a killed launcher.
 */
export function startRedis(options: { dataDir: string; port?: number }): Promise<LocalRedis | null> {
  const dataDir = path.resolve(options.dataDir);
  createDataDir(dataDir);
  return withLock(path.join(dataDir, 'redis.lock'), () => startUnderLock(dataDir, options.port));
}

async function startUnderLock(dataDir: string, wantedPort?: number): Promise<LocalRedis | null> {
  const { redisPassword: password } = await loadSecrets(dataDir);
  const running = await runningRedis(dataDir, password);
  if (running) return handle(dataDir, password, running, true);

  const program = findRedis(dataDir);
  if (!program) return null;
  for (let attempt = 1; ; attempt++) {
    const port = await choosePort(wantedPort ?? readRecord(dataDir)?.port);
    const started = await launch(dataDir, password, program, port);
    if (started) return handle(dataDir, password, started, false);
    if (attempt === 3) throw new Error(`Redis found no free port on 127.0.0.1. See ${logFile(dataDir)}.`);
  }
}

/** Stops the Redis of a data directory if it runs. */
export async function stopRedis(dataDir: string): Promise<void> {
  const running = readRecord(path.resolve(dataDir))?.process;
  if (isRunning(running)) await stopServer(dataDir, running);
}

function handle(dataDir: string, password: string, server: Required<RedisRecord>, adopted: boolean): LocalRedis {
  const url = `redis://:${password}@127.0.0.1:${server.port}/0`;
  return { url, port: server.port, adopted, stop: () => stopServer(dataDir, server.process) };
}

function homeDir(dataDir: string): string {
  return path.join(dataDir, 'redis', 'data');
}

function logFile(dataDir: string): string {
  return path.join(dataDir, 'logs', 'redis.log');
}

function readRecord(dataDir: string): RedisRecord | undefined {
  return readJson<RedisRecord>(path.join(dataDir, 'redis', 'server.json'));
}

/** The Redis that runs for this data directory, told by its port, its password and its working directory. */
async function runningRedis(dataDir: string, password: string): Promise<Required<RedisRecord> | null> {
  const record = readRecord(dataDir);
  if (!record) return null;
  let server: ProcessIdentity | null = null;
  const ask = async () => (server = await askServer(dataDir, password, record.port)) !== null;
  // One that has just been started reads its data first, and one that is being stopped writes it.
  await waitUntil(async () => (await ask()) || !isRunning(record.process), START_TIMEOUT_MS, 50);
  if (!server && isRunning(record.process)) {
    throw new Error(
      `Redis (process ${record.process.pid}) runs but does not answer. Stop it (kill ${record.process.pid}) and try again.`,
    );
  }
  return server && { port: record.port, process: server };
}

/** The identity of the server on a port if it is ours and ready, else null. */
async function askServer(dataDir: string, password: string, port: number): Promise<ProcessIdentity | null> {
  const client = new Redis({
    host: '127.0.0.1',
    port,
    password,
    lazyConnect: true,
    connectTimeout: 2_000,
    commandTimeout: 2_000,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    enableReadyCheck: false,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.ping();
    const directory = ((await client.config('GET', 'dir')) as string[])[1];
    const pid = Number(/^process_id:(\d+)/m.exec(await client.info('server'))?.[1]);
    return directory && realpathSync(homeDir(dataDir)) === realpathSync(directory) ? identifyProcess(pid) : null;
  } catch {
    return null;
  } finally {
    client.disconnect();
  }
}

/** Starts the server and waits until it answers; null when its port was taken from under it. */
async function launch(
  dataDir: string,
  password: string,
  program: Program,
  port: number,
): Promise<Required<RedisRecord> | null> {
  const home = homeDir(dataDir);
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const recordFile = path.join(dataDir, 'redis', 'server.json');
  // Before the start: whoever comes after a crash in between still finds the server by its port.
  writeJson(recordFile, { port });
  const log = logFile(dataDir);
  const logStart = fileSize(log);
  const child = withLog(log, (descriptor) =>
    // A session of its own: Ctrl-C in the terminal must reach the launcher alone, which stops things in order.
    spawn(program.file, [writeConfiguration(dataDir, password, port)], {
      env: program.env,
      cwd: home,
      detached: true,
      stdio: ['ignore', descriptor, descriptor],
    }),
  );
  child.on('error', () => {});
  child.unref();
  const identity = child.pid ? identifyProcess(child.pid) : null;
  if (identity) writeJson(recordFile, { port, process: identity });
  const ended = () => child.exitCode !== null || child.signalCode !== null || !identity;
  const settled = await waitUntil(
    async () => ended() || (await askServer(dataDir, password, port)) !== null,
    START_TIMEOUT_MS,
  );
  if (settled && !ended() && identity) return { port, process: identity };

  if (identity) await stopServer(dataDir, identity);
  const tail = logTail(log, 15, logStart);
  if (/could not create server TCP|Failed listening/i.test(tail)) return null;
  throw new Error(`Redis did not start. Its log (${log}) ends with:\n${tail}`);
}

/** A file and not arguments: those of a process can be read by everybody on the machine. */
function writeConfiguration(dataDir: string, password: string, port: number): string {
  const file = path.join(dataDir, 'redis', 'redis.conf');
  const lines = [
    'bind 127.0.0.1',
    `port ${port}`,
    `requirepass ${password}`,
    `dir "${homeDir(dataDir).replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`,
    'appendonly yes',
    'save ""',
    'maxmemory-policy noeviction',
    'daemonize no',
    'loglevel notice',
  ];
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  return file;
}

async function stopServer(dataDir: string, server: ProcessIdentity): Promise<void> {
  const stopped = await stopProcess(server, [
    { name: 'SIGTERM', patienceMs: 15_000 },
    { name: 'SIGKILL', patienceMs: 5_000 },
  ]);
  if (!stopped) throw new Error(`Redis (process ${server.pid}) does not stop. See ${logFile(dataDir)}.`);
}
