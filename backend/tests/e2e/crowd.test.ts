import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { newId } from '../../src/utils/ids.ts';
import { clientOf, type Answer, type CallOptions } from '../support/client.ts';
import { createTestDatabase, ownerQuery, type TestDatabase } from '../support/database.ts';
import { factoriesFor } from '../support/factories.ts';
import { emptyRedis, endBackend, killBackends, startBackend, type BackendProcess } from '../support/processes.ts';

// A hundred people of twenty tenants and the staff of StudySpot, all at once, on two API processes and two workers that
// share a cache. Every row of every answer is looked at: it is of the tenant that it was asked of.

const hasRedis = Boolean(inject('testServers').redisUrl);
const SECONDS = process.env.TEST_ALL ? 60 : 8;
const TENANTS = 20;
const PEOPLE = 5;
const ADMINS = 6;
/** Those that are suspended and opened again meanwhile: their people may be refused. */
const UNSTEADY = 3;

let database: TestDatabase;
let apis: BackendProcess[];
let workers: BackendProcess[];
let make: ReturnType<typeof factoriesFor>;

type Tenant = { id: string; name: string; isUnsteady: boolean };
type Client = { token: string; tenant: Tenant };
const tenants: Tenant[] = [];
const clients: Client[] = [];
const admins: string[] = [];
/** Which tenant a row is of. Rows that the crowd makes are added to it as they come. */
const tenantOfRow = new Map<string, string>();

const counts: Record<string, number> = {};
const problems: string[] = [];
/** Enough to see what is wrong. */
const report = (problem: string): void => void (problems.length < 20 && problems.push(problem));

beforeAll(async () => {
  database = await createTestDatabase();
  const environment = { DATABASE_URL: database.appUrl, REDIS_URL: await emptyRedis(10), DATABASE_POOL_SIZE: '20' };
  const start = (role: string) => startBackend({ ...environment, ROLE: role });
  [apis, workers] = await Promise.all([
    Promise.all([start('api'), start('api')]),
    Promise.all([start('worker'), start('worker')]),
  ]);
  make = factoriesFor(database, clientOf(apis[0]!.url));
  for (let index = 0; index < TENANTS; index += 1) {
    const { id, name } = await make.buildTenant({ name: `Hall ${index} of the crowd` });
    tenants.push({ id, name, isUnsteady: index < UNSTEADY });
    tenantOfRow.set(id, id);
  }
  const people = tenants.flatMap((tenant) =>
    Array.from({ length: PEOPLE }, (_, index) => ({
      tenant,
      role: index < 2 ? ('owner' as const) : ('library_staff' as const),
    })),
  );
  await atOnce(4, people, async ({ tenant, role }) => {
    const user = await make.buildUser({ role, tenantId: tenant.id, name: `Meera of ${tenant.name}` });
    tenantOfRow.set(user.id, tenant.id);
    clients.push({ tenant, token: await signIn(user) });
  });
  await atOnce(2, Array.from({ length: ADMINS }), async () => {
    admins.push(await signIn(await make.buildAdmin({ role: 'operations' })));
  });
}, 120_000);

afterAll(async () => {
  await Promise.all([...apis, ...workers].map((process) => endBackend(process)));
  await killBackends();
  await database.drop();
}, 60_000);

/** Twice if need be: verifying a hundred passwords is more than a busy machine can do at once. */
const signIn = async (user: { email: string | null }): Promise<string> =>
  (await make.signIn(user).catch(() => make.signIn(user))).token;

async function atOnce<Item>(workersAtOnce: number, items: Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const left = [...items];
  const worker = async () => {
    for (let item = left.shift(); item !== undefined || left.length > 0; item = left.shift()) await work(item as Item);
  };
  await Promise.all(Array.from({ length: workersAtOnce }, worker));
}

const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(Math.random() * items.length)] as Item;

async function call(method: string, path: string, options: CallOptions, allowed: number[]): Promise<Answer> {
  let answer = await pick(apis).call(method, path, options);
  counts[answer.status] = (counts[answer.status] ?? 0) + 1;
  // On a machine that is busy with other things no connection may be had for a moment: whoever is told so tries again.
  if (answer.status === 503 && answer.headers.has('retry-after')) {
    await sleep(Number(answer.headers.get('retry-after')) * 1000);
    answer = await pick(apis).call(method, path, options);
  }
  if (!allowed.includes(answer.status)) report(`${method} ${path} gave ${answer.status}: ${answer.text.slice(0, 300)}`);
  return answer;
}

let checkedRows = 0;

