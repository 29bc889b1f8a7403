import path from 'node:path';
import { startPostgres, type LocalPostgres } from './local-postgres.ts';
import { startRedis, type LocalRedis } from './local-redis.ts';
import { lockHolder, withLock } from './lock.ts';
import { provisionRedis } from './redis-packages.ts';
import { createDataDir } from './files.ts';
import { upLock } from './instance.ts';
import type { Settings } from './settings.ts';
import { step } from './terminal.ts';

/** The PostgreSQL and Redis to work with: the ones that the settings name, or local ones. */
export interface Services {
  /** As the settings give it, or as the superuser of the embedded server. */
  databaseUrl: string;
  /** Empty: none; jobs run on PostgreSQL. */
  redisUrl: string;
  /** Stops the local servers: all of them, or only those that this process started and nobody else uses. */
  stop: (which: 'all' | 'started') => Promise<void>;
}

/** Starts or adopts both at the same time. Commands that only work on the data need no Redis. */
export async function startServices(settings: Settings, { redis }: { redis: boolean }): Promise<Services> {
  createDataDir(settings.dataDir);
  const local: (LocalPostgres | LocalRedis)[] = [];
  const stop = (which: 'all' | 'started') => stopServices(settings.dataDir, local, which);
  // A command that has just finished may be stopping what this one would adopt.
  return withLock(servicesLock(settings.dataDir), async () => {
    const results = await Promise.allSettled([
      settings.databaseUrl ?? startLocal(local, () => startLocalPostgres(settings)),
      settings.redisUrl ?? (redis ? startLocal(local, () => startLocalRedis(settings)) : ''),
    ]);
    const failure = results.find((result) => result.status === 'rejected');
    if (failure) {
      await stopServers(local.filter(({ adopted }) => !adopted));
      throw failure.reason;
    }
    const [databaseUrl = '', redisUrl = ''] = results.map((result) => (result as PromiseFulfilledResult<string>).value);
    return { databaseUrl, redisUrl, stop };
  });
}

function servicesLock(dataDir: string): string {
  return path.join(dataDir, 'services.lock');
}

async function startLocal(
  local: (LocalPostgres | LocalRedis)[],
  start: () => Promise<LocalPostgres | LocalRedis | null>,
): Promise<string> {
  const server = await start();
  if (server) local.push(server);
  return server?.url ?? '';
}

function startLocalPostgres({ dataDir }: Settings): Promise<LocalPostgres> {
  return step(
    'PostgreSQL',
    () => startPostgres({ dataDir }),
    (server) => `PostgreSQL ${where(server)}`,
  );
}

function startLocalRedis({ dataDir }: Settings): Promise<LocalRedis | null> {
  let reason: string | null = null;
  const start = async () => {
    reason = await provisionRedis(dataDir);
    return startRedis({ dataDir });
  };
  return step('Redis', start, (server) => (server ? `Redis ${where(server)}` : `Jobs run on PostgreSQL: ${reason}`));
}

function where({ port, adopted }: { port: number; adopted: boolean }): string {
  return `on 127.0.0.1:${port}${adopted ? ', was running' : ''}`;
}

async function stopServices(
  dataDir: string,
  local: (LocalPostgres | LocalRedis)[],
  which: 'all' | 'started',
): Promise<void> {
  if (local.length === 0) return;
  await withLock(servicesLock(dataDir), async () => {
    if (which === 'all') return stopServers(local);
    const up = lockHolder(upLock(dataDir));
    if (!up || up.pid === process.pid) await stopServers(local.filter(({ adopted }) => !adopted));
  });
}

async function stopServers(servers: (LocalPostgres | LocalRedis)[]): Promise<void> {
  const results = await Promise.allSettled(servers.map((server) => server.stop()));
  const failure = results.find((result) => result.status === 'rejected');
  if (failure) throw failure.reason;
}
