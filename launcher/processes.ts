import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process that can be told from a later one with the same number. */
export interface ProcessIdentity {
  pid: number;
  /** Opaque: when it started, as the system says it. */
  started: string;
}

/** The identity of a running process; null when there is none, or only one that waits to be buried. */
export function identifyProcess(pid: number): ProcessIdentity | null {
  if (existsSync('/proc/self/stat')) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // The second field is the name in parentheses, which may hold spaces and parentheses itself.
      const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const started = fields[18];
      return state === 'Z' || state === 'X' || !started ? null : { pid, started };
    } catch {
      return null;
    }
  }
  const ps = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', timeout: 5_000 });
  const started = ps.stdout?.trim();
  return started ? { pid, started } : null;
}

export function isRunning(identity: ProcessIdentity | null | undefined): identity is ProcessIdentity {
  return identity != null && identifyProcess(identity.pid)?.started === identity.started;
}

/** The command line of a process, empty when it cannot be read. */
export function commandLine(pid: number): string {
  if (existsSync('/proc/self/cmdline')) {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    } catch {
      return '';
    }
  }
  return spawnSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8', timeout: 5_000 }).stdout?.trim() ?? '';
}

/** The processes whose working directory is the given one, as far as Linux tells; none elsewhere. */
export function processesWorkingIn(directory: string): number[] {
  const real = realpathSync(directory);
  return processIds().filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === real;
    } catch {
      return false;
    }
  });
}

/** All processes, on Linux; none elsewhere. */
export function processIds(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Boolean);
  } catch {
    return [];
  }
}

/** Waits for a condition; false when it did not come true within the time. */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  timeoutMs: number,
  intervalMs = 20,
): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    if (await condition()) return true;
    if (Date.now() > deadline) return false;
    await sleep(intervalMs);
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Sends the signals one after the other, each with its patience, until the process is gone; false when it stays. */
export async function stopProcess(
  identity: ProcessIdentity,
  steps: { name: NodeJS.Signals; patienceMs: number }[],
): Promise<boolean> {
  for (const { name, patienceMs } of steps) {
    if (!isRunning(identity)) return true;
    signal(identity.pid, name);
    if (await waitUntil(() => !isRunning(identity), patienceMs)) return true;
  }
  return !isRunning(identity);
}