/** Whatever rows an answer holds, they are of this tenant; a row that nobody knows names the tenant or its people do. */
function expectOnly(tenant: Tenant, rows: unknown[], from: string): void {
  for (const row of rows) {
    checkedRows += 1;
    const { id, tenantId, name, tenant: of } = row as Record<string, unknown>;
    const known = tenantOfRow.get(String(id));
    const whose = known ?? tenantId ?? (of as { id?: string } | undefined)?.id;
    const isForeignName = / of (Hall \d+ of the crowd)/.exec(String(name))?.[1] ?? tenant.name;
    if ((whose ?? tenant.id) !== tenant.id || isForeignName !== tenant.name) {
      report(`${from}: a row of another tenant than ${tenant.id}: ${JSON.stringify(row).slice(0, 300)}`);
    }
    if (whose === undefined && !String(name).includes(tenant.name)) report(`${from}: whose is ${JSON.stringify(row)}?`);
  }
}

const added = new Map<string, number>();

/** What somebody of a tenant does. */
const acts: ((client: Client, allowed: number[]) => Promise<void>)[] = [
  async ({ token, tenant }, allowed) => {
    const answer = await call('GET', `/api/tenants/${tenant.id}/users?limit=50`, { token }, allowed);
    if (answer.status === 200) expectOnly(tenant, answer.body.data, 'people of a tenant');
  },
  async ({ token, tenant }, allowed) => {
    const answer = await call('GET', '/api/platform-users?limit=50', { token }, allowed);
    if (answer.status === 200) expectOnly(tenant, answer.body.data, 'people');
  },
  async ({ token, tenant }, allowed) => {
    const answer = await call('GET', '/api/platform-users?q=meera&limit=50', { token }, allowed);
    if (answer.status !== 200) return;
    expectOnly(tenant, answer.body.data, 'search');
    if (answer.body.data.length < PEOPLE) report(`The search of ${tenant.name} found ${answer.body.data.length}`);
  },
  async ({ token, tenant }, allowed) => {
    const answer = await call('GET', `/api/tenants/${tenant.id}`, { token }, allowed);
    if (answer.status === 200) expectOnly(tenant, [answer.body.data], 'the tenant');
  },
  async ({ token, tenant }, allowed) => {
    const before = added.get(tenant.id) ?? 0;
    const answer = await call('GET', `/api/tenants/${tenant.id}/analytics`, { token }, allowed);
    if (answer.status !== 200) return;
    // Whoever was added before it was asked for is counted, and nobody of another tenant.
    const { total } = answer.body.data.people;
    const most = PEOPLE + (begun.get(tenant.id) ?? 0);
    if (total < PEOPLE + before || total > most)
      report(`${tenant.name} has ${total}, not ${PEOPLE + before} to ${most}`);
    checkedRows += 1;
  },
  async ({ token, tenant }, allowed) => {
    const other = pick(tenants.filter(({ id }) => id !== tenant.id));
    const refused = allowed.map((status) => (status === 200 ? 404 : status));
    await call('GET', `/api/tenants/${other.id}/analytics`, { token }, refused);
    await call('GET', `/api/tenants/${other.id}/users`, { token }, refused);
    const theirs = [...tenantOfRow].find(([id, tenantId]) => tenantId === other.id && id !== other.id);
    await call('GET', `/api/platform-users/${theirs?.[0]}`, { token }, refused);
  },
  async ({ token, tenant }, allowed) => {
    const other = pick(tenants.filter(({ id }) => id !== tenant.id));
    const headers = { 'x-tenant-id': other.id };
    const refused = allowed.map((status) => (status === 200 ? 403 : status));
    await call('GET', '/api/platform-users', { token, headers }, refused);
  },
  async ({ token, tenant }, allowed) => {
    begun.set(tenant.id, (begun.get(tenant.id) ?? 0) + 1);
    const body = {
      kind: 'STUDENT',
      name: `Ravi of ${tenant.name}`,
      email: `${newId()}@students.example`,
      dateOfBirth: '2000-01-01',
    };
    const created = allowed.map((status) => (status === 200 ? 201 : status));
    const answer = await call('POST', '/api/platform-users', { token, body }, created);
    if (answer.status !== 201) return;
    const { id } = answer.body.data as { id: string };
    tenantOfRow.set(id, tenant.id);
    added.set(tenant.id, (added.get(tenant.id) ?? 0) + 1);
    const read = await call('GET', `/api/platform-users/${id}`, { token }, allowed);
    if (read.status === 200) expectOnly(tenant, [read.body.data], 'a person');
  },
];
/** How many were on their way into a tenant, whatever became of them. */
const begun = new Map<string, number>();

