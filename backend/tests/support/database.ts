import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { inject } from 'vitest';

export type TestDatabase = {
  name: string;
  /** As its owner, whom row-level security does not stop on the server that the tests start. */
  ownerUrl: string;
  /** As studyspot_app, the role of the API. */
  appUrl: string;
  drop: () => Promise<void>;
};

const COPY_TIMEOUT_MS = 30_000;

/** A migrated database of its own: a copy of the template that was made when the tests began. */
export function createTestDatabase(): Promise<TestDatabase> {
  return createDatabase(inject('testServers').template);
}

/** A database in which nothing was migrated yet. */
export function createEmptyDatabase(): Promise<TestDatabase> {
  return createDatabase('template1');
}

/** Runs one statement as the owner of the database, past row-level security, and gives its rows. */
export async function ownerQuery<Row extends pg.QueryResultRow>(
  database: Pick<TestDatabase, 'ownerUrl'>,
  sql: string,
  values: unknown[] = [],
): Promise<Row[]> {
  return withClient(database.ownerUrl, async (client) => (await client.query<Row>(sql, values)).rows);
}

/** Runs a function with one connection, and closes it. */
export async function withClient<T>(url: string, run: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000, query_timeout: 60_000 });
  // A database that is dropped ends its connections; what is under way on them reports it.
  client.on('error', () => {});
  await client.connect();
  try {
    return await run(client);
  } finally {
    await client.end();
  }
}

async function createDatabase(template: string): Promise<TestDatabase> {
  const { ownerUrl, prefix, appPassword } = inject('testServers');
  const name = `${prefix}_${randomBytes(6).toString('hex')}`;
  await withClient(ownerUrl, (client) => copyDatabase(client, template, name));
  const url = urlOf(ownerUrl, name);
  const app = new URL(url);
  app.username = 'studyspot_app';
  app.password = appPassword;
  return {
    name,
    ownerUrl: url,
    appUrl: app.href,
    drop: () =>
      withClient(ownerUrl, async (client) => {
        await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      }),
  };
}

/** One session at a time may copy a template: another one that is at it is waited for. */
async function copyDatabase(client: pg.Client, template: string, name: string): Promise<void> {
  const deadline = Date.now() + COPY_TIMEOUT_MS;
  for (;;) {
    try {
      await client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`);
      return;
    } catch (error) {
      const isBusy = error instanceof pg.DatabaseError && error.code === '55006';
      if (!isBusy || Date.now() > deadline) throw error;
      await sleep(20 + Math.random() * 80);
    }
  }
}

function urlOf(serverUrl: string, database: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  return url.href;
}
