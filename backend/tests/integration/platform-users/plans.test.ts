import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { messagesOf, planOf, scopesOf, type Plan } from '../../support/plans.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { base } from './person-calls.ts';

// The statements that the lists really send, and how PostgreSQL would run them over 20,000 people of 200 tenants, of
// whom one has 2,000: for a portal admin, and for the owner of that one.

let app: TestApp;
let database: pg.Client;
let admin: string;
let owner: { token: string; tenantId: string };
let busy: { libraryId: string; studentId: string; parentId: string };

const idOf = (kind: string, number: string) => `'c' || substr(md5('${kind}' || ${number}), 1, 24)`;

beforeAll(async () => {
  app = await startTestApp();
  admin = await app.adminToken();
  owner = await app.ownerWithToken();
  await fill(owner.tenantId);
  const [row] = await app.query<typeof busy>(
    `select ${idOf('library', '0')} as "libraryId", ${idOf('user', '20')} as "studentId", ${idOf('user', '30')} as "parentId"`,
  );
  busy = row!;
  database = new pg.Client(app.database.appUrl);
  await database.connect();
});
afterAll(async () => {
  await database.end();
  await app.close();
});

async function fill(tenantId: string): Promise<void> {
  const tenantOf = (number: string) =>
    `case when ${number} % 10 = 0 then '${tenantId}' else ${idOf('tenant', `(1 + ${number} % 200)`)} end`;
  await app.query(`
    insert into tenants (id, name, slug, email, status, created_at, updated_at)
    select ${idOf('tenant', 'i')}, 'Reading Hall ' || i, 'reading-hall-of-' || i, 'office' || i || '@halls.example', 'ACTIVE', now(), now()
      from generate_series(1, 200) i;
    insert into libraries (id, tenant_id, name, address_line, city, state, pincode, seat_count, updated_at)
    select ${idOf('library', 'i')}, ${tenantOf('(i * 10)')}, 'Hall ' || i, 'x', 'Kota', 'RJ', '324005', 40, now()
      from generate_series(0, 300) i;
    insert into users (id, tenant_id, type, kind, name, email, phone, status, course, date_of_birth, library_id, created_at, last_login_at, updated_at)
    select ${idOf('user', 'i')}, ${tenantOf('i')}, 'PLATFORM_USER',
           (array['OWNER', 'STUDENT', 'STUDENT', 'PARENT', 'STAFF', 'STUDENT', 'STUDENT'])[1 + (i / 10) % 7]::person_kind,
           'Person ' || i, 'person' || i || '@people.example', '+9197' || lpad(i::text, 8, '0'),
           (array['ACTIVE', 'ACTIVE', 'ACTIVE', 'ACTIVE', 'PENDING', 'INACTIVE'])[1 + (i / 7) % 6]::user_status,
           (array['NEET', 'JEE', 'UPSC'])[1 + i % 30], case when i % 50 = 0 then '2012-01-01' else '1990-01-01' end::date - i % 500,
           ${idOf('library', '(i % 300)')}, now() - i * interval '3 minutes',
           case when i % 3 > 0 then now() - i * interval '1 hour' end, now()
      from generate_series(1, 20000) i;
    insert into guardianships (id, tenant_id, student_id, guardian_id, relation)
    select ${idOf('link', 'i')}, ${tenantOf('i')}, ${idOf('user', 'i')}, ${idOf('user', '(i + 10)')}, 'MOTHER'
      from generate_series(10, 15000) i;
    update users set kind = 'STUDENT' where id = ${idOf('user', '20')};
    update users set kind = 'PARENT' where id = ${idOf('user', '30')};
    analyze`);
}

const callers = {
  'a portal admin': () => admin,
  'the owner of a tenant': () => owner.token,
};
type Caller = keyof typeof callers;
const both = Object.keys(callers) as Caller[];
const each = <Value>(values: readonly Value[]) => both.flatMap((caller) => values.map((value) => ({ caller, value })));

/** The plans of what the handler sends: who is calling is asked first, and a scope comes before either. */
async function plansOf(path: string, caller: Caller, how?: string): Promise<Plan[][]> {
  const scopes = await scopesOf(app, `${base}${path}`, callers[caller]());
  expect(scopes).toHaveLength(2);
  const [scope, ...statements] = scopes[1]!;
  const plans: Plan[][] = [];
  for (const statement of statements) plans.push(await planOf(database, scope!, statement, how));
  return plans;
}

const indexesOf = (nodes: Plan[]) =>
  Object.fromEntries(
    nodes.flatMap((node) => (node['Index Name'] ? [[node['Index Name'], node['Index Cond'] ?? '']] : [])),
  );
const scanned = (nodes: Plan[]) =>
  nodes.filter((node) => node['Node Type'] === 'Seq Scan').map((node) => node['Relation Name']);
