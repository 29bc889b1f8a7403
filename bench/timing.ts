import { hash } from '@node-rs/argon2';
import pg from 'pg';
import { newId } from '../backend/src/utils/ids.ts';
import type { BenchDatabase } from './database.ts';
import { ports } from './servers.ts';
import { median, quantile } from './statistics.ts';

// Whether the time of an answer tells what the answer does not: is there such an account, and what is wrong with it?

const PASSWORD = 'three-quiet-reading-rooms';
const WRONG = 'three-loud-reading-rooms-';
/** As the API makes them; see utils/password.ts. */
const ARGON2 = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
/** Enough wrong tries from one address that it has to wait, for half a minute. */
const LOCKING_TRIES = 7;
/** Locked some at a time: they are used before their wait is over, and not straight after their tries. */
const LOCKED_AT_ONCE = 10;

export type TimingRow = { what: string; milliseconds: number[] };
type Timing = { login: TimingRow[]; forgotPassword: TimingRow[] };

let serial = 0;
/** An address that nobody came from before: each try counts for itself. */
const someAddress = (): string => {
  serial += 1;
  return `2001:db8:${(process.pid % 65_536).toString(16)}:${serial.toString(16)}::1`;
};

async function post(path: string, body: object, expected: number, address = someAddress()): Promise<number> {
  const began = performance.now();
  const response = await fetch(`http://127.0.0.1:${ports.api}/api/auth${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-forwarded-for': address },
    body: JSON.stringify(body),
  });
  await response.arrayBuffer();
  const milliseconds = performance.now() - began;
  if (response.status !== expected) throw new Error(`${path} answered ${response.status} instead of ${expected}`);
  return milliseconds;
}

type Kind = 'active' | 'suspended' | 'locked';
const addressOf = (kind: string, index: number): string => `${kind}-${String(index).padStart(4, '0')}@timing.example`;

/** People of the benchmark's own, in the tenant with many: each is tried a few times only. */
async function createAccounts(database: BenchDatabase, count: number): Promise<void> {
  const passwordHash = await hash(PASSWORD, ARGON2);
  const client = new pg.Client(database.ownerUrl);
  await client.connect();
  try {
    await client.query('begin');
    await client.query(`select set_config('role', 'studyspot_portal', true), set_config('app.tenant_id', '', true)`);
    for (const kind of ['active', 'suspended', 'locked'] as const satisfies Kind[]) {
      for (let index = 0; index < count; index += 1) {
        await client.query(
          `insert into users (id, tenant_id, type, kind, name, email, status, password_hash, updated_at)
           values ($1, $2, 'PLATFORM_USER', 'STAFF', $3, $4, $5::user_status, $6, now()) on conflict do nothing`,
          [
            newId(),
            database.tenantId,
            `Timing ${index}`,
            addressOf(kind, index),
            kind === 'suspended' ? 'SUSPENDED' : 'ACTIVE',
            passwordHash,
          ],
        );
      }
    }
    await client.query('commit');
  } finally {
    await client.end();
  }
}

function lockedAccounts(count: number): () => Promise<{ email: string; address: string }> {
  const ready: { email: string; address: string }[] = [];
  let used = process.pid;
  return async () => {
    const missing = ready.length === 0 ? LOCKED_AT_ONCE : 0;
    for (const end = used + missing; used < end; used += 1) {
      const [email, address] = [addressOf('locked', used % count), someAddress()];
      for (let tried = 0; tried < LOCKING_TRIES; tried += 1)
        await post('/login', { email, password: WRONG }, 401, address);
      ready.push({ email, address });
    }
    return ready.shift() as (typeof ready)[number];
  };
}

/**
 * All kinds in turn, so that what else the machine does meets them alike.
 * @param samples of each kind
 */
export async function measureTiming(database: BenchDatabase, samples: number): Promise<Timing> {
  const accounts = Math.min(samples, 100);
  await createAccounts(database, accounts);
  const run = process.pid;
  const nextLocked = lockedAccounts(accounts);
  const login: Record<string, () => Promise<number>> = {
    'a wrong password': () => post('/login', { email: addressOf('active', serial % accounts), password: WRONG }, 401),
    'no such account': () => post('/login', { email: `none-${run}-${serial}@timing.example`, password: WRONG }, 401),
    'a suspended account, right password': () =>
      post('/login', { email: addressOf('suspended', serial % accounts), password: PASSWORD }, 401),
    'a locked account, right password': async () => {
      const { email, address } = await nextLocked();
      return post('/login', { email, password: PASSWORD }, 401, address);
    },
  };
  const forgot: Record<string, () => Promise<number>> = {
    'a known account': () => post('/forgot-password', { email: addressOf('active', serial % accounts) }, 202),
    'no such account': () => post('/forgot-password', { email: `none-${run}-${serial}@timing.example` }, 202),
  };
  return { login: await inTurn(login, samples), forgotPassword: await inTurn(forgot, samples) };
}

async function inTurn(kinds: Record<string, () => Promise<number>>, samples: number): Promise<TimingRow[]> {
  const rows = Object.keys(kinds).map((what): TimingRow => ({ what, milliseconds: [] }));
  const warmUp = 10;
  for (let round = -warmUp; round < samples; round += 1) {
    // In another order each round: who comes after whom shows in caches.
    for (const row of rows.toSorted(() => Math.random() - 0.5)) {
      const milliseconds = await (kinds[row.what] as () => Promise<number>)();
      if (round >= 0) row.milliseconds.push(milliseconds);
    }
  }
  return rows;
}

export function printTiming({ login, forgotPassword }: Timing): void {
  for (const [name, rows] of Object.entries({
    'POST /api/auth/login': login,
    'POST /api/auth/forgot-password': forgotPassword,
  })) {
    const base = median(rows[0]?.milliseconds ?? []);
    console.log(`\n${name}, ${rows[0]?.milliseconds.length} of each in turn: the time must not tell them apart`);
    console.log(`  ${''.padEnd(38)}median ms    p95 ms  against the first`);
    for (const { what, milliseconds } of rows) {
      const middle = median(milliseconds);
      const difference = `${middle >= base ? '+' : ''}${(((middle - base) / base) * 100).toFixed(1)} %`;
      const cells = [middle.toFixed(2).padStart(9), quantile(milliseconds, 0.95).toFixed(2).padStart(10)].join('');
      console.log(`  ${what.padEnd(38)}${cells}${difference.padStart(19)}`);
    }
  }
}
