import { parseArgs } from 'node:util';
import { withDatabase } from '../database-command.ts';

/** Brings the database to the newest schema. */
export async function migrate(args: string[]): Promise<number> {
  parseArgs({ args, options: {} });
  await withDatabase(async () => {});
  return 0;
}