const sorted = (nodes: Plan[]) =>
  nodes
    .filter((node) => node['Sort Key']?.some((key) => /^\(?(?:u\.|coalesce)/i.test(key)))
    .map((node) => node['Node Type']);

describe('The list of people', () => {
  it.each(
    each([
      ['createdAt', /^users_(people|tenant_id)_created/],
      ['name', /^users_(people|tenant_id)_name/],
      ['lastLoginAt', /^users_(people|tenant)_sign_in/],
    ] as const).flatMap(({ caller, value: [sort, index] }) =>
      ['asc', 'desc'].map((order) => ({ caller, sort, index, order })),
    ),
  )('is sorted by $sort $order along an index, for $caller', async ({ caller, sort, index, order }) => {
    const [rows, count] = await plansOf(`?sort=${sort}&order=${order}`, caller);
    expect(Object.keys(indexesOf(rows!)).filter((name) => index.test(name))).toHaveLength(1);
    expect(sorted(rows!)).toEqual([]);
    expect([...scanned(rows!), ...scanned(count!)]).toEqual([]);
  });

  const filters = [
    'kind=OWNER',
    'status=PENDING',
    'libraryId=:library',
    'course=neet',
    'minor=true',
    'minor=false',
    'createdFrom=2999-01-01',
    'createdTo=2020-01-01',
    'q=person+1999',
    'q=mi',
    'tenantId=:tenant',
    'tenantId=:tenant&kind=STUDENT&status=ACTIVE&course=jee&minor=true&q=person&sort=name',
  ];
  const queryOf = (query: string) => query.replace(':library', busy.libraryId).replace(':tenant', owner.tenantId);

  it.each(each(filters))(
    'is filtered by $value without reading whole tables, for $caller',
    async ({ caller, value }) => {
      for (const plan of await plansOf(`?${queryOf(value)}`, caller)) {
        expect(scanned(plan), value).toEqual([]);
        expect(Object.keys(indexesOf(plan)).join(' ')).toMatch(/users_/);
        if (caller === 'a portal admin') continue;
        const looked = Object.entries(indexesOf(plan)).filter(([name]) => name.startsWith('users_'));
        // A library belongs to one tenant.
        expect(looked.map(([, condition]) => condition).join(' ')).toMatch(/tenant_id|library_id/);
      }
    },
  );

  it.each([
    ['kind=OWNER', 'users_people_kind_idx', 'kind'],
    ['status=PENDING', 'users_people_status_idx', 'status'],
    ['libraryId=:library', 'users_library_idx', 'library_id'],
    ['course=neet', 'users_people_course_idx', 'lower(course)'],
    ['minor=true', 'users_tenant_born_idx', 'date_of_birth'],
    ['createdFrom=2999-01-01', 'users_people_created_idx', 'created_at'],
    ['q=person+1999', 'users_people_search_idx', 'search_text'],
    ['tenantId=:tenant&kind=STAFF', 'users_tenant_id_kind_created_at_id_idx', 'tenant_id'],
  ])('looks up %s in an index of its own, for a portal admin', async (query, index, column) => {
    const [, count] = await plansOf(`?${queryOf(query)}`, 'a portal admin');
    expect(indexesOf(count!)[index]).toContain(column);
  });

  it.each(['createdAt', 'name', 'lastLoginAt'])(
    'searched over all tenants finds by the index of the search and sorts by %s then: never along everybody',
    async (sort) => {
      const [rows] = await plansOf(`?q=person+1999&sort=${sort}`, 'a portal admin');
      expect(Object.keys(indexesOf(rows!)).filter((name) => name.startsWith('users_people'))).toEqual([
        'users_people_search_idx',
      ]);
    },
  );

  it.each(each(['', '?sort=name', '?kind=STUDENT', '?q=person']))(
    'looks up tenant and library for each row of the page, and not for each that matches: $value, for $caller',
    async ({ caller, value }) => {
      const [rows] = await plansOf(value, caller, ', analyze, timing off');
      for (const table of ['tenants', 'libraries']) {
        const lookUps = rows!.filter((node) => node['Relation Name'] === table);
        expect(lookUps.map((node) => node['Actual Loops'])).toEqual([20]);
      }
    },
  );
});

describe('The lists of one kind', () => {
  it.each(each(['owners', 'students', 'parents', 'staff']))(
    'read what belongs to $value by keys, for each row of the page, for $caller',
    async ({ caller, value }) => {
      const [rows, count] = await plansOf(`/${value}`, caller, ', analyze, timing off');
      expect([...scanned(rows!), ...scanned(count!)]).toEqual([]);
      expect(Math.max(...rows!.map((node) => node['Actual Loops'] ?? 0))).toBeLessThanOrEqual(40);
    },
  );
});

describe('One person', () => {
  it.each(each(['', 'students/', 'parents/']))(
    'is found by keys: $value:id, for $caller',
    async ({ caller, value }) => {
      const id = value === 'parents/' ? busy.parentId : busy.studentId;
      const [plan, ...others] = await plansOf(`/${value}${id}`, caller);
      expect(others).toEqual([]);
      expect(scanned(plan!)).toEqual([]);
      expect(indexesOf(plan!)).toHaveProperty('users_pkey');
    },
  );
});

describe('The number of statements', () => {
  it.each(['', '/owners', '/students', '/parents', '/staff'])('does not grow with the rows: %s', async (path) => {
    const newcomer = (await app.signIn(await app.buildOwner({ tenantId: owner.tenantId }))).token;
    const sizes = async (limit: number) =>
      (await messagesOf(app, `${base}${path}?limit=${limit}`, newcomer)).map((batch) => batch.length);
    // Who is calling, and rows and number: each in its scope, and together from the second call on.
    expect([await sizes(1), await sizes(100)]).toEqual([[2, 3], [5]]);
  });
});
