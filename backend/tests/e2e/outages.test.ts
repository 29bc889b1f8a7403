import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { clientOf, type Answer } from '../support/client.ts';
import { ownerQuery } from '../support/database.ts';
import { factoriesFor, PASSWORD, someAddress } from '../support/factories.ts';
import {
  endBackend,
  hasRedis,
  killBackends,
  mailsIn,
  startBackend,
  startOwnServers,
  until,
  type BackendProcess,
  type OwnServers,
} from '../support/processes.ts';

const CLIENTS = 10;
const POOL_SIZE = 6;
/** So long the backend waits for a word of the database. */
const SILENCE_MS = 12_000;
/** A wait for a connection, and then for its answer. */
const LONGEST_MS = SILENCE_MS + 3_500;

const dataDir = mkdtempSync(path.join(tmpdir(), 'studyspot-outbox-'));
let servers: OwnServers;
let api: BackendProcess;
let worker: BackendProcess;
let make: ReturnType<typeof factoriesFor>;
let token: string;
let refreshToken: string;
let tenants: { id: string }[];

type Action = 'me' | 'list' | 'update' | 'forgot' | 'live' | 'ready';
type Shot = { action: Action; requestId: string; sentAt: number; ms: number; answer: Answer };
type Load = {
  /** What was answered so far. */
  shots: Shot[];
  /** Requests sent before a moment that have no answer yet. */
  waiting: (since: number) => number;
  end: () => Promise<Shot[]>;
};

let lastLoad: Load | undefined;
let serial = 0;

/** Ten clients, each with a tenant of its own to change, one call after the other. */
function startLoad(): Load {
  const shots: Shot[] = [];
  const open = new Map<number, number>();
  let ending = false;
  const actions: Action[] = ['me', 'update', 'list', 'forgot', 'live', 'me', 'ready', 'update'];
  const client = async (number: number) => {
    for (let turn = number; !ending && turn < 2_000; turn += 1) {
      open.set(number, Date.now());
      shots.push(await shoot(actions[turn % actions.length] as Action, tenants[number]?.id ?? ''));
      open.delete(number);
      await sleep(40);
    }
  };
  const clients = Array.from({ length: CLIENTS }, (_, number) => client(number));
  const load: Load = {
    shots,
    waiting: (since) => [...open.values()].filter((sentAt) => sentAt <= since).length,
    end: async () => {
      ending = true;
      await Promise.all(clients);
      return shots;
    },
  };
  lastLoad = load;
  return load;
}

async function shoot(action: Action, tenantId: string): Promise<Shot> {
  serial += 1;
  const requestId = `outage-${serial}`;
  const headers = { 'x-request-id': requestId, 'x-forwarded-for': someAddress() };
  const sentAt = Date.now();
  const calls: Record<Action, () => Promise<Answer>> = {
    me: () => api.call('GET', '/api/auth/me', { token, headers }),
    list: () => api.call('GET', '/api/tenants?limit=5', { token, headers }),
    update: () =>
      api.call('PUT', `/api/tenants/${tenantId}`, { token, headers, body: { addressLine: `${serial} Station Road` } }),
    forgot: () =>
      api.call('POST', '/api/auth/forgot-password', { headers, body: { email: `nobody-${serial}@people.example` } }),
    live: () => api.call('GET', '/api/monitoring/live', { headers }),
    ready: () => api.call('GET', '/api/monitoring/ready', { headers }),
  };
  const answer = await calls[action]().catch(unanswered);
  return { action, requestId, sentAt, ms: Date.now() - sentAt, answer };
}

const unanswered = (error: Error): Answer => ({
  status: 0,
  headers: new Headers(),
  body: null,
  text: String(error.cause),
});

/** Whatever is asked for while the database is away is refused with the documented answer. */
async function expectRefusal(method: string, url: string, body?: object): Promise<void> {
  const answer = await api.call(method, url, { token, body, headers: { 'x-forwarded-for': someAddress() } });
  expect(answer.body).toMatchObject({ success: false, error: { code: 'service_unavailable', statusCode: 503 } });
  expect(answer.status).toBe(503);
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
}

