import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { hasDebianTools, programOnPath, unpackedProgram, unpackPackages, type Program } from './debian-packages.ts';
import { createDataDir } from './files.ts';
import { withLock } from './lock.ts';
import { DEFAULT_DATA_DIR } from './paths.ts';

const SERVERS = ['redis-server', 'valkey-server'];

/** Redis or Valkey from PATH, else the one unpacked into this data directory or into the default one; null without. */
export function findRedis(dataDir: string): Program | null {
  return (
    programOnPath(SERVERS) ??
    unpackedProgram(programDir(dataDir), SERVERS) ??
    unpackedProgram(programDir(DEFAULT_DATA_DIR), SERVERS)
  );
}

/** Where the unpacked packages lie. They are a program, not data: a reset keeps them. */
export function programDir(dataDir: string): string {
  return path.join(dataDir, 'redis', 'program');
}

function failureNoteOf(dataDir: string): string {
  return path.join(path.resolve(dataDir), 'redis', 'unavailable');
}

/**
 * Makes sure that a Redis can be started: where none is installed, Debian's packages are fetched and unpacked into
 * the data directory, without root. A failure is remembered, so that a machine without a network does not try again
 * at every start, and queued jobs do not change their place unasked; `retry` tries all the same.
 *
 * @returns null when there is a Redis, else a sentence that says why not
 */
export async function provisionRedis(dataDir: string, options: { retry?: boolean } = {}): Promise<string | null> {
  const target = programDir(path.resolve(dataDir));
  const failureNote = failureNoteOf(dataDir);
  if (findRedis(dataDir)) return null;
  createDataDir(dataDir);
  mkdirSync(path.dirname(target), { recursive: true, mode: 0o700 });
  return withLock(`${target}.lock`, async () => {
    if (findRedis(dataDir)) return null;
    const failedBefore = existsSync(failureNote) || existsSync(failureNoteOf(DEFAULT_DATA_DIR));
    if (failedBefore && !options.retry) return unavailable('it could not be fetched when this was installed');
    try {
      if (!hasDebianTools()) return unavailable('this is not Debian or Ubuntu');
      await unpackPackages({ packages: SERVERS, names: SERVERS, versionArgument: '--version' }, target);
      rmSync(failureNote, { force: true });
      return null;
    } catch (error) {
      writeFileSync(failureNote, `${String(error)}\n`);
      return unavailable("Debian's packages could not be fetched");
    }
  });
}

function unavailable(reason: string): string {
  return `no Redis (${reason}); install redis-server, or name one in REDIS_URL, for more speed`;
}
