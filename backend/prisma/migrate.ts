import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { syncAccessCatalogue } from '../src/services/rbac-catalogue.service.ts';
import { layBullmqSchema } from './bullmq-schema.ts';
import { applyMigration, createHistory, findPending, readMigrations } from './migration-history.ts';

export type MigrateOptions = {
  /** Called before each step: with the name of a migration, or with what else is done. */
  onStep?: (name: string) => void;
  /** How long to wait for another migration of the same database. */
  lockWaitMs?: number;
  /** Another directory than the package's own. */
  directory?: string;
};

/** The key that Prisma's own `migrate` takes: the two never run at once. */
const LOCK_KEY = 72707369;
const LOCK_WAIT_MS = 60_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** Lets a migration give up rather than have every request queue up behind it. */
const TABLE_LOCK_TIMEOUT = '30s';
const MINIMUM_POSTGRES = 150_000;

/**
 * Brings a database to the newest schema: the SQL migrations, then the catalogue of permissions and built-in roles,
 * then the tables of the job queues. Safe to run at any time and by several processes at once; returns the names of
 * the migrations that were applied now.
 *
 * @param ownerUrl of the role that owns the database, straight to PostgreSQL and not through a transaction pooler
 */
export async function migrate(ownerUrl: string, options: MigrateOptions = {}): Promise<string[]> {
  const migrations = readMigrations(options.directory ?? migrationsDirectory());
  return withConnection(ownerUrl, (client) =>
    withMigrationLock(client, options.lockWaitMs ?? LOCK_WAIT_MS, async () => {
      await createHistory(client);
      const pending = await findPending(client, migrations);
      for (const migration of pending) {
        options.onStep?.(migration.name);
        await applyMigration(client, migration);
      }
      await mirrorAccessCatalogue(client);
      await layBullmqSchema(client, () => options.onStep?.('tables of the job queues'));
      return pending.map(({ name }) => name);
    }),
  );
}

/** Names of the migrations that `migrate` would apply. Throws as it would, when one failed or was edited. */
export async function pendingMigrations(ownerUrl: string, directory = migrationsDirectory()): Promise<string[]> {
  const migrations = readMigrations(directory);
  const pending = await withConnection(ownerUrl, (client) => findPending(client, migrations));
  return pending.map(({ name }) => name);
}

/** `prisma/migrations` of the package, whether this runs from `prisma/` or, bundled, from `dist/`. */
export function migrationsDirectory(): string {
  let directory = import.meta.dirname;
  while (!existsSync(path.join(directory, 'package.json'))) {
    const parent = path.dirname(directory);
    if (parent === directory) throw new Error(`There is no package.json above ${import.meta.dirname}.`);
    directory = parent;
  }
  return path.join(directory, 'prisma', 'migrations');
}

async function mirrorAccessCatalogue(client: pg.Client): Promise<void> {
  await client.query('BEGIN');
  try {
    await syncAccessCatalogue(client);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}

async function withConnection<T>(ownerUrl: string, run: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    connectionString: ownerUrl,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: 'studyspot-migrate',
  });
  // The query that is under way reports a lost connection; without a listener the event would end the process.
  client.on('error', () => {});
  try {
    await client.connect();
  } catch (error) {
    await client.end().catch(() => {});
    throw new Error(`Cannot connect to PostgreSQL at ${placeOf(ownerUrl)}: ${reasonOf(error)}`, { cause: error });
  }
  try {
    await prepareSession(client);
    return await run(client);
  } finally {
    await client.end().catch(() => {});
  }
}

async function prepareSession(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ number: number; version: string }>(
    `SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS version`,
  );
  const server = rows[0];
  if (server && server.number < MINIMUM_POSTGRES) {
    throw new Error(`PostgreSQL 15 or newer is needed; this server is ${server.version}.`);
  }
  // A statement of a migration may take its time; limits that the role has are meant for requests.
  await client.query(`SET statement_timeout = 0; SET lock_timeout = '${TABLE_LOCK_TIMEOUT}'`);
}

/**
 * Asks again and again instead of waiting inside PostgreSQL: a session that waits in a statement would hold up a
 * CREATE INDEX CONCURRENTLY of the very migration it waits for.
 */
async function withMigrationLock<T>(client: pg.Client, waitMs: number, run: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + waitMs;
  while (!(await tryLock(client))) {
    if (Date.now() >= deadline) throw new Error(await describeLockHolder(client, waitMs));
    await sleep(Math.min(200, waitMs));
  }
  try {
    return await run();
  } finally {
    await client.query('SELECT pg_advisory_unlock($1)', [LOCK_KEY]).catch(() => {});
  }
}

async function tryLock(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query('SELECT pg_try_advisory_lock($1) AS taken', [LOCK_KEY]);
  return rows[0].taken;
}

async function describeLockHolder(client: pg.Client, waitMs: number): Promise<string> {
  const { rows } = await client.query<{ pid: number; name: string | null; since: Date | null }>(
    `SELECT l.pid, a.application_name AS name, a.backend_start AS since
       FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid)
      WHERE l.locktype = 'advisory' AND l.granted AND l.classid = 0 AND l.objid = $1 AND l.objsubid = 1
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    [LOCK_KEY],
  );
  const holder = rows[0];
  const who = holder
    ? `PostgreSQL process ${holder.pid} (${holder.name || 'unnamed'}, connected since ${holder.since?.toISOString() ?? 'unknown'})`
    : 'Another session';
  return (
    `${who} has been migrating this database for more than ${Math.round(waitMs / 1000)} s. Wait until it is done and ` +
    `migrate again; if it hangs, end it with SELECT pg_terminate_backend(${holder?.pid ?? 'PID'}).`
  );
}

/** Host, port and database of a URL, without its password. */
function placeOf(url: string): string {
  if (!URL.canParse(url)) return 'an address that is not a URL such as postgresql://USER:PASSWORD@HOST:PORT/DATABASE';
  const { hostname, port, pathname } = new URL(url);
  return `${hostname || 'the local socket'}:${port || 5432}${pathname}`;
}

function reasonOf(error: unknown): string {
  // Connecting to a name with several addresses fails with one error for each, and no message of its own.
  if (error instanceof AggregateError && !error.message) return error.errors.map(reasonOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}

async function main(): Promise<void> {
  const url = process.env.DATABASE_OWNER_URL || process.env.DATABASE_URL;
  if (!url)
    throw new Error('Set DATABASE_OWNER_URL to the URL of the role that owns the database, then migrate again.');
  const applied = await migrate(url, { onStep: (name) => console.log(`applying ${name}`) });
  console.log(applied.length > 0 ? `${applied.length} migrations applied` : 'the database is up to date');
}

// The name counts too: bundled into another program, this file must not run by itself.
const started = process.argv[1];
if (started && /^migrate\.[jt]s$/.test(path.basename(started)) && path.resolve(started) === import.meta.filename) {
  main().catch((error: unknown) => {
    console.error(reasonOf(error));
    process.exitCode = 1;
  });
}
