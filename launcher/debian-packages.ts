import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';

// Programs out of Debian's packages, fetched and unpacked without root and without installing anything.

const ALREADY_KNOWN_TIMEOUT_MS = 20_000;
const UPDATE_TIMEOUT_MS = 60_000;

/** A program that can be run, with what its process needs in the environment. */
export interface Program {
  file: string;
  env: NodeJS.ProcessEnv;
}

export interface ProgramSource {
  /** One of these holds it; the first that the system knows is taken. */
  packages: string[];
  /** What it may be called. */
  names: string[];
  /** Makes it say its version and end, which shows that all of its libraries are there. */
  versionArgument: string;
}

/** One of these programs, from PATH; null without. */
export function programOnPath(names: string[]): Program | null {
  for (const directory of (process.env.PATH ?? '').split(path.delimiter)) {
    const file = names.map((name) => path.join(directory, name)).find((candidate) => existsSync(candidate));
    if (file) return { file, env: process.env };
  }
  return null;
}

/** One of these programs, out of packages that were unpacked into a directory; null without. */
export function unpackedProgram(root: string, names: string[]): Program | null {
  const file = names.map((name) => path.join(root, 'usr/bin', name)).find((candidate) => existsSync(candidate));
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

export function hasDebianTools(): boolean {
  return process.platform === 'linux' && existsSync('/usr/bin/apt-get') && existsSync('/usr/bin/dpkg-deb');
}

/**
 * Fetches a program and those libraries of it that this machine lacks, and unpacks them into a directory, which takes
 * its place only once the program was seen to run. Fails where it does not, and without a network.
 */
export async function unpackPackages(source: ProgramSource, target: string): Promise<void> {
  const draft = `${target}.new`;
  rmSync(draft, { recursive: true, force: true });
  const archives = path.join(draft, 'archives');
  mkdirSync(archives, { recursive: true });
  try {
    // The system's package lists are quick when they are there and fresh; the private ones need no root.
    await download(source, archives, [], ALREADY_KNOWN_TIMEOUT_MS).catch(async () => {
      const options = privateApt(path.join(draft, 'apt'));
      await run('apt-get', [...options, 'update'], archives, UPDATE_TIMEOUT_MS);
      await download(source, archives, options, UPDATE_TIMEOUT_MS);
    });
    const root = path.join(draft, 'root');
    for (const archive of readdirSync(archives).filter((name) => name.endsWith('.deb'))) {
      await run('dpkg-deb', ['-x', archive, root], archives, ALREADY_KNOWN_TIMEOUT_MS);
    }
    const program = unpackedProgram(root, source.names);
    if (!program) throw new Error(`the packages hold no ${source.names[0]}`);
    await run(program.file, [source.versionArgument], '/', ALREADY_KNOWN_TIMEOUT_MS, program.env);
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

async function download(source: ProgramSource, directory: string, options: string[], timeoutMs: number): Promise<void> {
  const names = await missingPackages(source, directory, options);
  const limits = ['-o', 'Acquire::http::Timeout=10', '-o', 'Acquire::Retries=0', '-o', 'APT::Sandbox::User=root'];
  await run('apt-get', [...options, ...limits, 'download', ...names], directory, timeoutMs);
}

/** The package and those of its libraries that this machine lacks, as apt itself works them out. */
async function missingPackages({ packages }: ProgramSource, directory: string, options: string[]): Promise<string[]> {
  for (const name of packages) {
    const plan = ['--simulate', '--no-install-recommends', '-o', 'Debug::NoLocking=1', 'install', name];
    const result = await run('apt-get', [...options, ...plan], directory, ALREADY_KNOWN_TIMEOUT_MS).catch(() => null);
    if (result) return [...result.stdout.matchAll(/^Inst (\S+)/gm)].map((match) => match[1] ?? '');
  }
  throw new Error(`the package lists of the system know no ${packages.join(' and no ')}`);
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