const isFine = ({ answer }: Shot) => answer.status >= 200 && answer.status < 300;

function expectAlive(): void {
  for (const process of [api, worker]) {
    expect(process.hasEnded(), `it should go on\n${process.stdout().slice(-2_000)}${process.stderr()}`).toBe(false);
  }
}

/** Nothing but 2xx, and 503 as it is documented; nobody waits for long; the process is alive whatever happens. */
function expectClearAnswers(shots: Shot[]): void {
  expectAlive();
  for (const shot of shots) {
    const { status, body, headers } = shot.answer;
    if (isFine(shot)) continue;
    expect({ action: shot.action, status, body }).toMatchObject({
      status: 503,
      body: { success: false, error: { code: 'service_unavailable', statusCode: 503, requestId: shot.requestId } },
    });
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(shot.answer.text).not.toMatch(/postgres|prisma|ECONN|terminat|timeout/i);
  }
  expect(shots.filter(({ action }) => action === 'live').every(isFine)).toBe(true);
  expect(Math.max(...shots.map(({ ms }) => ms))).toBeLessThan(LONGEST_MS);
}

/** What was acknowledged is there with its audit row and its job; of the rest each is there whole or not at all. */
async function expectConsistent(shots: Shot[]): Promise<void> {
  const count = async (table: string, where: string): Promise<Map<string, number>> => {
    const rows = await ownerQuery<{ id: string; n: number }>(
      servers.database,
      `select request_id as id, count(*)::int as n from ${table} where ${where} group by 1`,
    );
    return new Map(rows.map(({ id, n }) => [id, n]));
  };
  const updates = await count('audit_logs', `action = 'tenants.update'`);
  const asked = await count('audit_logs', `action = 'auth.forgot_password'`);
  const jobs = await count('outbox_messages', `job = 'email.password-reset'`);
  expect([...updates.values(), ...asked.values(), ...jobs.values()].every((n) => n === 1)).toBe(true);
  expect([...jobs.keys()].toSorted()).toEqual([...asked.keys()].toSorted());
  const acknowledged = (action: Action) => shots.filter((shot) => shot.action === action && isFine(shot));
  expect(acknowledged('update').filter(({ requestId }) => !updates.has(requestId))).toEqual([]);
  expect(acknowledged('forgot').filter(({ requestId }) => !asked.has(requestId))).toEqual([]);
  await until('every job was handed over', async () => (await waitingJobs()) === 0);
  expect(await ownerQuery(servers.database, 'select job, error from dead_letters')).toEqual([]);
  const torn = await ownerQuery(
    servers.database,
    `select t.id, t.version, count(a.id) from tenants t left join audit_logs a on a.chain = t.id and a.action = 'tenants.update'
      group by t.id having t.version - 1 <> count(a.id)`,
  );
  expect(torn).toEqual([]);
  const { body } = await api.call('GET', '/api/audit/integrity', { token });
  expect(body.data).toMatchObject({ intact: true, complete: true });
}

type Connection = { state: string; n: number };

/** Each connection is back in its pool: none too many, none in a transaction that nobody ends. */
async function expectNoLeak(): Promise<void> {
  const connections = () =>
    ownerQuery<Connection>(
      servers.database,
      `select state, count(*)::int as n from pg_stat_activity where application_name = 'studyspot-api' group by 1`,
    );
  await until('every connection of the API was idle', async () =>
    (await connections()).every(({ state }) => state === 'idle'),
  );
  const total = (await connections()).reduce((sum, { n }) => sum + n, 0);
  expect(total).toBeLessThanOrEqual(POOL_SIZE);
}

const backendsOf = async (role: string): Promise<number[]> => {
  const rows = await ownerQuery<{ pid: number }>(
    servers.database,
    `select pid from pg_stat_activity where application_name = 'studyspot-${role}'`,
  );
  return rows.map(({ pid }) => pid);
};

/** A stopped process is there and does nothing, as a server does whose disk or network hangs. */
const signalAll = (pids: number[], signal: 'SIGSTOP' | 'SIGCONT') => pids.forEach((pid) => process.kill(pid, signal));

