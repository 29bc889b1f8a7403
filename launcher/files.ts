import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const MAX_LOG_BYTES = 50 * 1024 * 1024;

/** The parsed content of a JSON file; undefined when it is missing or not JSON. */
export function readJson<T>(file: string): T | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T;
  } catch {
    return undefined;
  }
}

/** Writes a JSON file that only its owner can read. A crash leaves the old content or the new one, never half of it. */
export function writeJson(file: string, value: unknown): void {
  const draft = `${file}.${process.pid}.tmp`;
  writeFileSync(draft, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(draft, file);
}

/**
 * Creates the data directory. Other users cannot list it; as root they may pass through it, since PostgreSQL refuses
 * to run as root and reaches its files below as another user.
 */
export function createDataDir(dataDir: string): void {
  mkdirSync(dataDir, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
}

/** Opens a log for appending and gives its descriptor; one of more than 50 MB is set aside first as `<file>.1`. */
export function openLog(file: string): number {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  if (existsSync(file) && statSync(file).size > MAX_LOG_BYTES) renameSync(file, `${file}.1`);
  return openSync(file, 'a', 0o600);
}

/** Runs a function with a log's descriptor and closes it, for children that inherit it. */
export function withLog<T>(file: string, run: (descriptor: number) => T): T {
  const descriptor = openLog(file);
  try {
    return run(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** The last lines that were written to a log from a byte position on. */
export function logTail(file: string, lines = 15, from = 0): string {
  if (!existsSync(file)) return '';
  const content = readFileSync(file);
  // Shorter than it was: it has been set aside, and this is a new one.
  const recent = content.length < from ? content : content.subarray(from);
  return recent.toString('utf8').trimEnd().split('\n').slice(-lines).join('\n');
}

export function fileSize(file: string): number {
  return existsSync(file) ? statSync(file).size : 0;
}
