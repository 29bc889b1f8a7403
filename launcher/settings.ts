import { homedir } from 'node:os';
import path from 'node:path';
import { config } from 'dotenv';
import { UsageError } from './errors.ts';
import { DEFAULT_DATA_DIR, ROOT } from './paths.ts';

/** What the person who starts StudySpot may decide; anything else goes to the backend as it is. */
export interface Settings {
  host: string;
  port: number;
  /** Absolute. */
  dataDir: string;
  /** Undefined: the embedded PostgreSQL. */
  databaseUrl?: string;
  databaseOwnerUrl?: string;
  /** Undefined: a local Redis, if one can be had. */
  redisUrl?: string;
}

/** Reads `.env` at the root of the repository, which never overrides the environment, and then the environment. */
export function readSettings(): Settings {
  config({ path: path.join(ROOT, '.env'), quiet: true });
  const { HOST, PORT, DATA_DIR, DATABASE_URL, DATABASE_OWNER_URL, REDIS_URL } = process.env;
  if (DATABASE_OWNER_URL && !DATABASE_URL) {
    throw new UsageError('DATABASE_OWNER_URL is set and DATABASE_URL is not. Set both, or DATABASE_URL alone.');
  }
  return {
    host: HOST || '127.0.0.1',
    port: readPort(PORT || '4000'),
    dataDir: readDataDir(DATA_DIR),
    databaseUrl: DATABASE_URL || undefined,
    databaseOwnerUrl: DATABASE_OWNER_URL || undefined,
    redisUrl: REDIS_URL || undefined,
  };
}

function readPort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65535) return port;
  throw new UsageError(`PORT is ${text}, and must be a number from 1 to 65535, such as PORT=4001.`);
}

/** A relative one counts from the root of the repository, so that it means the same from everywhere. */
function readDataDir(text?: string): string {
  const dataDir = text ? path.resolve(ROOT, text) : DEFAULT_DATA_DIR;
  for (const precious of [ROOT, homedir()]) {
    if (!path.relative(dataDir, precious).startsWith('..')) {
      throw new UsageError(
        `DATA_DIR is ${dataDir}, which holds more than the data of StudySpot. Name a directory of its own.`,
      );
    }
  }
  return dataDir;
}
