import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { newId } from '../../../src/utils/ids.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { planOf, scopesOf } from '../../support/plans.ts';
import { emptyRedis } from '../../support/processes.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({ REDIS_URL: await emptyRedis(11) });
});
afterAll(() => app.close());

const analyticsOf = async (tenantId: string, token: string) => {
  const answer = await app.call('GET', `/api/tenants/${tenantId}/analytics`, { token });
  expectSuccess(answer);
  return answer.body.data;
};

type Person = Partial<{
  kind: string;
  status: string;
  course: string | null;
  libraryId: string | null;
  createdAt: string;
  lastLoginAt: string | null;
  deletedAt: string | null;
}>;

async function buildPerson(tenantId: string, person: Person): Promise<string> {
  const id = newId();
  await app.query(
    `insert into users (id, tenant_id, type, kind, name, phone, status, course, library_id, created_at, last_login_at, deleted_at, updated_at)
     values ($1, $2, 'PLATFORM_USER', $3::person_kind, 'Ravi', '+919829012345', $4::user_status, $5, $6,
             coalesce($7::timestamptz, now()), $8, $9, now())`,
    [
      id,
      tenantId,
      person.kind ?? 'STUDENT',
      person.status ?? 'ACTIVE',
      person.course ?? null,
      person.libraryId ?? null,
      person.createdAt ?? null,
      person.lastLoginAt ?? null,
      person.deletedAt ?? null,
    ],
  );
  return id;
}

async function buildLibrary(tenantId: string, name: string, seats: number): Promise<string> {
  const id = newId();
  await app.query(
    `insert into libraries (id, tenant_id, name, address_line, city, state, pincode, seat_count, updated_at)
     values ($1, $2, $3, '1 Road', 'Kota', 'RJ', '324005', $4, now())`,
    [id, tenantId, name, seats],
  );
  return id;
}

const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();
const none = { total: 0, ACTIVE: 0, INACTIVE: 0, SUSPENDED: 0, PENDING: 0 };

/** The month it is in India, and those before. */
function monthsOf(now: Date): string[] {
  const [year, month] = new Intl.DateTimeFormat('en-CA', {
    timeZone: 'Asia/Kolkata',
    year: 'numeric',
    month: '2-digit',
  })
    .format(now)
    .split('-')
    .map(Number) as [number, number];
  return Array.from({ length: 12 }, (_, index) => {
    const whole = year * 12 + month - 1 - (11 - index);
    return `${Math.floor(whole / 12)}-${String((whole % 12) + 1).padStart(2, '0')}`;
  });
}

