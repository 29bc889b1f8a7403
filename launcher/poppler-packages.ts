import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { hasDebianTools, programOnPath, unpackedProgram, unpackPackages, type Program } from './debian-packages.ts';
import { createDataDir } from './files.ts';
import { withLock } from './lock.ts';
import { DEFAULT_DATA_DIR } from './paths.ts';

// pdftotext, which the tests read PDFs with. It belongs to the tests, not to an instance: one place, whatever DATA_DIR says.

const NAMES = ['pdftotext'];
const FAILURE_LASTS_MS = 24 * 60 * 60 * 1000;

/** Poppler's pdftotext from PATH, else the one that was unpacked; null without. */
export function findPdfToText(): Program | null {
  return programOnPath(NAMES) ?? unpackedProgram(popplerDir(DEFAULT_DATA_DIR), NAMES);
}

/** Where the unpacked packages lie. They are a program, not data: a reset keeps them. */
export function popplerDir(dataDir: string): string {
  return path.join(dataDir, 'poppler', 'program');
}

/**
 * Makes sure that pdftotext can be run: where it is not installed, Debian's packages are fetched and unpacked into the
 * default data directory, without root. After a failure it is a day before the next try.
 *
 * @returns null when it is there, else a sentence that says why not
 */
export async function provisionPdfToText(): Promise<string | null> {
  if (findPdfToText()) return null;
  if (!hasDebianTools()) return unavailable('this is not Debian or Ubuntu');
  const target = popplerDir(DEFAULT_DATA_DIR);
  const failureNote = path.join(path.dirname(target), 'unavailable');
  createDataDir(DEFAULT_DATA_DIR);
  mkdirSync(path.dirname(target), { recursive: true, mode: 0o700 });
  return withLock(`${target}.lock`, async () => {
    if (findPdfToText()) return null;
    if (isRecent(failureNote)) return unavailable('it could not be fetched today');
    try {
      await unpackPackages({ packages: ['poppler-utils'], names: NAMES, versionArgument: '-v' }, target);
      rmSync(failureNote, { force: true });
      return null;
    } catch (error) {
      writeFileSync(failureNote, `${String(error)}\n`);
      return unavailable("Debian's packages could not be fetched");
    }
  });
}

function isRecent(file: string): boolean {
  return existsSync(file) && Date.now() - statSync(file).mtimeMs < FAILURE_LASTS_MS;
}

function unavailable(reason: string): string {
  return `PDFs are read with an npm package: no pdftotext (${reason}; Debian: apt-get install poppler-utils)`;
}
