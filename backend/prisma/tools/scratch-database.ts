import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { removePostgres, startPostgres } from '../../../launcher/local-postgres.ts';

/**
 * Gives the URL of an empty database and drops it afterwards. It lies on the server of DATABASE_OWNER_URL or
 * DATABASE_URL, whose role must be allowed to create databases; without one, on a PostgreSQL started for this alone.
 */
export async function withScratchDatabase<T>(run: (databaseUrl: string) => Promise<T>): Promise<T> {
  const configured = process.env.DATABASE_OWNER_URL || process.env.DATABASE_URL;
  return configured ? onServer(configured, run) : onOwnServer((url) => onServer(url, run));
}

async function onOwnServer<T>(run: (serverUrl: string) => Promise<T>): Promise<T> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'studyspot-scratch-'));
  try {
    const server = await startPostgres({ dataDir, fast: true });
    return await run(server.url);
  } finally {
    await removePostgres(dataDir);
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function onServer<T>(serverUrl: string, run: (databaseUrl: string) => Promise<T>): Promise<T> {
  const name = `studyspot_scratch_${randomBytes(6).toString('hex')}`;
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  await execute(serverUrl, `CREATE DATABASE ${name}`);
  try {
    return await run(url.href);
  } finally {
    await execute(serverUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  }
}

async function execute(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000, query_timeout: 60_000 });
  client.on('error', () => {});
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
