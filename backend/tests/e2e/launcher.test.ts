import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { removePostgres, startPostgres } from '../../../launcher/local-postgres.ts';
import { choosePort } from '../../../launcher/ports.ts';
import { identifyProcess, waitUntil } from '../../../launcher/processes.ts';

const LAUNCHER = path.resolve(import.meta.dirname, '../../../studyspot');
const UNSET = { DATABASE_URL: '', DATABASE_OWNER_URL: '', REDIS_URL: '' };

let dataDir: string;
let port: number;

/** A `./studyspot` that runs, and what it has printed so far. */
type Run = { child: ChildProcess; output: () => string; exitCode: Promise<number | null> };

/** Empty variables keep the developer's own `.env` out of it. */
function launch(args: string[], env: Record<string, string> = {}): Run {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(LAUNCHER, args, {
    cwd: tmpdir(),
    env: { PATH, HOME, ...UNSET, DATA_DIR: dataDir, PORT: String(port), HOST: '127.0.0.1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return { child, output: () => output, exitCode: new Promise((resolve) => child.once('close', resolve)) };
}

async function runToEnd(
  args: string[],
  env?: Record<string, string>,
): Promise<{ code: number | null; output: string }> {
  const run = launch(args, env);
  const code = await run.exitCode;
  return { code, output: run.output() };
}

async function launchUp(): Promise<Run> {
  const run = launch(['up']);
  const ready = await waitUntil(() => run.output().includes('Ctrl-C stops') || run.child.exitCode !== null, 60_000);
  if (!ready || run.child.exitCode !== null) throw new Error(`up did not get ready:\n${run.output()}`);
  return run;
}

const live = async (): Promise<number> =>
  (await fetch(`http://127.0.0.1:${port}/api/monitoring/live`, { signal: AbortSignal.timeout(5_000) })).status;

const readData = (name: string) => JSON.parse(readFileSync(path.join(dataDir, name), 'utf8'));

/** Process numbers of everything that belongs to the data directory. */
function runningProcesses(): { api: number; postgres: number; redis?: number } {
  const postmaster = readFileSync(path.join(readData('postgres.json').directory, 'postmaster.pid'), 'utf8');
  return {
    api: readData('up.json').api.pid,
    postgres: Number(postmaster.split('\n')[0]),
    redis: existsSync(path.join(dataDir, 'redis/server.json')) ? readData('redis/server.json').process.pid : undefined,
  };
}

const isAlive = (pid?: number): boolean => pid !== undefined && identifyProcess(pid) !== null;

async function queryAsOwner(sql: string): Promise<unknown[]> {
  const password = readData('secrets.json').postgresPassword;
  const url = `postgresql://postgres:${password}@127.0.0.1:${readData('postgres.json').port}/studyspot`;
  return query(url, sql);
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

beforeAll(async () => {
  dataDir = mkdtempSync(path.join(tmpdir(), 'studyspot-launcher-'));
  port = await choosePort();
});

afterAll(async () => {
  await runToEnd(['reset', '--yes']);
  rmSync(dataDir, { recursive: true, force: true });
}, 60_000);

describe('./studyspot', { timeout: 90_000 }, () => {
  it('explains its commands on one screen', async () => {
    const { code, output } = await runToEnd(['help']);
    expect(code).toBe(0);
    for (const command of ['up', 'test', 'seed', 'migrate', 'bench', 'reset'])
      expect(output).toContain(`./studyspot ${command}`);
    expect(output.split('\n').length).toBeLessThanOrEqual(24);
    expect(Math.max(...output.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  it.each([[['fly']], [['up', '--fast']], [['seed', 'everything']]])('refuses %j', async (args) => {
    const { code, output } = await runToEnd(args);
    expect(code).toBe(2);
    expect(output).toContain('./studyspot help');
  });

  it('names what is wrong in the environment', async () => {
    expect(await runToEnd(['up'], { PORT: 'http' })).toMatchObject({
      code: 2,
      output: expect.stringContaining('PORT'),
    });
    expect(await runToEnd(['up'], { HOST: '192.0.2.1' })).toMatchObject({
      code: 2,
      output: expect.stringContaining('HOST'),
    });
    expect(await runToEnd(['up'], { DATA_DIR: '/' })).toMatchObject({
      code: 2,
      output: expect.stringContaining('DATA_DIR'),
    });
    expect(await runToEnd(['migrate'], { DATABASE_URL: 'postgres' })).toMatchObject({
      code: 2,
      output: expect.stringContaining('DATABASE_URL is not a URL'),
    });
  });

  it('names the program that holds its port, and starts nothing', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    const { code, output } = await runToEnd(['up']);
    await new Promise((resolve) => server.close(resolve));
    expect(code).toBe(2);
    expect(output).toContain(`Port ${port} is in use by`);
    expect(output).toContain(String(process.pid));
    expect(existsSync(path.join(dataDir, 'postgres.json'))).toBe(false);
  });
});

describe('./studyspot up', { timeout: 90_000 }, () => {
  let first: Run;

  it('starts everything and answers', async () => {
    first = await launchUp();
    expect(await live()).toBe(200);
    expect(first.output()).toContain(`http://127.0.0.1:${port}/api/docs`);
    expect(first.output()).toContain('Demo accounts');
    expect(first.output()).toContain(path.join(dataDir, 'outbox'));
    expect(await queryAsOwner('SELECT id FROM tenants LIMIT 1')).toHaveLength(1);
  });

  it('lets the API sign in as studyspot_app alone, and keeps the secrets to their owner', async () => {
    const logins = await queryAsOwner(
      `SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name LIKE 'studyspot-%'`,
    );
    expect(logins).toEqual([{ usename: 'studyspot_app' }]);
    expect(statSync(path.join(dataDir, 'secrets.json')).mode & 0o777).toBe(0o600);
  });

  it('is found by a second one', async () => {
    const { code, output } = await runToEnd(['up']);
    expect(code).toBe(0);
    expect(output).toContain(`running already: http://127.0.0.1:${port}`);
  });

  it('goes on while other commands use its database', async () => {
    const before = runningProcesses();
    expect(await runToEnd(['migrate'])).toMatchObject({ code: 0, output: expect.stringContaining('up to date') });
    expect(runningProcesses()).toEqual(before);
    expect(await live()).toBe(200);
  });

  it('takes over what a killed one left, with its data', async () => {
    await queryAsOwner('CREATE TABLE kept AS SELECT 1 AS one');
    const before = runningProcesses();
    first.child.kill('SIGKILL');
    await first.exitCode;
    expect(await waitUntil(() => !isAlive(before.api), 20_000)).toBe(true);
    expect(isAlive(before.postgres)).toBe(true);

    first = await launchUp();
    const after = runningProcesses();
    expect([after.postgres, after.redis]).toEqual([before.postgres, before.redis]);
    expect(await live()).toBe(200);
    expect(await queryAsOwner('SELECT one FROM kept')).toEqual([{ one: 1 }]);
  });

  it('recovers when everything was killed', async () => {
    const before = runningProcesses();
    for (const pid of [first.child.pid, before.api, before.postgres, before.redis])
      if (pid) process.kill(pid, 'SIGKILL');
    await first.exitCode;
    first = await launchUp();
    expect(runningProcesses().postgres).not.toBe(before.postgres);
    expect(await live()).toBe(200);
    expect(await queryAsOwner('SELECT one FROM kept')).toEqual([{ one: 1 }]);
  });

  it('says why when the API dies, and stops the rest', async () => {
    const { api, postgres, redis } = runningProcesses();
    process.kill(api, 'SIGKILL');
    expect(await first.exitCode).toBe(1);
    expect(first.output()).toContain('SIGKILL');
    expect(first.output()).toContain('api.log');
    expect([postgres, redis].map(isAlive)).toEqual([false, false]);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('leaves no process after %s', async (signal) => {
    first = await launchUp();
    const { api, postgres, redis } = runningProcesses();
    first.child.kill(signal);
    expect(await first.exitCode).toBe(0);
    expect([api, postgres, redis].map(isAlive)).toEqual([false, false, false]);
    await expect(live()).rejects.toThrow();
  });

  it('is stopped by reset, which deletes the data after a confirmation', async () => {
    first = await launchUp();
    const { api, postgres, redis } = runningProcesses();
    const { directory } = readData('postgres.json');
    const unconfirmed = await runToEnd(['reset']);
    expect(unconfirmed).toMatchObject({ code: 2, output: expect.stringContaining('--yes') });
    expect(await live()).toBe(200);

    expect(await runToEnd(['reset', '--yes'])).toMatchObject({ code: 0 });
    expect(await first.exitCode).toBe(0);
    expect([api, postgres, redis].map(isAlive)).toEqual([false, false, false]);
    expect(existsSync(directory)).toBe(false);
    expect(existsSync(path.join(dataDir, 'secrets.json'))).toBe(false);
  });

  it('does not delete a directory that it did not make', async () => {
    const foreign = mkdtempSync(path.join(tmpdir(), 'studyspot-foreign-'));
    writeFileSync(path.join(foreign, 'thesis.txt'), 'mine');
    const { code } = await runToEnd(['reset', '--yes'], { DATA_DIR: foreign });
    expect(code).toBe(2);
    expect(existsSync(path.join(foreign, 'thesis.txt'))).toBe(true);
    rmSync(foreign, { recursive: true });
  });
});

describe('with a database server of one’s own', { timeout: 90_000 }, () => {
  let serverDir: string;
  let superuserUrl: string;
  const urlOf = (user: string, password: string, database: string) =>
    Object.assign(new URL(superuserUrl), { username: user, password, pathname: `/${database}` }).href;

  beforeAll(async () => {
    serverDir = mkdtempSync(path.join(tmpdir(), 'studyspot-server-'));
    superuserUrl = (await startPostgres({ dataDir: serverDir, fast: true })).url;
    await query(superuserUrl, `CREATE ROLE manager LOGIN CREATEROLE PASSWORD 'manager'`);
    await query(superuserUrl, `CREATE ROLE visitor LOGIN PASSWORD 'visitor'`);
    await query(superuserUrl, 'CREATE DATABASE managed OWNER manager');
  }, 60_000);

  afterAll(async () => {
    await removePostgres(serverDir);
    rmSync(serverDir, { recursive: true, force: true });
  }, 60_000);

  it('asks for the owner when the role may not migrate', async () => {
    const { code, output } = await runToEnd(['migrate'], { DATABASE_URL: urlOf('visitor', 'visitor', 'managed') });
    expect(code).toBe(2);
    expect(output).toContain('DATABASE_OWNER_URL');
  });

  it('migrates with a role that may create roles, and gives studyspot_app its own password', async () => {
    const { code, output } = await runToEnd(['migrate'], { DATABASE_URL: urlOf('manager', 'manager', 'managed') });
    expect(output).toContain('migrations applied');
    expect(code).toBe(0);
    const appUrl = urlOf('studyspot_app', readData('secrets.json').appPassword, 'managed');
    expect(await query(appUrl, 'SELECT current_user AS name')).toEqual([{ name: 'studyspot_app' }]);
    expect(existsSync(path.join(dataDir, 'postgres.json'))).toBe(false);
  });

  it('uses two given roles as they are', async () => {
    await query(superuserUrl, `ALTER ROLE studyspot_app PASSWORD 'given'`);
    const env = {
      DATABASE_OWNER_URL: urlOf('manager', 'manager', 'managed'),
      DATABASE_URL: urlOf('studyspot_app', 'given', 'managed'),
    };
    expect(await runToEnd(['migrate'], env)).toMatchObject({ code: 0, output: expect.stringContaining('up to date') });
    expect(await query(env.DATABASE_URL, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('refuses to seed with the role of the API', async () => {
    const { code, output } = await runToEnd(['seed'], { DATABASE_URL: urlOf('studyspot_app', 'given', 'managed') });
    expect(code).toBe(2);
    expect(output).toContain('DATABASE_OWNER_URL');
  });
});
