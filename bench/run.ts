import { fork, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openBenchDatabase } from './database.ts';
import { loadProgram, measure, type Measured } from './load.ts';

const options = parseArgs({
  options: {
    seconds: { type: 'string', default: '6' },
    rounds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '16' },
  },
}).values;
const [seconds, rounds, connections] = [options.seconds, options.rounds, options.connections].map(Number) as [
  number,
  number,
  number,
];

const root = join(import.meta.dirname, '..');
const ports = { api: 4990, bare: 4991 };
const children: ChildProcess[] = [];

async function startServer(
  file: string,
  port: number,
  environment: Record<string, string>,
  execArgv: string[],
): Promise<ChildProcess> {
  const child = fork(file, {
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

const residentMegabytes = ({ pid }: ChildProcess): number => {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kilobytes) / 1024);
};

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

type Side = 'api' | 'bare';
type Row = Record<Side, Measured[]>;

/** Both sides in turn, round by round, so that what else the machine does meets both alike. */
async function compare(path: string, token: string): Promise<Row> {
  const row: Row = { api: [], bare: [] };
  for (const side of ['bare', 'api'] as const) await run(side, 2);
  for (let round = 0; round < rounds; round += 1) {
    for (const side of ['bare', 'api'] as const) row[side].push(await run(side, seconds));
  }
  return row;

  async function run(side: Side, duration: number): Promise<Measured> {
    const url = `http://127.0.0.1:${ports[side]}${path}`;
    const measured = await measure({ url, connections, seconds: duration, ...(side === 'api' && { token }) });
    if (measured.failures > 0 || measured.requestsPerSecond === 0)
      throw new Error(`${side} failed under load: ${JSON.stringify(measured)}`);
    return measured;
  }
}

async function signIn(account: { email: string; password: string }): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${ports.api}/api/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(account),
  });
  const { data } = (await response.json()) as { data: { accessToken: string } };
  return data.accessToken;
}

function print(name: string, row: Row, memory: Record<Side, number>): void {
  const of = (side: Side, key: keyof Measured) => median(row[side].map((measured) => measured[key]));
  const ratio = median(
    row.api.map((measured, round) => measured.requestsPerSecond / (row.bare[round]?.requestsPerSecond ?? 1)),
  );
  console.log(`\n${name}`);
  console.log('            req/s    p50 ms    p99 ms   RSS MiB');
  for (const side of ['bare', 'api'] as const) {
    const cells = [
      of(side, 'requestsPerSecond').toFixed(0),
      of(side, 'p50').toFixed(2),
      of(side, 'p99').toFixed(2),
      String(memory[side]),
    ];
    console.log(`  ${side.padEnd(5)}${cells.map((cell) => cell.padStart(10)).join('')}`);
  }
  console.log(`  ratio api / bare: ${ratio.toFixed(2)} (median of ${rounds} rounds)`);
}

async function main(): Promise<void> {
  const database = await openBenchDatabase();
  try {
    const environment = {
      ...database.environment,
      NODE_ENV: 'development',
      ROLE: 'api',
      HOST: '127.0.0.1',
      RATE_LIMIT_USER_PER_MINUTE: '10000000',
    };
    const api = await startServer(join(root, 'backend/dist/index.js'), ports.api, environment, []);
    const bare = await startServer(join(root, 'bench/bare-server.ts'), ports.bare, environment, ['--import', 'tsx']);
    await sleep(500);
    const token = await signIn(database.account);
    console.log(
      `${loadProgram}, ${connections} connections, ${seconds} s a run, ${database.users} users in ${database.tenants} tenants`,
    );
    const cases = {
      'GET /api/tenants/:id': `/api/tenants/${database.tenantId}`,
      'GET /api/tenants/:id/users?limit=20': `/api/tenants/${database.tenantId}/users?limit=20`,
    };
    for (const [name, path] of Object.entries(cases)) {
      const row = await compare(path, token);
      print(name, row, { api: residentMegabytes(api), bare: residentMegabytes(bare) });
    }
  } finally {
    for (const child of children) child.kill('SIGTERM');
    await database.close();
  }
}

await main();
