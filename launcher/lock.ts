import { randomBytes } from 'node:crypto';
import { linkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { readJson } from './files.ts';
import { identifyProcess, isRunning, waitUntil, type ProcessIdentity } from './processes.ts';

/** Who holds a lock: the process, and what it wants the others to know. */
export type LockHolder = ProcessIdentity & { note?: string };

function currentProcess(): ProcessIdentity {
  return identifyProcess(process.pid) ?? { pid: process.pid, started: '' };
}

/** The live holder of a lock, or null. A lock whose process is gone counts as free. */
export function lockHolder(file: string): LockHolder | null {
  const holder = readJson<LockHolder>(file);
  return isRunning(holder) ? holder : null;
}

/** Takes the lock if it is free, or left behind by a process that is gone; null means that this process has it now. */
export function tryLock(file: string, note?: string): LockHolder | null {
  const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  writeFileSync(draft, JSON.stringify({ ...currentProcess(), note }), { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < 20; attempt++) {
      try {
        linkSync(draft, file);
        return null;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const holder = readJson<LockHolder>(file);
      if (isRunning(holder)) return holder;
      removeStale(file, holder);
    }
    throw new Error(`Cannot take the lock ${file}. If no other ./studyspot is running, delete that file.`);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Two processes may find the same dead lock: the slower one must not remove the lock that the faster one just took. */
function removeStale(file: string, stale: LockHolder | undefined): void {
  const aside = `${file}.${process.pid}.stale`;
  try {
    renameSync(file, aside);
    const taken = readJson<LockHolder>(aside);
    if (taken?.pid !== stale?.pid && isRunning(taken)) linkSync(aside, file);
  } catch (error) {
    if (!['ENOENT', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

export function unlock(file: string): void {
  if (readJson<LockHolder>(file)?.pid === process.pid) rmSync(file, { force: true });
}

/** Runs a function while no other process runs one under the same lock. Not reentrant. Fails after the time-out. */
export async function withLock<T>(file: string, run: () => Promise<T>, timeoutMs = 120_000): Promise<T> {
  let holder: LockHolder | null = null;
  const taken = await waitUntil(() => (holder = tryLock(file)) === null, timeoutMs, 50);
  if (!taken) {
    const pid = (holder as LockHolder | null)?.pid;
    throw new Error(`Process ${pid} has held ${file} for too long. Stop it (kill ${pid}) and try again.`);
  }
  try {
    return await run();
  } finally {
    unlock(file);
  }
}
