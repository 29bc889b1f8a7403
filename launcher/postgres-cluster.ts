import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { readJson, writeJson } from './files.ts';
import { SYSTEM_DIR, type ServerUser } from './postgres-binaries.ts';

const MEMORY_DISK = '/dev/shm';
const MEMORY_DISK_NEEDED_BYTES = 1024 ** 3;

/** What the data directory remembers of its PostgreSQL: where the cluster lies and the port of the last start. */
export interface ClusterRecord {
  directory: string;
  port?: number;
}

function recordFile(dataDir: string): string {
  return path.join(dataDir, 'postgres.json');
}

export function readClusterRecord(dataDir: string): ClusterRecord | undefined {
  return readJson<ClusterRecord>(recordFile(dataDir));
}

export function writeClusterRecord(dataDir: string, record: ClusterRecord): void {
  writeJson(recordFile(dataDir), record);
}

export interface ClusterOptions {
  dataDir: string;
  binaries: string;
  user: ServerUser;
  password: string;
  fast: boolean;
}

/** The directory of the cluster of a data directory; the cluster is made on first use. */
export function ensureCluster(options: ClusterOptions): string {
  const { dataDir, binaries, fast } = options;
  const recorded = readClusterRecord(dataDir);
  if (recorded && existsSync(path.join(recorded.directory, 'PG_VERSION'))) {
    checkVersion(recorded.directory, binaries);
    return recorded.directory;
  }
  if (recorded && !fast) {
    throw new Error(
      `The database in ${recorded.directory} is gone, though ${recordFile(dataDir)} names it. ` +
        'Restore it, or run "./studyspot reset" to start anew.',
    );
  }
  const directory = chooseDirectory(options);
  initialize(directory, options);
  writeClusterRecord(dataDir, { directory });
  return directory;
}

function checkVersion(directory: string, binaries: string): void {
  const made = readFileSync(path.join(directory, 'PG_VERSION'), 'utf8').trim();
  const { stdout } = spawnSync(path.join(binaries, 'postgres'), ['--version'], { encoding: 'utf8', timeout: 10_000 });
  const runs = /\d+/.exec(stdout ?? '')?.[0];
  if (runs && runs !== made) {
    throw new Error(
      `The database in ${directory} was made by PostgreSQL ${made}, and this version of StudySpot brings ${runs}. ` +
        'Move its data with pg_dump of the older version, or run "./studyspot reset" to start anew.',
    );
  }
}

/** Under the data directory when the server's user can get there; in memory for tests; else in the system's place. */
function chooseDirectory({ dataDir, user, fast }: ClusterOptions): string {
  if (fast && hasMemoryDisk())
    return path.join(openParent(mkdtempSync(path.join(MEMORY_DISK, 'studyspot-'))), 'postgres');
  if (!user || canReach(dataDir, user)) return path.join(dataDir, 'postgres');
  const parent = path.join(SYSTEM_DIR, createHash('sha256').update(path.resolve(dataDir)).digest('hex').slice(0, 16));
  mkdirSync(parent, { recursive: true, mode: 0o755 });
  return path.join(openParent(parent), 'postgres');
}

/** Lets the server's user pass through a directory; what lies in it has permissions of its own. */
function openParent(directory: string): string {
  if (process.getuid?.() === 0) chmodSync(directory, 0o711);
  return directory;
}

function hasMemoryDisk(): boolean {
  try {
    accessSync(MEMORY_DISK, constants.W_OK);
    const { bavail, bsize } = statfsSync(MEMORY_DISK);
    return bavail * bsize > MEMORY_DISK_NEEDED_BYTES;
  } catch {
    return false;
  }
}

function canReach(directory: string, user: { uid: number; gid: number }): boolean {
  const run = spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', directory], { ...user, cwd: '/', timeout: 10_000 });
  if (run.error) {
    throw new Error(
      `PostgreSQL does not run as root, and root cannot become another user here (${run.error.message}). ` +
        'Run ./studyspot as a normal user, or name a PostgreSQL server of your own in DATABASE_URL.',
    );
  }
  return run.status === 0;
}

/** Makes the cluster beside its place and moves it there, so that one that is there is complete. */
function initialize(directory: string, { binaries, user, password, fast }: ClusterOptions): void {
  const draft = `${directory}.new`;
  const passwordFile = `${directory}.password`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { mode: 0o700 });
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  if (user) for (const entry of [draft, passwordFile]) chownSync(entry, user.uid, user.gid);
  // C.UTF-8 of the C library is unknown to macOS; sorting and letter case come from the built-in one anyway.
  const libraryLocale = process.platform === 'darwin' ? 'en_US.UTF-8' : 'C.UTF-8';
  const run = spawnSync(
    path.join(binaries, 'initdb'),
    [
      `--pgdata=${draft}`,
      '--username=postgres',
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      `--locale=${libraryLocale}`,
      ...(fast ? ['--no-sync'] : []),
    ],
    { ...user, cwd: '/', encoding: 'utf8', timeout: 120_000 },
  );
  rmSync(passwordFile, { force: true });
  if (run.status !== 0) {
    rmSync(draft, { recursive: true, force: true });
    throw new Error(
      `PostgreSQL could not make its database in ${directory}:\n${run.error?.message ?? run.stdout + run.stderr}`,
    );
  }
  renameSync(draft, directory);
}

/** Deletes the cluster of a data directory, wherever it lies. Its server must not run. */
export function deleteCluster(dataDir: string): void {
  const recorded = readClusterRecord(dataDir);
  if (!recorded || path.basename(recorded.directory) !== 'postgres') return;
  const parent = path.dirname(recorded.directory);
  const parentIsOurs = parent.startsWith(`${SYSTEM_DIR}/`) || parent.startsWith(`${MEMORY_DISK}/studyspot-`);
  rmSync(parentIsOurs ? parent : recorded.directory, { recursive: true, force: true });
  rmSync(recordFile(dataDir), { force: true });
}
