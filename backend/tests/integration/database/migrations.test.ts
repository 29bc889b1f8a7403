import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrate, migrationsDirectory, pendingMigrations } from '../../../prisma/migrate.ts';
import { readSchemaFiles, withSchemaEngine } from '../../../prisma/tools/schema-engine.ts';
import {
  createEmptyDatabase,
  createTestDatabase,
  ownerQuery,
  withClient,
  type TestDatabase,
} from '../../support/database.ts';

const all = readdirSync(migrationsDirectory(), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
  .toSorted();

let directory: string;
const databases: TestDatabase[] = [];

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'studyspot-migrations-'));
  cpSync(migrationsDirectory(), directory, { recursive: true });
});

afterEach(async () => {
  rmSync(directory, { recursive: true, force: true });
  await Promise.all(databases.splice(0).map((database) => database.drop()));
});

async function empty(): Promise<TestDatabase> {
  const database = await createEmptyDatabase();
  databases.push(database);
  return database;
}

async function migrated(): Promise<TestDatabase> {
  const database = await createTestDatabase();
  databases.push(database);
  return database;
}

function addMigration(name: string, sql: string): void {
  mkdirSync(path.join(directory, name));
  writeFileSync(path.join(directory, name, 'migration.sql'), sql);
}

const history = (database: TestDatabase) =>
  ownerQuery<{ name: string; finished: boolean; steps: number; logs: string | null }>(
    database,
    `select migration_name as name, finished_at is not null as finished, applied_steps_count as steps, logs
       from _prisma_migrations order by started_at, migration_name`,
  );

const exists = async (database: TestDatabase, table: string): Promise<boolean> =>
  (await ownerQuery(database, 'select to_regclass($1) is not null as yes', [table]))[0]?.yes;

/** Everything in a database that migrations make, one line for each thing. */
async function structure(database: TestDatabase): Promise<string[]> {
  const rows = await ownerQuery<{ line: string }>(
    database,
    `select line from (
       select format('%s %s.%s %s', c.relkind, n.nspname, c.relname, c.relacl) line
         from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname in ('public', 'app', 'bullmq')
       union all select format('column %s.%s %s %s %s', attrelid::regclass, attname, format_type(atttypid, atttypmod), attnotnull,
                               pg_get_expr(adbin, adrelid))
         from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where attnum > 0 and not attisdropped and attrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace)
       union all select format('index %s', pg_get_indexdef(indexrelid)) from pg_index i
         join pg_class c on c.oid = i.indexrelid where c.relnamespace = 'public'::regnamespace
       union all select format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) from pg_constraint
        where connamespace = 'public'::regnamespace
       union all select format('policy %s', p) from pg_policies p
       union all select format('function %s %s %s', p.oid::regprocedure, proacl, md5(prosrc)) from pg_proc p
        where pronamespace in ('public'::regnamespace, 'app'::regnamespace, 'bullmq'::regnamespace)
       union all select format('enum %s %s', enumtypid::regtype, enumlabel) from pg_enum
     ) t order by line`,
  );
  return rows.map(({ line }) => line);
}

