import { DateTime } from 'luxon';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../src/utils/ids.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { scopesOf } from '../../support/plans.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';

let app: TestApp;
let admin: string;
beforeAll(async () => {
  app = await startTestApp();
  admin = await app.adminToken();
});
afterAll(() => app.close());

const get = (query = '', who = admin, headers = {}) =>
  app.call('GET', `/api/platform-users/analytics${query}`, { token: who, headers });
async function figuresOf(query = '', who = admin) {
  const answer = await get(query, who);
  expectSuccess(answer);
  return answer.body.data;
}

const now = DateTime.now().setZone('Asia/Kolkata');
const monthsAgo = (months: number) => now.startOf('month').minus({ months });
const yearsAgo = (years: number, days = 0) => now.minus({ years }).plus({ days }).toISODate();

type Person = Partial<
  Record<'kind' | 'status' | 'phone' | 'email' | 'born' | 'created' | 'seen' | 'deleted', string | null>
> & {
  agreed?: boolean;
};
async function addPeople(tenantId: string, people: Person[]): Promise<void> {
  const rows = people.map((person) => ({ id: newId(), email: `${newId()}@people.example`, ...person }));
  await app.query(
    `insert into users (id, tenant_id, type, kind, name, email, phone, status, date_of_birth, marketing_consent, last_login_at,
                        deleted_at, created_at, updated_at)
     select id, $1, 'PLATFORM_USER', coalesce(kind, 'STUDENT')::person_kind, 'Ravi Kumar', email, phone,
            coalesce(status, 'ACTIVE')::user_status, born, coalesce(agreed, false), seen, deleted, coalesce(created, now()), now()
       from jsonb_to_recordset($2) as p (id text, kind text, email text, phone text, status text, born date, agreed boolean,
            seen timestamptz, deleted timestamptz, created timestamptz)`,
    [tenantId, JSON.stringify(rows)],
  );
}

describe('The figures of a tenant', () => {
  let owner: Awaited<ReturnType<TestApp['ownerWithToken']>>;
  // oxlint-disable-next-line typescript/no-explicit-any -- as it came over HTTP
  let figures: any;
  beforeAll(async () => {
    owner = await app.ownerWithToken();
    const other = await app.buildTenant();
    const long = { created: monthsAgo(14).toISO() };
    await addPeople(other.id, [{}, { agreed: true }]);
    await addPeople(owner.tenantId, [
      { ...long, born: yearsAgo(18, 1), agreed: true },
      { ...long, born: yearsAgo(18), agreed: true },
      { ...long, kind: 'PARENT', born: yearsAgo(10) },
      { ...long, kind: 'STAFF', status: 'PENDING', email: null, phone: '+919829012345' },
      { ...long, status: 'INACTIVE', seen: now.minus({ days: 6 }).toISO(), phone: '+919829012346' },
      { ...long, status: 'SUSPENDED', seen: now.minus({ days: 29 }).toISO() },
      { ...long, seen: now.minus({ days: 31 }).toISO() },
      // The month begins at midnight in India, five and a half hours before it does elsewhere.
      { created: monthsAgo(3).toISO() },
      { created: monthsAgo(3).minus({ milliseconds: 1 }).toISO(), kind: 'PARENT' },
      { created: monthsAgo(11).toISO() },
      { created: monthsAgo(11).minus({ milliseconds: 1 }).toISO() },
      { deleted: now.toISO(), agreed: true, born: yearsAgo(10), seen: now.toISO() },
    ]);
    figures = await figuresOf('', owner.token);
  });

  it('count everybody of it by kind and status, and nobody else', () => {
    expect(figures).toMatchObject({
      total: 12,
      byStatus: { ACTIVE: 9, INACTIVE: 1, SUSPENDED: 1, PENDING: 1 },
      byKind: [
        { kind: 'OWNER', total: 1, byStatus: { ACTIVE: 1, INACTIVE: 0, SUSPENDED: 0, PENDING: 0 } },
        { kind: 'STAFF', total: 1, byStatus: { ACTIVE: 0, INACTIVE: 0, SUSPENDED: 0, PENDING: 1 } },
        { kind: 'STUDENT', total: 8, byStatus: { ACTIVE: 6, INACTIVE: 1, SUSPENDED: 1, PENDING: 0 } },
        { kind: 'PARENT', total: 2, byStatus: { ACTIVE: 2, INACTIVE: 0, SUSPENDED: 0, PENDING: 0 } },
      ],
      topTenants: null,
      byCity: { top: [{ city: 'Kota', people: 12 }], rest: 0 },
    });
  });

  it('tell who signs in, who is a minor, who agreed and who cannot be reached', () => {
    expect(figures).toMatchObject({
      // The owner has just signed in.
      signedInLast7Days: 2,
      signedInLast30Days: 3,
      minors: 1,
      marketingAllowed: 1,
      withoutPhone: 10,
      withoutEmail: 1,
    });
    expect(Date.now() - Date.parse(figures.countedAt)).toBeLessThan(60_000);
  });

  it('tell of twelve months of India, the last of which goes on', () => {
    const { growth } = figures;
    expect(growth.map(({ month }: { month: string }) => month)).toEqual(
      Array.from({ length: 12 }, (_, index) => monthsAgo(11 - index).toFormat('yyyy-MM')),
    );
    expect(growth.map(({ unfinished }: { unfinished: boolean }) => unfinished).indexOf(true)).toBe(11);
    expect(growth[8]).toEqual({
      month: monthsAgo(3).toFormat('yyyy-MM'),
      unfinished: false,
      total: 1,
      OWNER: 0,
      STAFF: 0,
      STUDENT: 1,
      PARENT: 0,
    });
    expect(growth[7]).toMatchObject({ total: 1, PARENT: 1 });
    expect(growth[0]).toMatchObject({ total: 1, STUDENT: 1 });
    expect(growth[11]).toMatchObject({ total: 1, OWNER: 1 });
    expect(growth[1]).toMatchObject({ total: 0 });
  });

  it('are the same for a portal admin who asks for this tenant, either way', async () => {
    const { countedAt: _, ...told } = figures;
    expect(await figuresOf(`?tenantId=${owner.tenantId}`)).toMatchObject(told);
    const { body } = await get('', admin, { 'x-tenant-id': owner.tenantId });
    expect(body.data).toMatchObject(told);
    expect(await figuresOf(`?tenantId=${owner.tenantId}`, owner.token)).toMatchObject(told);
  });

  it('are for nobody of another tenant', async () => {
    const other = await app.ownerWithToken();
    const query = `?tenantId=${owner.tenantId}`;
    expectError(await get(query, other.token), 404, 'not_found');
    expectError(await get(query, admin, { 'x-tenant-id': other.tenantId }), 404, 'not_found');
    expectError(await get(`?tenantId=${newId()}`), 404, 'not_found');
    expect((await figuresOf('', other.token)).total).toBe(1);
    const student = await app.signIn(await app.buildUser({ role: 'student', tenantId: owner.tenantId }));
    expectError(await get('', student.token), 403, 'forbidden');
  });
});

