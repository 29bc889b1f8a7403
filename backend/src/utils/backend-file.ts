import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the backend, found from the sources as well as from the built `dist/`. */
function backendRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

/** A file that belongs to the backend, such as `swagger.yaml`. */
export const backendFile = (...path: string[]): string => join(backendRoot(), ...path);