const waitingJobs = async (): Promise<number> => {
  const [row] = await ownerQuery<{ n: number }>(
    servers.database,
    'select count(*)::int as n from outbox_messages where published_at is null',
  );
  return row?.n ?? -1;
};

async function readyAgain(): Promise<void> {
  const isReady = async () => isFine(await shoot('ready', ''));
  await until('it was ready again', async () => api.hasEnded() || (await isReady()), 10_000);
  expectAlive();
}

/** From now on everything works, at once and for everybody. */
async function expectRecovered(load: Load): Promise<void> {
  await readyAgain();
  const recoveredAt = Date.now();
  await sleep(1_200);
  expectClearAnswers(await load.end());
  const shots = load.shots.filter(({ sentAt }) => sentAt >= recoveredAt);
  expect(shots.filter((shot) => !isFine(shot)).map(({ action, answer }) => [action, answer.text])).toEqual([]);
  expect(new Set(shots.map(({ action }) => action)).size).toBe(6);
  await expectConsistent(load.shots);
  await expectNoLeak();
}

const refusals = ({ shots }: Load) => shots.filter(({ answer }) => answer.status === 503).length;

beforeAll(async () => {
  servers = await startOwnServers();
  const environment = {
    DATABASE_URL: servers.database.appUrl,
    DATABASE_POOL_SIZE: String(POOL_SIZE),
    REDIS_URL: servers.redisUrl,
    DATA_DIR: dataDir,
  };
  [api, worker] = await Promise.all([
    startBackend({ ...environment, ROLE: 'api' }),
    startBackend({ ...environment, ROLE: 'worker' }),
  ]);
  make = factoriesFor(servers.database, clientOf(api.url));
  ({ token, refreshToken } = await make.signIn(await make.buildAdmin()));
  tenants = await Promise.all(Array.from({ length: CLIENTS }, () => make.buildTenant()));
}, 60_000);

afterAll(async () => {
  await killBackends();
  await servers.close();
  rmSync(dataDir, { recursive: true, force: true });
}, 60_000);

afterEach(() => lastLoad?.end());