describe('The figures of a tenant', () => {
  it('are all there where there is nothing to count', async () => {
    const { id } = await app.buildTenant();
    const figures = await analyticsOf(id, await app.adminToken());
    expect(figures).toEqual({
      asOf: expect.stringMatching(/^\d{4}-.*Z$/),
      people: {
        total: 0,
        byKind: { OWNER: none, STAFF: none, STUDENT: none, PARENT: none },
        activeLast7Days: 0,
        activeLast30Days: 0,
      },
      growth: monthsOf(new Date()).map((month, index) => ({
        month,
        unfinished: index === 11,
        added: 0,
        students: 0,
        total: 0,
        growthRate: null,
      })),
      courses: { top: [], others: 0, unknown: 0 },
      libraries: [],
      seats: { libraries: 0, seats: 0, students: 0, unassigned: 0, occupancy: null },
    });
    expect(Math.abs(Date.parse(figures.asOf) - Date.now())).toBeLessThan(30_000);
  });

  it('count people by kind and status, without those who have left', async () => {
    const { id } = await app.buildTenant();
    await buildPerson(id, { kind: 'OWNER' });
    await buildPerson(id, { kind: 'STAFF', status: 'SUSPENDED' });
    await buildPerson(id, {});
    await buildPerson(id, { status: 'INACTIVE' });
    await buildPerson(id, { status: 'PENDING' });
    await buildPerson(id, { deletedAt: daysAgo(1), lastLoginAt: daysAgo(1) });
    const { people } = await analyticsOf(id, await app.adminToken());
    expect(people).toMatchObject({
      total: 5,
      byKind: {
        OWNER: { ...none, total: 1, ACTIVE: 1 },
        STAFF: { ...none, total: 1, SUSPENDED: 1 },
        STUDENT: { ...none, total: 3, ACTIVE: 1, INACTIVE: 1, PENDING: 1 },
        PARENT: none,
      },
    });
  });

  it('call active who signed in or used a session, and not whom an admin acted for', async () => {
    const { id } = await app.buildTenant();
    await buildPerson(id, { lastLoginAt: daysAgo(1) });
    await buildPerson(id, { lastLoginAt: daysAgo(8) });
    await buildPerson(id, { lastLoginAt: daysAgo(31) });
    const session = (userId: string, began: string, seen: string, impersonation: string | null) =>
      app.query(
        `insert into sessions (id, tenant_id, user_id, refresh_seed, created_at, last_seen_at, expires_at, impersonation_id)
         values ($1, $2, $3, 'seed', $4, $5, $4::timestamptz + interval '30 minutes', $6)`,
        [newId(), id, userId, began, seen, impersonation],
      );
    const longSignedIn = await buildPerson(id, { lastLoginAt: daysAgo(60) });
    await session(longSignedIn, daysAgo(60), daysAgo(2), null);
    await session(longSignedIn, daysAgo(50), daysAgo(3), null);
    const actedFor = await buildPerson(id, {});
    await session(actedFor, daysAgo(1), daysAgo(1), newId());
    const { people } = await analyticsOf(id, await app.adminToken());
    expect(people).toMatchObject({ total: 5, activeLast7Days: 2, activeLast30Days: 3 });
  });

  it('grow by the months of India', async () => {
    const { id } = await app.buildTenant();
    const months = monthsOf(new Date());
    const [before, first, second] = [months[0], months[3], months[4]] as [string, string, string];
    // The last second of a month in India is still in it, though it is not the last of the day in UTC.
    const endOfFirst = new Date(Date.parse(`${second}-01T00:00:00+05:30`) - 1000).toISOString();
    await buildPerson(id, { createdAt: '2019-05-05T00:00:00Z' });
    await buildPerson(id, { createdAt: `${before}-10T00:00:00Z`, kind: 'STAFF' });
    await buildPerson(id, { createdAt: endOfFirst });
    await buildPerson(id, { createdAt: `${second}-01T00:00:00+05:30` });
    await buildPerson(id, { createdAt: `${second}-15T00:00:00+05:30`, deletedAt: daysAgo(0) });
    await buildPerson(id, { createdAt: daysAgo(0) });
    const { growth } = await analyticsOf(id, await app.adminToken());
    const of = (month: string) => growth.find((row: { month: string }) => row.month === month);
    expect(of(before)).toEqual({ month: before, unfinished: false, added: 1, students: 0, total: 2, growthRate: 1 });
    expect(of(first)).toEqual({ month: first, unfinished: false, added: 1, students: 1, total: 3, growthRate: 0.5 });
    expect(of(second)).toMatchObject({ added: 1, students: 1, total: 4, growthRate: 0.3333 });
    expect(growth.at(-1)).toMatchObject({ unfinished: true, added: 1, total: 5, growthRate: 0.25 });
    expect(growth.map((row: { month: string }) => row.month)).toEqual(months);
  });

  it('name the twenty courses with most students, and sum up the rest', async () => {
    const { id } = await app.buildTenant();
    for (const course of ['NEET', 'neet', 'NEET', 'JEE', 'JEE', null]) await buildPerson(id, { course });
    for (let index = 10; index < 30; index += 1) await buildPerson(id, { course: `Course ${index}` });
    await buildPerson(id, { course: 'NEET', kind: 'STAFF' });
    const { courses } = await analyticsOf(id, await app.adminToken());
    expect(courses.top).toHaveLength(20);
    expect(courses.top.slice(0, 3)).toEqual([
      { course: expect.stringMatching(/^neet$/i), students: 3 },
      { course: 'JEE', students: 2 },
      { course: 'Course 10', students: 1 },
    ]);
    expect(courses).toMatchObject({ others: 2, unknown: 1 });
  });

  it('tell how full the libraries are', async () => {
    const { id } = await app.buildTenant();
    const north = await buildLibrary(id, 'North', 3);
    const south = await buildLibrary(id, 'South', 2);
    for (const libraryId of [north, north, north, north, south, null]) await buildPerson(id, { libraryId });
    await buildPerson(id, { libraryId: north, status: 'INACTIVE' });
    await buildPerson(id, { libraryId: north, kind: 'STAFF' });
    const { libraries, seats } = await analyticsOf(id, await app.adminToken());
    expect(libraries).toEqual([
      { id: north, name: 'North', seats: 3, students: 4, occupancy: 1.3333 },
      { id: south, name: 'South', seats: 2, students: 1, occupancy: 0.5 },
    ]);
    expect(seats).toEqual({ libraries: 2, seats: 5, students: 6, unassigned: 1, occupancy: 1 });
  });

  it('are the own ones alone for people of a tenant, and not for students', async () => {
    const [mine, theirs] = [await app.ownerWithToken(), await app.ownerWithToken()];
    expect((await analyticsOf(mine.tenantId, mine.token)).people.total).toBe(1);
    await analyticsOf(theirs.tenantId, theirs.token);
    const path = `/api/tenants/${theirs.tenantId}/analytics`;
    expectError(await app.call('GET', path, { token: mine.token }), 404, 'not_found');
    expectError(await app.call('GET', `/api/tenants/${newId()}/analytics`, { token: mine.token }), 404, 'not_found');
    const student = await app.signIn(await app.buildUser({ role: 'student', tenantId: theirs.tenantId }));
    expectError(await app.call('GET', path, { token: student.token }), 403, 'forbidden');
  });

  it('are counted anew after a change of its people', async () => {
    const { token, tenantId } = await app.ownerWithToken();
    const before = await analyticsOf(tenantId, token);
    // Nobody was told of somebody who was added past the API.
    await buildPerson(tenantId, {});
    const kept = await analyticsOf(tenantId, token);
    if (inject('testServers').redisUrl) expect(kept).toEqual(before);
    const admin = await app.elevatedToken();
    const { body, status } = await app.call('POST', '/api/platform-users', {
      token: admin,
      body: { tenantId, kind: 'STAFF', name: 'Asha Rao', email: `asha-${newId()}@people.example` },
    });
    expect(status, JSON.stringify(body)).toBe(201);
    expect((await analyticsOf(tenantId, token)).people).toMatchObject({ total: 3 });
  });
});

