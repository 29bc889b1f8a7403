import { parseArgs } from 'node:util';
import { loadSeed } from '../backend-modules.ts';
import { withDatabase } from '../database-command.ts';
import { UsageError } from '../errors.ts';
import { printProgress, step } from '../terminal.ts';

/** Adds the demo data, or the large set of it, to the database. */
export async function seed(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { large: { type: 'boolean', default: false } } });
  await withDatabase(async ({ ownerUrl }) => {
    if (!ownerUrl) {
      throw new UsageError('The role of DATABASE_URL may not fill the tables. Set DATABASE_OWNER_URL to their owner.');
    }
    const backend = await loadSeed();
    const run = () => backend.seed(ownerUrl, { large: values.large, onProgress: printProgress });
    await step(values.large ? 'Demo data, large' : 'Demo data', run);
  });
  return 0;
}
