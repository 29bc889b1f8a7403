import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseError, type Client } from 'pg';

/** A folder below the migrations directory, in Prisma's layout: NAME/migration.sql. */
export type Migration = {
  name: string;
  file: string;
  sql: string;
  /** SHA-256 of the file, hex: what Prisma calls it too. */
  checksum: string;
};

type HistoryRow = { migration_name: string; checksum: string; finished_at: Date | null; started_at: Date };

// Exactly the table that Prisma makes, so that `prisma migrate` accepts this history and this runner accepts Prisma's.
const CREATE_HISTORY = `
  CREATE TABLE IF NOT EXISTS public._prisma_migrations (
    id VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum VARCHAR(64) NOT NULL,
    finished_at TIMESTAMPTZ,
    migration_name VARCHAR(255) NOT NULL,
    logs TEXT,
    rolled_back_at TIMESTAMPTZ,
    started_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count INTEGER NOT NULL DEFAULT 0
  )`;

/** The migrations of a directory in the order in which they are applied. */
export function readMigrations(directory: string): Migration[] {
  if (!existsSync(directory)) throw new Error(`There is no migrations directory ${directory}.`);
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .toSorted()
    .map((name) => {
      const file = path.join(directory, name, 'migration.sql');
      if (!existsSync(file))
        throw new Error(`Migration ${name} has no migration.sql. Restore ${file}, or remove its folder.`);
      const sql = readFileSync(file, 'utf8');
      return { name, file, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    });
}

/**
 * The migrations that the database has not seen yet. Throws when one of them failed half-way or was edited after it
 * had been applied. Ones that only the database knows are fine: a newer release has been there.
 */
export async function findPending(client: Client, migrations: Migration[]): Promise<Migration[]> {
  const history = await readHistory(client);
  const unfinished = history.find((row) => !row.finished_at);
  if (unfinished) {
    throw new Error(
      `Migration ${unfinished.migration_name} was begun at ${unfinished.started_at.toISOString()} and did not finish.\n` +
        howToResolve(unfinished.migration_name),
    );
  }
  const checksums = new Map(history.map((row) => [row.migration_name, row.checksum]));
  const edited = migrations.filter(({ name, checksum }) => checksums.has(name) && checksums.get(name) !== checksum);
  if (edited.length > 0) {
    const names = edited.map(({ name }) => name).join(', ');
    throw new Error(
      `Edited after it was applied: ${names}. Restore the file as it was (git log -- ${edited[0]?.file}) ` +
        'and put the change into a new migration.',
    );
  }
  return migrations.filter(({ name }) => !checksums.has(name));
}

async function readHistory(client: Client): Promise<HistoryRow[]> {
  const { rows: found } = await client.query(`SELECT to_regclass('public._prisma_migrations') IS NOT NULL AS present`);
  if (!found[0].present) return [];
  const { rows } = await client.query<HistoryRow>(
    `SELECT migration_name, checksum, finished_at, started_at FROM public._prisma_migrations WHERE rolled_back_at IS NULL`,
  );
  return rows;
}

export async function createHistory(client: Client): Promise<void> {
  const { rows } = await client.query(`SELECT to_regclass('public._prisma_migrations') IS NOT NULL AS present`);
  if (!rows[0].present) await client.query(CREATE_HISTORY);
}

/**
 * Applies one migration in one transaction. One whose first line is `-- no-transaction` consists of a single statement
 * that PostgreSQL refuses inside a transaction, such as CREATE INDEX CONCURRENTLY, and runs by itself.
 */
export async function applyMigration(client: Client, migration: Migration): Promise<void> {
  if (/^--\s*no-transaction\b/.test(migration.sql)) await applyAlone(client, migration);
  else await applyInTransaction(client, migration);
}

async function applyInTransaction(client: Client, migration: Migration): Promise<void> {
  const { name, file, sql, checksum } = migration;
  const control = /^[ \t]*(BEGIN|START TRANSACTION|COMMIT|ROLLBACK)(?: WORK| TRANSACTION)?[ \t]*;/im.exec(sql);
  if (control) {
    const line = lineAt(sql, control.index);
    throw new Error(
      `Migration ${name} (${file}:${line}) has a ${control[1]} of its own: it runs in one transaction already.`,
    );
  }
  await client.query('BEGIN');
  try {
    await client.query(sql);
    await client.query(
      `INSERT INTO public._prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count)
       VALUES ($1, $2, $3, clock_timestamp(), 1)`,
      [randomUUID(), checksum, name],
    );
    await client.query('COMMIT');
  } catch (error) {
    // A lost connection has rolled back already.
    await client.query('ROLLBACK').catch(() => {});
    throw new Error(
      `Migration ${name} failed and was rolled back: nothing of it remains.\n${describe(error, migration)}\n` +
        'Put that right and migrate again.',
      { cause: error },
    );
  }
}

async function applyAlone(client: Client, migration: Migration): Promise<void> {
  const { name, sql, checksum } = migration;
  const id = randomUUID();
  await client.query('INSERT INTO public._prisma_migrations (id, checksum, migration_name) VALUES ($1, $2, $3)', [
    id,
    checksum,
    name,
  ]);
  try {
    await client.query(sql);
  } catch (error) {
    const text = describe(error, migration);
    await client.query('UPDATE public._prisma_migrations SET logs = $2 WHERE id = $1', [id, text]).catch(() => {});
    throw new Error(`Migration ${name} failed. It ran outside a transaction.\n${text}\n${howToResolve(name)}`, {
      cause: error,
    });
  }
  await client.query(
    'UPDATE public._prisma_migrations SET finished_at = clock_timestamp(), applied_steps_count = 1 WHERE id = $1',
    [id],
  );
}

function howToResolve(name: string): string {
  const where = `WHERE migration_name = '${name}' AND finished_at IS NULL`;
  return (
    'A part of it may remain, such as an index that is marked invalid. Either undo that by hand, run\n' +
    `  UPDATE _prisma_migrations SET rolled_back_at = now() ${where};\n` +
    'and migrate again, or complete the migration by hand and run\n' +
    `  UPDATE _prisma_migrations SET finished_at = now() ${where};`
  );
}

/** What PostgreSQL said, with the place in the file. */
function describe(error: unknown, { file, sql }: Migration): string {
  if (!(error instanceof DatabaseError)) return `  ${file}: ${error instanceof Error ? error.message : String(error)}`;
  const position = Number(error.position);
  const place = position ? `${file}:${lineAt(sql, position - 1)}` : file;
  const lines = [
    `${place}: ${error.message} (${error.code})`,
    error.detail,
    error.where,
    error.hint && `Hint: ${error.hint}`,
  ];
  if (error.code === '25001')
    lines.push('Hint: give that statement a migration of its own that begins with "-- no-transaction".');
  return lines
    .filter(Boolean)
    .map((line) => `  ${line}`)
    .join('\n');
}

function lineAt(sql: string, index: number): number {
  return sql.slice(0, index).split('\n').length;
}
