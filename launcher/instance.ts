import { rmSync } from 'node:fs';
import path from 'node:path';
import { createDataDir, readJson, writeJson } from './files.ts';
import { lockHolder, tryLock, unlock, type LockHolder } from './lock.ts';
import { isRunning, stopProcess, waitUntil, type ProcessIdentity } from './processes.ts';

const START_TIMEOUT_MS = 90_000;

/** What an `up` tells about itself to the next one. */
interface InstanceRecord {
  /** The API's process, which may outlive a killed launcher for a moment. */
  api?: ProcessIdentity | null;
  /** Set once it answers. */
  url?: string;
}

/** Held by the `up` of a data directory for as long as it lives. */
export function upLock(dataDir: string): string {
  return path.join(dataDir, 'up.lock');
}

function recordFile(dataDir: string): string {
  return path.join(dataDir, 'up.json');
}

export function writeInstance(dataDir: string, record: InstanceRecord): void {
  writeJson(recordFile(dataDir), record);
}

/**
 * Makes this process the one `up` of a data directory, or finds the one there is and waits until it answers. What is
 * left of a killed one is taken over.
 *
 * @returns null when it is this process, else the other's address and process number
 */
export async function claimInstance(dataDir: string): Promise<{ url: string; pid: number } | null> {
  createDataDir(dataDir);
  let holder: LockHolder | null = null;
  let url: string | undefined;
  const settled = await waitUntil(
    () => {
      holder = tryLock(upLock(dataDir));
      url = holder ? readJson<InstanceRecord>(recordFile(dataDir))?.url : undefined;
      return !holder || url !== undefined;
    },
    START_TIMEOUT_MS,
    100,
  );
  const pid = (holder as LockHolder | null)?.pid;
  if (pid !== undefined && url !== undefined) return { url, pid };
  if (!settled) throw new Error(`Another ./studyspot up (process ${pid}) is not getting ready. Stop it: kill ${pid}`);
  await endOrphan(dataDir);
  return null;
}

/** The API of a killed launcher ends by itself when it notices; it holds the port until then. */
async function endOrphan(dataDir: string): Promise<void> {
  const api = readJson<InstanceRecord>(recordFile(dataDir))?.api;
  rmSync(recordFile(dataDir), { force: true });
  if (!isRunning(api)) return;
  await stopProcess(api, [
    { name: 'SIGTERM', patienceMs: 15_000 },
    { name: 'SIGKILL', patienceMs: 5_000 },
  ]);
}

export function releaseInstance(dataDir: string): void {
  rmSync(recordFile(dataDir), { force: true });
  unlock(upLock(dataDir));
}

/** Stops the `up` of a data directory from outside, if there is one, and the API of one that was killed. */
export async function stopInstance(dataDir: string): Promise<void> {
  const holder = lockHolder(upLock(dataDir));
  if (holder) {
    const stopped = await stopProcess(holder, [
      { name: 'SIGTERM', patienceMs: 60_000 },
      { name: 'SIGKILL', patienceMs: 5_000 },
    ]);
    if (!stopped)
      throw new Error(`./studyspot up (process ${holder.pid}) does not stop. Stop it: kill -9 ${holder.pid}`);
  }
  await endOrphan(dataDir);
}
