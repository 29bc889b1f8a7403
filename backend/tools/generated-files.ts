import { readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import { environmentExample } from '../src/config/environment.ts';
import { modules } from '../src/routes/index.ts';
import { toOpenApi } from '../src/routes/openapi.ts';
import { backendFile } from '../src/utils/backend-file.ts';
import { permissionTable } from './permission-table.ts';

/** Files that are committed and made from the code: what each must hold. */
export const generatedFiles = (): Record<string, string> => ({
  [backendFile('swagger.yaml')]: stringify(toOpenApi(modules), { lineWidth: 0, aliasDuplicateObjects: false }),
  [backendFile('..', '.env.example')]: environmentExample(),
  [backendFile('..', 'docs', 'permissions.md')]: permissionTable(modules),
});

/** The files whose text on disk is not what the code says. */
export const outdatedFiles = (): string[] =>
  Object.entries(generatedFiles())
    .filter(([path, text]) => readIfThere(path) !== text)
    .map(([path]) => relative(backendFile('..'), path));

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

if (process.argv[1] === import.meta.filename) {
  const { check } = parseArgs({ options: { check: { type: 'boolean' } } }).values;
  const outdated = outdatedFiles();
  if (!check) for (const [path, text] of Object.entries(generatedFiles())) writeFileSync(path, text);
  for (const path of outdated) console.log(check ? `${path} is out of date: npm run generate` : `${path} written`);
  if (check && outdated.length > 0) process.exitCode = 1;
}
