import { readSettings } from '../settings.ts';
import { locatePackage } from '../postgres-binaries.ts';
import { provisionRedis } from '../redis-packages.ts';
import { print, step } from '../terminal.ts';

/** The part of the installation that is not npm's: the launcher runs it after `npm ci`. */
export async function prepare(): Promise<number> {
  const { dataDir, databaseUrl, redisUrl } = readSettings();
  if (!databaseUrl) locatePackage();
  if (!redisUrl) {
    const reason = await step(
      'Redis',
      () => provisionRedis(dataDir, { retry: true }),
      (missing) => (missing ? 'Redis: none' : 'Redis'),
    );
    if (reason) print(`    Jobs run on PostgreSQL: ${reason}`);
  }
  return 0;
}