describe('Over 4,000 people', () => {
  it('nothing is read but along an index, in two messages', async () => {
    const { id: tenantId } = await app.buildTenant();
    const { id: other } = await app.buildTenant();
    const library = await buildLibrary(tenantId, 'North', 100);
    await app.query(
      `insert into users (id, tenant_id, type, kind, name, phone, status, course, library_id, created_at, updated_at)
       select 'c' || substr(md5('person' || i), 1, 24), case when i % 10 = 0 then $1 else $2 end, 'PLATFORM_USER', 'STUDENT',
              'Person ' || i, '+919829012345', 'ACTIVE', 'Course ' || i % 40, case when i % 20 = 0 then $3 end,
              now() - i * interval '1 hour', now() from generate_series(1, 4000) i`,
      [tenantId, other, library],
    );
    await app.query('analyze users; analyze libraries; analyze sessions');
    const token = await app.adminToken();
    const scopes = await scopesOf(app, `/api/tenants/${tenantId}/analytics`, token);
    const counting = scopes.at(-1);
    expect(counting?.[0]?.values).toEqual(['studyspot_tenant', tenantId]);
    expect(counting).toHaveLength(6);
    const database = new pg.Client(app.database.appUrl);
    await database.connect();
    try {
      for (const statement of counting!.slice(1)) {
        const plan = await planOf(database, counting![0]!, statement);
        const tables = plan.filter((node) => node['Relation Name']);
        expect(tables.length).toBeGreaterThan(0);
        for (const node of tables) {
          expect(node['Node Type'], statement.text).not.toBe('Seq Scan');
        }
      }
    } finally {
      await database.end();
    }
    const query = vi.spyOn(pg.Client.prototype, 'query');
    const again = await app.call('GET', `/api/tenants/${tenantId}/analytics`, { token });
    expectSuccess(again);
    expect(again.body.data.people.total).toBe(400);
    // Who is calling and whether there is such a tenant; the figures are kept.
    if (inject('testServers').redisUrl) expect(query).toHaveBeenCalledTimes(1);
  });
});