describe('migrate', () => {
  it('applies everything to an empty database, and nothing the second time', async () => {
    const database = await empty();
    const steps: string[] = [];
    expect(await pendingMigrations(database.ownerUrl)).toEqual(all);
    expect(await migrate(database.ownerUrl, { onStep: (name) => steps.push(name) })).toEqual(all);
    expect(steps).toEqual([...all, 'tables of the job queues']);
    expect(await pendingMigrations(database.ownerUrl)).toEqual([]);

    const before = await structure(database);
    steps.length = 0;
    expect(await migrate(database.ownerUrl, { onStep: (name) => steps.push(name) })).toEqual([]);
    expect(steps).toEqual([]);
    expect(await structure(database)).toEqual(before);
    expect(await history(database)).toEqual(all.map((name) => ({ name, finished: true, steps: 1, logs: null })));
  });

  it('leads an older database to the same structure as a fresh one', async () => {
    const database = await empty();
    const [newest = ''] = all.slice(-1);
    rmSync(path.join(directory, newest), { recursive: true });
    // The catalogue of permissions needs tables that the first migrations lack.
    await migrate(database.ownerUrl, { directory }).catch(() => {});
    expect(await pendingMigrations(database.ownerUrl)).toEqual([newest]);
    expect(await migrate(database.ownerUrl)).toEqual([newest]);
    expect(await structure(database)).toEqual(await structure(await migrated()));
  });

  it('lets two processes migrate at once: one does the work, the other finds it done', async () => {
    const database = await empty();
    const results = await Promise.all([
      migrate(database.ownerUrl),
      migrate(database.ownerUrl),
      migrate(database.ownerUrl),
    ]);
    expect(results.toSorted((a, b) => b.length - a.length)).toEqual([all, [], []]);
    expect(await history(database)).toHaveLength(all.length);
  });

  it('gives up waiting for another one, and says which it is', async () => {
    const database = await migrated();
    await withClient(database.ownerUrl, async (client) => {
      await client.query(`set application_name = 'somebody else'`);
      const { rows } = await client.query('select pg_advisory_lock(72707369), pg_backend_pid() as pid');
      const waited = migrate(database.ownerUrl, { lockWaitMs: 300 });
      await expect(waited).rejects.toThrow(new RegExp(`process ${rows[0].pid} \\(somebody else`));
    });
    expect(await migrate(database.ownerUrl, { lockWaitMs: 5_000 })).toEqual([]);
  });

  it('refuses when an applied migration was edited, and names it', async () => {
    const database = await migrated();
    const file = path.join(directory, all[0] ?? '', 'migration.sql');
    writeFileSync(file, `${readFileSync(file, 'utf8')}-- one more line\n`);
    addMigration('99990101000000_more', 'CREATE TABLE more (id text PRIMARY KEY);');
    await expect(migrate(database.ownerUrl, { directory })).rejects.toThrow(`Edited after it was applied: ${all[0]}`);
    expect(await exists(database, 'more')).toBe(false);
  });

  it('accepts a database that a newer release has migrated further', async () => {
    const database = await migrated();
    addMigration('99990101000000_more', 'CREATE TABLE more (id text PRIMARY KEY);');
    expect(await migrate(database.ownerUrl, { directory })).toEqual(['99990101000000_more']);
    expect(await migrate(database.ownerUrl)).toEqual([]);
  });

  it('cannot reach a server: says where, without the password', async () => {
    const failed = migrate('postgresql://someone:secret@127.0.0.1:1/nowhere');
    await expect(failed).rejects.toThrow(/Cannot connect to PostgreSQL at 127\.0\.0\.1:1\/nowhere/);
    await expect(failed).rejects.not.toThrow(/secret/);
  });

  it('leaves a history that Prisma reads as whole', async () => {
    const database = await migrated();
    const migrationDirectories = all.map((name) => ({
      path: name,
      migrationFile: {
        path: 'migration.sql',
        content: { tag: 'ok' as const, value: readFileSync(path.join(directory, name, 'migration.sql'), 'utf8') },
      },
    }));
    const diagnosis = await withSchemaEngine(database.ownerUrl, readSchemaFiles(), (engine) =>
      engine.diagnoseMigrationHistory({
        migrationsList: {
          baseDir: directory,
          lockfile: {
            path: 'migration_lock.toml',
            content: readFileSync(path.join(directory, 'migration_lock.toml'), 'utf8'),
          },
          shadowDbInitScript: '',
          migrationDirectories,
        },
        optInToShadowDatabase: false,
        filters: { externalTables: [], externalEnums: [] },
      }),
    );
    expect(diagnosis).toEqual({
      editedMigrationNames: [],
      failedMigrationNames: [],
      hasMigrationsTable: true,
      history: null,
    });
  });
});

