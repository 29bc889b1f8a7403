import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createDataDir } from './files.ts';
import { withLock } from './lock.ts';
import { DEFAULT_DATA_DIR } from './paths.ts';

const SERVERS = ['redis-server', 'valkey-server'];
const ALREADY_KNOWN_TIMEOUT_MS = 20_000;
const UPDATE_TIMEOUT_MS = 60_000;

/** A Redis server that can be run, with what its process needs in the environment. */
export interface RedisProgram {
  file: string;
  env: NodeJS.ProcessEnv;
}

/** Redis or Valkey from PATH, else the one unpacked into this data directory or into the default one; null without. */
export function findRedis(dataDir: string): RedisProgram | null {
  for (const directory of (process.env.PATH ?? '').split(path.delimiter)) {
    const file = SERVERS.map((name) => path.join(directory, name)).find((candidate) => existsSync(candidate));
    if (file) return { file, env: process.env };
  }
  return unpackedRedis(programDir(dataDir)) ?? unpackedRedis(programDir(DEFAULT_DATA_DIR));
}

/** Where the unpacked packages lie. They are a program, not data: a reset keeps them. */
export function programDir(dataDir: string): string {
  return path.join(dataDir, 'redis', 'program');
}

function failureNoteOf(dataDir: string): string {
  return path.join(path.resolve(dataDir), 'redis', 'unavailable');
}

function unpackedRedis(root: string): RedisProgram | null {
  const file = SERVERS.map((name) => path.join(root, 'usr/bin', name)).find((candidate) => existsSync(candidate));
  if (!file) return null;
  const libraries = ['usr/lib', 'lib'].flatMap((folder) => libraryFolders(path.join(root, folder)));
  return { file, env: { ...process.env, LD_LIBRARY_PATH: libraries.join(':') } };
}

/** A library folder and the one of the machine's architecture in it, such as x86_64-linux-gnu. */
function libraryFolders(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const ofArchitecture = readdirSync(folder).filter((name) => name.includes('-linux-'));
  return [folder, ...ofArchitecture.map((name) => path.join(folder, name))];
}

/**
 * Makes sure that a Redis can be started: where none is installed, Debian's packages are fetched and unpacked into
 * the data directory, without root. A failure is remembered, so that a machine without a network does not try again
 * at every start, and queued jobs do not change their place unasked; `retry` tries all the same.
 *
 * @returns null when there is a Redis, else a sentence that says why not
 */
export async function provisionRedis(dataDir: string, options: { retry?: boolean } = {}): Promise<string | null> {
  const target = programDir(path.resolve(dataDir));
  const failureNote = failureNoteOf(dataDir);
  if (findRedis(dataDir)) return null;
  createDataDir(dataDir);
  mkdirSync(path.dirname(target), { recursive: true, mode: 0o700 });
  return withLock(`${target}.lock`, async () => {
    if (findRedis(dataDir)) return null;
    const failedBefore = existsSync(failureNote) || existsSync(failureNoteOf(DEFAULT_DATA_DIR));
    if (failedBefore && !options.retry) return unavailable('it could not be fetched when this was installed');
    try {
      if (!hasDebianTools()) return unavailable('this is not Debian or Ubuntu');
      await unpackPackages(target);
      rmSync(failureNote, { force: true });
      return null;
    } catch (error) {
      writeFileSync(failureNote, `${String(error)}\n`);
      return unavailable("Debian's packages could not be fetched");
    }
  });
}

function hasDebianTools(): boolean {
  return process.platform === 'linux' && existsSync('/usr/bin/apt-get') && existsSync('/usr/bin/dpkg-deb');
}

function unavailable(reason: string): string {
  return `no Redis (${reason}); install redis-server, or name one in REDIS_URL, for more speed`;
}

async function unpackPackages(target: string): Promise<void> {
  const draft = `${target}.new`;
  rmSync(draft, { recursive: true, force: true });
  const archives = path.join(draft, 'archives');
  mkdirSync(archives, { recursive: true });
  try {
    // The system's package lists are quick when they are there and fresh; the private ones need no root.
    await download(archives, [], ALREADY_KNOWN_TIMEOUT_MS).catch(async () => {
      const options = privateApt(path.join(draft, 'apt'));
      await run('apt-get', [...options, 'update'], archives, UPDATE_TIMEOUT_MS);
      await download(archives, options, UPDATE_TIMEOUT_MS);
    });
    const root = path.join(draft, 'root');
    for (const archive of readdirSync(archives).filter((name) => name.endsWith('.deb'))) {
      await run('dpkg-deb', ['-x', archive, root], archives, ALREADY_KNOWN_TIMEOUT_MS);
    }
    const program = unpackedRedis(root);
    if (!program) throw new Error('the packages hold no redis-server');
    await run(program.file, ['--version'], '/', ALREADY_KNOWN_TIMEOUT_MS, program.env);
    rmSync(target, { recursive: true, force: true });
    renameSync(root, target);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Options that keep apt's state in a directory of our own, so that it needs no rights and disturbs nobody. */
function privateApt(directory: string): string[] {
  for (const folder of ['lists/partial', 'cache/archives/partial']) {
    mkdirSync(path.join(directory, folder), { recursive: true });
  }
  return [
    `Dir::State::lists=${directory}/lists`,
    `Dir::Cache=${directory}/cache`,
    'APT::Sandbox::User=root',
    'Acquire::Languages=none',
    'Acquire::http::Timeout=10',
    'Acquire::https::Timeout=10',
    'Acquire::Retries=0',
    'Debug::NoLocking=1',
  ].flatMap((option) => ['-o', option]);
}

/** Fetches the server and those libraries of it that this machine lacks, as apt itself works them out. */
async function download(directory: string, options: string[], timeoutMs: number): Promise<void> {
  const names = await missingPackages(directory, options);
  const limits = ['-o', 'Acquire::http::Timeout=10', '-o', 'Acquire::Retries=0', '-o', 'APT::Sandbox::User=root'];
  await run('apt-get', [...options, ...limits, 'download', ...names], directory, timeoutMs);
}

async function missingPackages(directory: string, options: string[]): Promise<string[]> {
  for (const server of SERVERS) {
    const plan = ['--simulate', '--no-install-recommends', '-o', 'Debug::NoLocking=1', 'install', server];
    const result = await run('apt-get', [...options, ...plan], directory, ALREADY_KNOWN_TIMEOUT_MS).catch(() => null);
    if (result) return [...result.stdout.matchAll(/^Inst (\S+)/gm)].map((match) => match[1] ?? '');
  }
  throw new Error(`the package lists of the system know no ${SERVERS.join(' and no ')}`);
}

/** Runs a program to its end. It fails when the program does, when it is missing, and after the time-out. */
function run(
  command: string,
  args: string[],
  cwd: string,
  timeoutMs: number,
  env: NodeJS.ProcessEnv = process.env,
): Promise<{ stdout: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.once('error', reject);
    child.once('close', (code, signal) =>
      code === 0 ? resolve({ stdout }) : reject(new Error(`${command} ended with ${code ?? signal}: ${stderr.trim()}`)),
    );
  });
}