it('name the twenty tenants and cities with most people, and count the rest', async () => {
  for (let index = 0; index < 23; index += 1) {
    const { id } = await app.buildTenant({
      name: `Hall ${index}`,
      city: index % 2 ? `Bundi ${index}` : `BUNDI ${index}`,
    });
    await addPeople(
      id,
      Array.from({ length: 30 + index }, () => ({})),
    );
  }
  const figures = await figuresOf();
  expect(figures.topTenants.map(({ name }: { name: string }) => name)).toEqual(
    Array.from({ length: 20 }, (_, index) => `Hall ${22 - index}`),
  );
  expect(figures.topTenants[0]).toEqual({ id: expect.any(String), name: 'Hall 22', people: 52 });
  expect(figures.byCity.top).toHaveLength(20);
  expect(figures.byCity.top[0]).toEqual({ city: 'BUNDI 22', people: 52 });
  const named = figures.byCity.top.reduce((sum: number, { people }: { people: number }) => sum + people, 0);
  expect(named + figures.byCity.rest).toBe(figures.total);
});

it('take one round trip, and answer in time however many people there are', async () => {
  const people = process.env.TEST_ALL ? 200_000 : 20_000;
  await app.query(
    `insert into users (id, tenant_id, type, kind, name, email, phone, status, date_of_birth, last_login_at, created_at, updated_at)
     select 'c' || substr(md5('many' || i), 1, 24), (array(select id from tenants order by id))[1 + i % 25], 'PLATFORM_USER', 'STUDENT',
            'Ravi ' || i, 'ravi' || i || '@people.example', null, 'ACTIVE', date '2000-01-01' + i % 8000,
            now() - i % 100 * interval '1 day', now() - i * interval '2 minutes', now() from generate_series(1, $1::int) i`,
    [people],
  );
  await app.query('analyze users');
  const began = performance.now();
  expect((await figuresOf()).total).toBeGreaterThan(people);
  const took = performance.now() - began;
  if (process.env.TEST_ALL) process.stdout.write(`Figures of ${people} people: ${Math.round(took)} ms\n`);
  expect(took).toBeLessThan(5_000);
  const scopes = await scopesOf(app, '/api/platform-users/analytics', admin);
  const counting = scopes.filter((statements) => statements.some(({ text }) => text.includes('from users u')));
  expect(
    counting.map(({ length }) => length),
    'the scope and two statements',
  ).toEqual([3]);
}, 180_000);
