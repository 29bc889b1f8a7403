import { existsSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline/promises';
import { parseArgs } from 'node:util';
import { UsageError } from '../errors.ts';
import { stopInstance } from '../instance.ts';
import { removePostgres } from '../local-postgres.ts';
import { stopRedis } from '../local-redis.ts';
import { popplerDir } from '../poppler-packages.ts';
import { programDir } from '../redis-packages.ts';
import { secretsFile } from '../secrets.ts';
import { readSettings } from '../settings.ts';
import { print, step } from '../terminal.ts';

/** Stops what runs and deletes all local data. A database that DATABASE_URL names is left alone. */
export async function reset(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { yes: { type: 'boolean', default: false, short: 'y' } } });
  const { dataDir, databaseUrl } = readSettings();
  if (!existsSync(dataDir) || onlyHoldsPrograms(dataDir)) {
    print(`There is no data in ${dataDir}.`);
    return 0;
  }
  if (!existsSync(secretsFile(dataDir))) {
    throw new UsageError(`${dataDir} was not made by StudySpot: it has no secrets.json. Nothing was deleted.`);
  }
  if (!values.yes && !(await confirm(dataDir))) {
    print('Nothing was deleted.');
    return 1;
  }
  await step('Stop what runs', async () => {
    await stopInstance(dataDir);
    await stopRedis(dataDir);
  });
  await step(`Delete the data in ${dataDir}`, async () => {
    await removePostgres(dataDir);
    emptyDirectory(dataDir);
  });
  if (databaseUrl) print('  The database that DATABASE_URL names was left alone.');
  return 0;
}

async function confirm(dataDir: string): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new UsageError(
      `This deletes the database and everything else in ${dataDir}. To go ahead: ./studyspot reset --yes`,
    );
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(`Delete the database and everything else in ${dataDir}? (yes/no) `);
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}

/** What was unpacked stays: it is no data, and fetching it again needs a network. */
const programDirs = (dataDir: string): string[] => [programDir(dataDir), popplerDir(dataDir)];

function emptyDirectory(dataDir: string): void {
  const programs = programDirs(dataDir);
  const isKept = (entry: string) =>
    programs.some((program) => entry === program || program.startsWith(`${entry}${path.sep}`));
  for (const folder of [dataDir, ...programs.map((program) => path.dirname(program))]) {
    for (const name of existsSync(folder) ? readdirSync(folder) : []) {
      const entry = path.join(folder, name);
      if (!isKept(entry)) rmSync(entry, { recursive: true, force: true });
    }
  }
}

function onlyHoldsPrograms(dataDir: string): boolean {
  const kept = new Set(programDirs(dataDir).map((program) => path.relative(dataDir, path.dirname(program))));
  return readdirSync(dataDir).every((name) => kept.has(name));
}
