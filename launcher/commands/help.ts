import { readFileSync } from 'node:fs';
import path from 'node:path';

export function helpText(): string {
  return readFileSync(path.join(import.meta.dirname, '..', 'help.txt'), 'utf8').trimEnd();
}