describe('a migration that fails', () => {
  it('is named with file, line and reason, and leaves nothing', async () => {
    const database = await migrated();
    const before = await structure(database);
    addMigration('99990101000000_good', 'CREATE TABLE good (id text PRIMARY KEY);');
    addMigration('99990101000001_bad', 'CREATE TABLE half (id text PRIMARY KEY);\n\nALTER TABLE nowhere ADD x int;\n');
    addMigration('99990101000002_later', 'CREATE TABLE later (id text PRIMARY KEY);');
    await expect(migrate(database.ownerUrl, { directory })).rejects.toThrow(
      /^Migration 99990101000001_bad failed and was rolled back[\s\S]*99990101000001_bad\/migration\.sql: relation "nowhere" does not exist \(42P01\)/,
    );
    expect(await exists(database, 'half')).toBe(false);
    expect(await exists(database, 'later')).toBe(false);
    expect((await history(database)).at(-1)?.name).toBe('99990101000000_good');

    await ownerQuery(database, `drop table good`);
    expect(await structure(database)).toEqual(before);
    writeFileSync(
      path.join(directory, '99990101000001_bad', 'migration.sql'),
      'CREATE TABLE half (id text PRIMARY KEY);',
    );
    expect(await migrate(database.ownerUrl, { directory })).toEqual(['99990101000001_bad', '99990101000002_later']);
  });

  it('shows the line of a syntax error', async () => {
    const database = await migrated();
    addMigration('99990101000000_typo', 'CREATE TABLE typo (id text PRIMARY KEY);\n\nSELEC 1;\n');
    await expect(migrate(database.ownerUrl, { directory })).rejects.toThrow(/migration\.sql:3: syntax error/);
  });

  it('may not commit by itself', async () => {
    const database = await migrated();
    addMigration('99990101000000_commits', 'CREATE TABLE one (id text);\nCOMMIT;\nCREATE TABLE two (id text);\n');
    await expect(migrate(database.ownerUrl, { directory })).rejects.toThrow(
      /migration\.sql:2\) has a COMMIT of its own/,
    );
    expect(await exists(database, 'one')).toBe(false);
  });
});

describe('a migration without a transaction', () => {
  const create = (unique: string) =>
    `-- no-transaction: the table stays writable meanwhile\nCREATE ${unique} INDEX CONCURRENTLY tenants_extra_idx ON tenants (city);\n`;

  it('can build an index while the table is in use', async () => {
    const database = await migrated();
    addMigration('99990101000000_index', create(''));
    expect(await migrate(database.ownerUrl, { directory })).toEqual(['99990101000000_index']);
    expect((await history(database)).at(-1)).toEqual({
      name: '99990101000000_index',
      finished: true,
      steps: 1,
      logs: null,
    });
  });

  it('stands in the way after it failed, until it was resolved as the message says', async () => {
    const database = await migrated();
    await ownerQuery(
      database,
      `insert into tenants (id, name, slug, email, city, updated_at)
       select 't' || n, 'T', 's' || n, 'a@b.example', 'Kota', now() from generate_series(1, 2) n`,
    );
    addMigration('99990101000000_index', create('UNIQUE'));
    addMigration('99990101000001_later', 'CREATE TABLE later (id text PRIMARY KEY);');
    await expect(migrate(database.ownerUrl, { directory })).rejects.toThrow(
      /could not create unique index[\s\S]*rolled_back_at/,
    );
    expect((await history(database)).at(-1)).toMatchObject({ finished: false, logs: expect.stringContaining('23505') });

    const message = await migrate(database.ownerUrl, { directory }).catch((error: Error) => error.message);
    expect(message).toMatch(/^Migration 99990101000000_index was begun at .* and did not finish/);
    await expect(pendingMigrations(database.ownerUrl, directory)).rejects.toThrow('did not finish');
    expect(await exists(database, 'later')).toBe(false);

    const [resolve = ''] = /UPDATE _prisma_migrations SET rolled_back_at.*;/.exec(String(message)) ?? [];
    await ownerQuery(database, 'drop index tenants_extra_idx');
    await ownerQuery(database, resolve);
    await ownerQuery(database, `update tenants set city = id`);
    expect(await migrate(database.ownerUrl, { directory })).toEqual(['99990101000000_index', '99990101000001_later']);
  });
});
