import { fork, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..');
export const ports = { api: 4990, bare: 4991 };

const children: ChildProcess[] = [];

type Environment = Record<string, string>;
const tsx = ['--import', 'tsx'];

/** Starts a server and waits until it is ready. */
async function startServer(file: string, port: number, environment: Environment, execArgv: string[]) {
  const child = fork(join(root, file), {
    execArgv,
    env: { ...process.env, ...environment, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  children.push(child);
  await new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve());
    child.once('exit', (code) => reject(new Error(`${file} ended with ${code}`)));
  });
  return child;
}

export const startApi = (environment: Environment) => startServer('backend/dist/index.js', ports.api, environment, []);
export const startBare = (environment: Environment) =>
  startServer('bench/bare-server.ts', ports.bare, environment, tsx);

/** Runs a script to its end. Its log goes nowhere: it would be part of what is measured. @returns what it sent */
export function runScript<Result>(file: string, environment: Environment): Promise<Result> {
  const child = fork(join(root, file), {
    execArgv: tsx,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  children.push(child);
  return new Promise((resolve, reject) => {
    let result: Result | undefined;
    child.on('message', (message) => (result = message as Result));
    child.once('exit', (code) =>
      code === 0 && result !== undefined ? resolve(result) : reject(new Error(`${file} ended with ${code}`)),
    );
  });
}

export function stopServers(): void {
  for (const child of children) child.kill('SIGTERM');
}

export const residentMegabytes = ({ pid }: ChildProcess): number => {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kilobytes) / 1024);
};

export async function signIn(account: { email: string; password: string }): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${ports.api}/api/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(account),
  });
  const { data } = (await response.json()) as { data: { accessToken: string } };
  return data.accessToken;
}

/** The id of the session that an access token is about. */
export const sessionOf = (token: string): string => {
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { sid: string };
  return claims.sid;
};
