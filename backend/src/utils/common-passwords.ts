import { readFileSync } from 'node:fs';
import { backendFile } from './backend-file.ts';

let list: ReadonlySet<string> | undefined;

/** Read with the first password that is set. What stands before the empty line tells where the list is from. */
function common(): ReadonlySet<string> {
  if (list) return list;
  const text = readFileSync(backendFile('src', 'data', 'common-passwords.txt'), 'utf8');
  list = new Set(
    text
      .slice(text.indexOf('\n\n') + 2)
      .split('\n')
      .filter(Boolean),
  );
  return list;
}

/** What people put behind a word to make it pass: a few digits and signs. */
const trivialEnding = /[^\p{L}]{1,6}$/u;
const repetition = /^(.{1,100}?)\1+$/su;
const SHORT_UNIT = 4;

/**
 * Whether a password is one that many people use, such a one with a trivial ending, or a repetition of one or of a few
 * characters. Upper and lower case do not matter.
 */
export function isCommonPassword(password: string): boolean {
  const plain = password.normalize('NFKC').toLowerCase();
  const bare = plain.replace(trivialEnding, '');
  if (common().has(plain) || common().has(bare)) return true;
  const unit = repetition.exec(plain)?.[1];
  return unit !== undefined && (unit.length <= SHORT_UNIT || common().has(unit));
}