describe('under load, PostgreSQL', { timeout: 60_000 }, () => {
  it('is stopped and started again', async () => {
    const load = startLoad();
    await sleep(700);
    await servers.stopPostgres();
    const refusedBefore = refusals(load);
    await sleep(1_500);
    expect(refusals(load)).toBeGreaterThan(refusedBefore);
    await expectRefusal('GET', '/api/monitoring/ready');
    await expectRefusal('POST', '/api/auth/login', { email: 'asha@people.example', password: PASSWORD });
    await expectRefusal('POST', '/api/auth/refresh', { refreshToken });
    await expectRefusal('DELETE', '/api/auth/sessions');
    await expectRefusal('GET', '/api/audit/integrity');
    await servers.startPostgres();
    await expectRecovered(load);
    // The refused refresh has not used up its token.
    expect((await api.call('POST', '/api/auth/refresh', { body: { refreshToken } })).status).toBe(200);
  });

  it('loses every connection of the backend', async () => {
    const load = startLoad();
    for (let round = 0; round < 4; round += 1) {
      await sleep(300);
      await ownerQuery(
        servers.database,
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'studyspot-%'`,
      );
    }
    await expectRecovered(load);
  });

  it('hangs whole for some seconds', async () => {
    const load = startLoad();
    await sleep(500);
    const backends = await backendsOf('api');
    signalAll([servers.postgresProcess(), ...backends], 'SIGSTOP');
    try {
      await sleep(4_000);
      expect((await shoot('live', '')).ms).toBeLessThan(500);
      expect((await shoot('ready', '')).answer.status).toBe(503);
    } finally {
      signalAll([servers.postgresProcess(), ...backends], 'SIGCONT');
    }
    await expectRecovered(load);
  });

  it('answers no more on the connections there are: they are given up, and new ones work', async () => {
    const load = startLoad();
    await sleep(500);
    const backends = await backendsOf('api');
    signalAll(backends, 'SIGSTOP');
    const stuckAt = Date.now();
    try {
      await sleep(SILENCE_MS + 500);
      await until('every stuck request was answered', () => load.waiting(stuckAt + 1_000) === 0, 20_000);
      await readyAgain();
      const fresh = (await backendsOf('api')).filter((pid) => !backends.includes(pid));
      expect(fresh.length).toBeGreaterThan(0);
    } finally {
      signalAll(backends, 'SIGCONT');
    }
    await expectRecovered(load);
  });
});

describe.skipIf(!hasRedis)('under load, Redis', { timeout: 60_000 }, () => {
  type Person = { email: string | null };
  const threePeople = () => Promise.all([1, 2, 3].map(() => make.buildOwner()));

  async function askForMails(people: Person[]): Promise<void> {
    for (const { email } of people) {
      const headers = { 'x-forwarded-for': someAddress() };
      const answer = await api.call('POST', '/api/auth/forgot-password', { body: { email }, headers });
      expect(answer.status).toBe(202);
    }
  }

  const mailsOf = (people: Person[]): number[] => {
    const mails = mailsIn(dataDir);
    return people.map(({ email }) => mails[email ?? ''] ?? 0);
  };

  /** Each mail once: none is lost, and none comes twice later. */
  async function expectMails(people: Person[]): Promise<void> {
    await until('every mail arrived', () => mailsOf(people).every((n) => n > 0), 25_000);
    await sleep(500);
    expect(mailsOf(people)).toEqual([1, 1, 1]);
  }

  const expectOnlySuccess = (shots: Shot[], longestMs: number) => {
    expect(shots.filter((shot) => !isFine(shot)).map(({ action, answer }) => [action, answer.text])).toEqual([]);
    expect(Math.max(...shots.map(({ ms }) => ms))).toBeLessThan(longestMs);
  };

  it('is stopped and started again: nobody notices but the mails, which come later', async () => {
    const people = await threePeople();
    const load = startLoad();
    await sleep(500);
    await servers.stopRedis();
    await askForMails(people);
    await sleep(1_000);
    expect((await api.call('GET', '/api/monitoring/ready')).status).toBe(200);
    expect(await waitingJobs()).toBeGreaterThan(people.length);
    expect(mailsOf(people)).toEqual([0, 0, 0]);
    // Somebody signs in meanwhile, though the counters of the throttle are away.
    expect((await make.signIn(people[0] as { email: string })).token).toBeTruthy();
    await servers.startRedis();
    await expectMails(people);
    await expectRecovered(load);
    expectOnlySuccess(load.shots, 5_000);
  });

  it('hangs: requests do without it, and jobs wait', async () => {
    const people = await threePeople();
    const load = startLoad();
    await sleep(500);
    const pid = servers.redisProcess();
    process.kill(pid, 'SIGSTOP');
    const hungAt = Date.now();
    try {
      await askForMails(people);
      await sleep(3_000);
      expect((await make.signIn(people[0] as { email: string })).token).toBeTruthy();
      expect(mailsOf(people)).toEqual([0, 0, 0]);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    // At first requests wait half a second for their limit; soon nobody asks Redis any more.
    const later = load.shots.filter(({ action, sentAt }) => action === 'forgot' && sentAt > hungAt + 1_500);
    expect(later.map(({ ms }) => ms).toSorted((x, y) => x - y)[Math.floor(later.length / 2)]).toBeLessThan(450);
    await expectMails(people);
    await expectRecovered(load);
    expectOnlySuccess(load.shots, 5_000);
  });
});

describe('PostgreSQL hangs and Redis is away:', () => {
  it('the processes end in time and with 0 all the same', async () => {
    const pids = [servers.postgresProcess(), ...(await backendsOf('api')), ...(await backendsOf('worker'))];
    await servers.stopRedis();
    signalAll(pids, 'SIGSTOP');
    try {
      const ends = await Promise.all([api, worker].map((process) => endBackend(process)));
      expect(ends.map(({ code }) => code)).toEqual([0, 0]);
    } finally {
      signalAll(pids, 'SIGCONT');
    }
  });
});
