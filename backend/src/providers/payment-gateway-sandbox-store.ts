import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

// What the sandbox knows, one JSON file for each thing. Files are read and written without waiting: each takes
// microseconds, and what holds a lock then never lets go of the thread in between.

const kinds = [
  'customers',
  'tokens',
  'orders',
  'payments',
  'refunds',
  'links',
  'tallies',
  'webhooks',
  'locks',
] as const;
export type SandboxKind = Exclude<(typeof kinds)[number], 'locks'>;

/** By then whoever held a lock has died: nobody holds one for longer than it takes to write a few files. */
const LOCK_LEFT_BEHIND_MS = 5_000;

export type SandboxStore = {
  read<Thing>(kind: SandboxKind, id: string): Thing | undefined;
  write(kind: SandboxKind, id: string, thing: unknown): void;
  remove(kind: SandboxKind, id: string): void;
  /** Oldest first, where the ids begin with a time. */
  ids(kind: SandboxKind): string[];
  /** Runs the work while no other process and no other call does anything under the same name. */
  locked<Result>(name: string, work: () => Result): Promise<Result>;
};

export function sandboxStore(directory: string): SandboxStore {
  for (const kind of kinds) mkdirSync(path.join(directory, kind), { recursive: true, mode: 0o700 });
  const ours = randomBytes(4).toString('hex');
  let drafts = 0;
  const fileOf = (kind: SandboxKind, id: string): string => {
    if (!/^[\w-]{1,100}$/.test(id)) throw new Error(`Not an id of the sandbox: ${id.slice(0, 100)}`);
    return path.join(directory, kind, `${id}.json`);
  };
  return {
    read: (kind, id) => {
      const content = unlessGone(() => readFileSync(fileOf(kind, id), 'utf8'));
      return content === undefined ? undefined : JSON.parse(content);
    },
    write(kind, id, thing) {
      const file = fileOf(kind, id);
      // Nobody sees half a file. It need not survive a power cut, so that nothing waits for the disk.
      const draft = `${file}.${ours}${(drafts += 1)}.tmp`;
      writeFileSync(draft, JSON.stringify(thing), { mode: 0o600, flag: 'wx' });
      renameSync(draft, file);
    },
    remove: (kind, id) => rmSync(fileOf(kind, id), { force: true }),
    ids: (kind) =>
      readdirSync(path.join(directory, kind))
        .filter((name) => name.endsWith('.json'))
        .map((name) => name.slice(0, -'.json'.length))
        .toSorted(),
    async locked(name, work) {
      const lock = path.join(directory, 'locks', shortHash(name));
      while (!isOurs(lock)) await sleep(1 + Math.random() * 4);
      try {
        return work();
      } finally {
        rmSync(lock, { force: true });
      }
    },
  };
}

/** The same text gives the same 14 letters and digits, which is how ids end. */
export const shortHash = (text: string): string =>
  createHash('sha256').update(text).digest('base64').replace(/[+/=]/g, '').slice(0, 14);

/** Takes a lock, unless somebody has it who is still alive. */
function isOurs(lock: string): boolean {
  try {
    closeSync(openSync(lock, 'wx', 0o600));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const age = Date.now() - (unlessGone(() => statSync(lock).mtimeMs) ?? Date.now());
  // Renamed first, so that of two who find it only one removes it.
  if (age > LOCK_LEFT_BEHIND_MS) {
    const left = `${lock}.${randomBytes(4).toString('hex')}`;
    unlessGone(() => renameSync(lock, left));
    rmSync(left, { force: true });
  }
  return false;
}

function unlessGone<Result>(work: () => Result): Result | undefined {
  try {
    return work();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return undefined;
  }
}
