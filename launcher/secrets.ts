import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { createDataDir, readJson, writeJson } from './files.ts';
import { withLock } from './lock.ts';

const NAMES = [
  'postgresPassword',
  'appPassword',
  'redisPassword',
  'jwtSecret',
  'refreshTokenSecret',
  'encryptionKey',
] as const;

/** Secrets of one local installation. Each is 32 random bytes in base64url, so it needs no escaping in a URL. */
export type Secrets = Record<(typeof NAMES)[number], string>;

export function secretsFile(dataDir: string): string {
  return path.join(dataDir, 'secrets.json');
}

/** The secrets of a data directory, made on first use and kept in a file that only its owner can read. */
export async function loadSecrets(dataDir: string): Promise<Secrets> {
  createDataDir(dataDir);
  return (
    complete(dataDir) ?? withLock(`${secretsFile(dataDir)}.lock`, async () => complete(dataDir) ?? create(dataDir))
  );
}

function complete(dataDir: string): Secrets | null {
  const stored = readJson<Partial<Secrets>>(secretsFile(dataDir));
  return stored && NAMES.every((name) => typeof stored[name] === 'string') ? (stored as Secrets) : null;
}

function create(dataDir: string): Secrets {
  const file = secretsFile(dataDir);
  const stored = readJson<Partial<Secrets>>(file);
  // Overwriting it would lock everybody out of the database that was made with its password.
  if (!stored && existsSync(file)) {
    throw new Error(
      `${file} is not readable JSON. Restore it from a backup, or run "./studyspot reset" to start anew.`,
    );
  }
  const fresh = Object.fromEntries(NAMES.map((name) => [name, randomBytes(32).toString('base64url')])) as Secrets;
  const secrets = { ...fresh, ...stored };
  writeJson(file, secrets);
  return secrets;
}
