import path from 'node:path';
import { migrate } from '../migrate.ts';
import { readSchemaFiles, sqlToSchema } from './schema-engine.ts';
import { withScratchDatabase } from './scratch-database.ts';

/**
 * The SQL that a migrated database lacks to equal the Prisma schema, empty when they agree. What Prisma cannot express
 * (checks, functions, policies, indexes on expressions, NULLS NOT DISTINCT) is no drift.
 */
export function schemaDrift(databaseUrl: string): Promise<string> {
  return sqlToSchema(databaseUrl, readSchemaFiles());
}

async function main(): Promise<void> {
  const missing = await withScratchDatabase(async (url) => {
    await migrate(url);
    return schemaDrift(url);
  });
  if (!missing) return console.log('The migrations lead to the Prisma schema.');
  console.error(`${missing}\n\nThe migrations lack this. Write one with: npm run migration:new -w backend -- NAME`);
  process.exitCode = 1;
}

if (process.argv[1] && path.resolve(process.argv[1]) === import.meta.filename) await main();
