import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { migrate, migrationsDirectory } from '../migrate.ts';
import { readSchemaFiles, sqlToSchema } from './schema-engine.ts';
import { withScratchDatabase } from './scratch-database.ts';

const USAGE = `Usage: npm run migration:new -w backend -- NAME [--empty]

Writes prisma/migrations/TIME_NAME/migration.sql with the SQL that leads from the migrations so far to the files in
prisma/schema. NAME is in snake_case and says what changes, such as add_invoices. With --empty the file is yours to fill.`;

async function main(args: string[]): Promise<void> {
  const names = args.filter((arg) => arg !== '--empty');
  const name = names[0];
  if (names.length !== 1 || !name || !/^[a-z][a-z0-9_]*$/.test(name)) throw new Error(USAGE);
  const generated = args.includes('--empty') ? '' : await generateSql();
  if (!args.includes('--empty') && !generated) {
    throw new Error(
      'The migrations already lead to prisma/schema. Change the schema first, or pass --empty to write SQL by hand.',
    );
  }
  const directory = path.join(migrationsDirectory(), `${timestamp(new Date())}_${name}`);
  mkdirSync(directory);
  const file = path.join(directory, 'migration.sql');
  writeFileSync(file, completeSql(generated));
  console.log(`Wrote ${path.relative(process.cwd(), file)}. Read it, and say in a comment what it is for.`);
}

function generateSql(): Promise<string> {
  return withScratchDatabase(async (url) => {
    await migrate(url);
    return sqlToSchema(url, readSchemaFiles());
  });
}

/** The generated SQL as our runner wants it: without a transaction of its own, and with row security for new tables. */
export function completeSql(generated: string): string {
  const sql = generated.replace(/^(BEGIN|COMMIT);\n?/gm, '');
  return [sql, rowSecurityOf(sql)].filter(Boolean).join('\n\n') + '\n';
}

function rowSecurityOf(sql: string): string {
  const tables = [...sql.matchAll(/^CREATE TABLE "(\w+)" \(\n([\s\S]*?)^\);/gm)];
  if (tables.length === 0) return '';
  const calls = tables.map(([, table, columns = '']) =>
    /^\s*"tenant_id"/m.test(columns) ? `SELECT app.protect_table('${table}');` : `SELECT app.share_table('${table}');`,
  );
  return [
    '-- Row-level security and privileges. Every new table needs one of these, else nobody can use it:',
    "--   app.protect_table('t')                           rows of tenants: read and changed within their own tenant",
    "--   app.protect_table('t', append_only => true)      … inserted and read, never changed or removed",
    "--   app.protect_table('t', auth_access => 'SELECT')  … and this much for sign-in, before anybody is known",
    "--   app.share_table('t')                             no tenant: everybody reads, portal admins change",
    ...calls,
  ].join('\n');
}

/** Such as 20270131093000, in UTC. */
function timestamp(now: Date): string {
  return now.toISOString().replace(/\D/g, '').slice(0, 14);
}

if (process.argv[1] && path.resolve(process.argv[1]) === import.meta.filename) {
  main(process.argv.slice(2)).catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
