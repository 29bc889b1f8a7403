import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { vi } from 'vitest';
import { startRedis } from '../../../../launcher/local-redis.ts';
import type { ReadContext } from '../../../src/types/context.ts';
import { removeServers } from '../../support/remove-servers.ts';

/** A Redis that a test may stop and hang. */
export async function startOwnRedis() {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'studyspot-cache-'));
  let server = await startRedis({ dataDir });
  if (!server) throw new Error('There is no Redis on this machine');
  const redis = new Redis(server.url);
  redis.on('error', () => {});
  const pid = () => Number(JSON.parse(readFileSync(path.join(dataDir, 'redis/server.json'), 'utf8')).process.pid);
  return {
    url: server.url,
    redis,
    hang: () => process.kill(pid(), 'SIGSTOP'),
    goOn: () => process.kill(pid(), 'SIGCONT'),
    stop: async () => server?.stop(),
    start: async () => void (server = await startRedis({ dataDir })),
    close: async () => {
      process.kill(pid(), 'SIGCONT');
      redis.disconnect();
      await removeServers(dataDir);
    },
  };
}

/** What a process of its own has: modules that share nothing with those that are loaded already, but Redis. */
export async function anotherProcess() {
  vi.resetModules();
  const cache = await import('../../../src/services/cache.service.ts');
  const { commandRedis, closeRedis } = await import('../../../src/config/redis.ts');
  const { cacheRequests } = await import('../../../src/config/metrics.ts');
  const redis = commandRedis();
  if (redis && redis.status !== 'ready') await new Promise<void>((resolve) => redis.once('ready', () => resolve()));
  return {
    ...cache,
    close: closeRedis,
    /** How often what came of asking the cache. */
    counts: async () => {
      const counts: Record<string, number> = {};
      for (const { labels, value } of (await cacheRequests.get()).values) {
        counts[String(labels.result)] = (counts[String(labels.result)] ?? 0) + value;
      }
      return counts;
    },
  };
}
export type Process = Awaited<ReturnType<typeof anotherProcess>>;

export const logged: string[] = [];
const log = (message: string) => void logged.push(message);
export const ctx = { log: { debug: log, info: log, warn: log, error: log } } as Pick<ReadContext, 'log'>;

/** Something that is waited for until it is let go. */
export function gate() {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { open, opened };
}

/** What follows a commit, by hand. */
export async function commit(
  write: (ctx: { afterCommit: (work: () => Promise<void>) => void }) => void,
): Promise<void> {
  const works: (() => Promise<void>)[] = [];
  write({ afterCommit: (work) => void works.push(work) });
  for (const work of works) await work();
}
