import { rmSync } from 'node:fs';
import path from 'node:path';
import { removePostgres } from '../../../launcher/local-postgres.ts';
import { stopRedis } from '../../../launcher/local-redis.ts';

/** Stops the servers of a data directory and deletes it. */
export async function removeServers(dataDir: string): Promise<void> {
  const stopped = await Promise.allSettled([removePostgres(dataDir), stopRedis(dataDir)]);
  const failure = stopped.find((result) => result.status === 'rejected');
  if (failure) throw failure.reason;
  rmSync(dataDir, { recursive: true, force: true });
}

// Run by itself, it is what cleans up after a test run that was interrupted or killed.
const [, started, dataDir] = process.argv;
if (started && dataDir && path.resolve(started) === import.meta.filename) await removeServers(dataDir);