const rename: (typeof acts)[number] = async ({ token, tenant }, allowed) => {
  const body = { addressLine: `${Math.floor(Math.random() * 1000)} of ${tenant.name}` };
  // Staff may not; two at once may meet.
  const answer = await call('PUT', `/api/tenants/${tenant.id}`, { token, body }, [...allowed, 403, 409]);
  if (answer.status === 200) expectOnly(tenant, [answer.body.data], 'a change');
};

/** What an admin sees: everybody, or within a tenant that one alone. */
async function actAsAdmin(token: string): Promise<void> {
  const tenant = pick(tenants);
  const narrowed = { token, headers: { 'x-tenant-id': tenant.id } };
  const people = await call('GET', '/api/platform-users?limit=50', narrowed, [200]);
  if (people.status === 200) expectOnly(tenant, people.body.data, 'people within a tenant');
  const list = await call('GET', '/api/tenants', narrowed, [200]);
  if (list.status === 200) expectOnly(tenant, list.body.data, 'tenants within a tenant');
  const other = pick(tenants.filter(({ id }) => id !== tenant.id));
  await call('GET', `/api/tenants/${other.id}/analytics`, narrowed, [404]);
  const before = added.get(tenant.id) ?? 0;
  const figures = await call('GET', `/api/tenants/${tenant.id}/analytics`, pick([{ token }, narrowed]), [200]);
  const { total } = figures.body?.data?.people ?? {};
  if (total < PEOPLE + before) report(`An admin counts ${total} at ${tenant.name}, not ${PEOPLE + before}`);
  const all = await call('GET', '/api/tenants?limit=100', { token }, [200]);
  if (all.status === 200 && all.body.data.length !== TENANTS) report(`An admin sees ${all.body.data.length} tenants`);
}

/** Shuts a tenant out and lets it in again: what is kept must not be answered meanwhile. */
async function suspendAndActivate(token: string): Promise<void> {
  const tenant = pick(tenants.filter(({ isUnsteady }) => isUnsteady));
  const suspended = await call(
    'POST',
    `/api/tenants/${tenant.id}/suspend`,
    { token, body: { reason: 'Unpaid since June' } },
    [200, 409, 422],
  );
  if (suspended.status === 200) {
    const inside = pick(clients.filter((client) => client.tenant === tenant));
    // Every session has ended: no process answers them, whatever it keeps.
    await call('GET', `/api/tenants/${tenant.id}/analytics`, { token: inside.token }, [401, 403]);
    await sleep(100);
    await call('POST', `/api/tenants/${tenant.id}/activate`, { token, body: {} }, [200, 409, 422]);
  }
  await sleep(200);
}

it.runIf(hasRedis)(
  `for ${SECONDS} s nobody sees a row of another tenant`,
  async () => {
    const deadline = Date.now() + SECONDS * 1000;
    const forAsLong = async (work: () => Promise<void>): Promise<void> => {
      while (Date.now() < deadline && problems.length === 0) {
        const began = Date.now();
        await work();
        // As people do, they think for a while: it is not overload that is tested here.
        const thinking = Math.min(600, Math.max(50, 3 * (Date.now() - began)));
        await sleep(Math.min(thinking * (0.5 + Math.random()), Math.max(0, deadline - Date.now())));
      }
    };
    await Promise.all([
      ...clients.map((client) =>
        forAsLong(async () => {
          const allowed = client.tenant.isUnsteady ? [200, 401, 403] : [200];
          await pick([...acts, rename])(client, allowed);
        }),
      ),
      ...admins.slice(1).map((token) => forAsLong(() => actAsAdmin(token))),
      forAsLong(() => suspendAndActivate(admins[0]!)),
    ]);
    expect(problems).toEqual([]);
    expect(Object.keys(counts).filter((status) => Number(status) >= 500 && status !== '503')).toEqual([]);
    const asked = Object.values(counts).reduce((sum, count) => sum + count, 0);
    expect(counts[503] ?? 0).toBeLessThanOrEqual(asked / 50);
    expect(checkedRows).toBeGreaterThan(200);
    // What was written is where it belongs, and the chains are whole.
    const strayed = await ownerQuery(
      database,
      `select u.id from users u join tenants t on t.id = u.tenant_id
      where u.name like 'Ravi of %' and u.name <> 'Ravi of ' || t.name`,
    );
    expect(strayed).toEqual([]);
    const made = await ownerQuery<{ id: string; tenantId: string }>(
      database,
      `select id, tenant_id as "tenantId" from users where name like 'Ravi of %'`,
    );
    expect(made.filter(({ id, tenantId }) => (tenantOfRow.get(id) ?? tenantId) !== tenantId)).toEqual([]);
    expect(made.length).toBeGreaterThan(10);
    for (const { stderr } of [...apis, ...workers]) expect(stderr()).toBe('');
  },
  (SECONDS + 60) * 1000,
);
