import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PersonKind, UserStatus } from '../../../src/generated/prisma/enums.ts';
import { newId } from '../../../src/utils/ids.ts';
import { queryString } from '../../support/calls.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';

type Person = {
  id: string;
  tenant_id: string;
  name: string;
  email: string | null;
  phone: string | null;
  kind: PersonKind;
  status: UserStatus;
  created_at: string;
};
type Filter = { kind?: PersonKind; status?: UserStatus; q?: string };

const kinds = Object.values(PersonKind);
const statuses = Object.values(UserStatus);
const cycle = <Item>(items: readonly Item[], index: number): Item => items[index % items.length] as Item;

let app: TestApp;
let token: string;
let tenantId: string;
let people: Person[];
beforeAll(async () => {
  app = await startTestApp();
  token = await app.adminToken({ role: 'support' });
  tenantId = (await app.buildTenant()).id;
  const other = (await app.buildTenant()).id;
  const person = (index: number, of: string, changes: Partial<Person> = {}): Person => ({
    id: newId(),
    tenant_id: of,
    name: `Person ${index % 9}`,
    email: index % 4 === 0 ? null : `person${index}-${of.slice(-4)}@people.example`,
    phone: index % 4 < 2 ? `+9198290${10_000 + index}` : null,
    kind: cycle(kinds, index),
    status: cycle(statuses, Math.floor(index / 3)),
    created_at: cycle(['2026-06-01T00:00:00.000Z', '2026-06-02T00:00:00.000Z'], Math.floor(index / 10)),
    ...changes,
  });
  people = [
    ...Array.from({ length: 40 }, (_, index) => person(index, tenantId)),
    person(41, tenantId, { name: 'मीरा शर्मा', email: 'meera@devanagari.example' }),
    person(42, tenantId, { name: 'Ravi_Kumar 100%', email: 'ravi@people.example', phone: '+912226598765' }),
  ];
  const strangers = Array.from({ length: 30 }, (_, index) => person(index, other));
  await app.query(
    `insert into users (id, tenant_id, type, name, email, phone, kind, status, created_at, updated_at)
     select id, tenant_id, 'PLATFORM_USER', name, email, phone, kind, status, created_at, now()
       from jsonb_to_recordset($1) as p (id text, tenant_id text, name text, email text, phone text, kind person_kind,
            status user_status, created_at timestamptz)`,
    [JSON.stringify([...people, ...strangers])],
  );
});
afterAll(() => app.close());

const list = (query: Record<string, string | number | undefined> = {}, who = token, id = tenantId) =>
  app.call('GET', `/api/tenants/${id}/users${queryString(query)}`, { token: who });
const idsOf = (answer: Awaited<ReturnType<typeof list>>) => (answer.body.data as Person[]).map(({ id }) => id);

function expected({ kind, status, q }: Filter, sort: 'createdAt' | 'name', order: 'asc' | 'desc'): string[] {
  const words = q?.toLowerCase().split(' ') ?? [];
  const column = sort === 'name' ? 'name' : 'created_at';
  const direction = order === 'asc' ? 1 : -1;
  const compare = (left: string, right: string) => (left === right ? 0 : left < right ? -1 : 1);
  return people
    .filter((person) => !kind || person.kind === kind)
    .filter((person) => !status || person.status === status)
    .filter(({ name, email, phone }) => words.every((word) => `${name} ${email} ${phone}`.toLowerCase().includes(word)))
    .toSorted((left, right) => direction * (compare(left[column], right[column]) || compare(left.id, right.id)))
    .map(({ id }) => id);
}

describe('GET /api/tenants/:id/users', () => {
  it('lists the newest first, twenty a page', async () => {
    const answer = await list();
    expect(answer.status).toBe(200);
    expect(idsOf(answer)).toEqual(expected({}, 'createdAt', 'desc').slice(0, 20));
    expect(answer.body.meta).toEqual({ page: 1, limit: 20, total: people.length, totalPages: 3 });
  });

  it('shows of each what is needed, and nothing of passwords', async () => {
    const meera = people.find(({ email }) => email === 'meera@devanagari.example');
    const answer = await list({ q: 'मीरा' });
    expect(answer.body.data).toEqual([
      {
        id: meera?.id,
        name: 'मीरा शर्मा',
        email: 'meera@devanagari.example',
        phone: meera?.phone,
        kind: meera?.kind,
        status: meera?.status,
        lastLoginAt: null,
        createdAt: meera?.created_at,
      },
    ]);
  });

  it('tells when somebody last signed in', async () => {
    const { owner, tenantId: id } = await app.ownerWithToken();
    const { data } = (await list({}, token, id)).body;
    expect(data).toMatchObject([{ id: owner.id, lastLoginAt: expect.stringMatching(/^20\d\d-.*Z$/) }]);
  });

  it('filters by kind, status and search, alone and together, sorts and pages', async () => {
    const maybe = <Value>(...values: Value[]) => fc.option(fc.constantFrom(...values), { nil: undefined });
    const query = fc.record({
      kind: maybe(...kinds),
      status: maybe(...statuses),
      q: maybe('person', 'PERSON 3', '@people', '98290', '_kumar', '0%', 'शर्मा', '%%', "' or ''='"),
      sort: fc.constantFrom('createdAt' as const, 'name' as const),
      order: fc.constantFrom('asc' as const, 'desc' as const),
    });
    await fc.assert(
      fc.asyncProperty(query, fc.integer({ min: 3, max: 50 }), async (given, limit) => {
        const asked = Object.fromEntries(Object.entries(given).filter(([, value]) => value)) as Record<string, string>;
        const all = expected(given, given.sort, given.order);
        const totalPages = Math.ceil(all.length / limit);
        const collected: string[] = [];
        for (let page = 1; page <= Math.max(1, totalPages); page += 1) {
          const answer = await list({ ...asked, page, limit });
          expect(answer.status, answer.text).toBe(200);
          expect(answer.body.meta).toEqual({ page, limit, total: all.length, totalPages });
          collected.push(...idsOf(answer));
        }
        expect(collected).toEqual(all);
      }),
      { numRuns: 40 },
    );
  });

  it.each([{ kind: 'ADMIN' }, { kind: '' }, { status: 'PURGED' }, { q: 'x' }, { sort: 'email' }, { role: 'owner' }])(
    'refuses %j',
    async (query) => {
      const answer = await list(query);
      expect(answer.status).toBe(400);
      expect(answer.body.error.details.issues).toMatchObject([{ in: 'query', field: Object.keys(query)[0] }]);
    },
  );

  it('is a 404 for a tenant that is not there or was purged', async () => {
    expect((await list({}, token, newId())).status).toBe(404);
    const purged = await app.buildTenant({ status: 'PURGED' });
    await app.buildOwner({ tenantId: purged.id });
    const answer = await list({}, token, purged.id);
    expect([answer.status, answer.body.error.message]).toEqual([404, 'There is no such tenant.']);
  });

  it('is empty, and no 404, for a tenant without people', async () => {
    const { id } = await app.buildTenant();
    const { body } = await list({}, token, id);
    expect([body.data, body.meta.total]).toEqual([[], 0]);
  });
});

describe('Who sees the people of a tenant', () => {
  it.each(['owner', 'library_staff'] as const)('a %s sees those of their own, and of no other', async (role) => {
    const user = await app.buildUser({ role });
    const { token: theirs } = await app.signIn(user);
    const own = await list({ limit: 100 }, theirs, user.tenantId as string);
    expect(idsOf(own)).toEqual([user.id]);
    for (const query of [{}, { q: 'person' }, { kind: 'OWNER' }]) {
      expect((await list(query, theirs)).status).toBe(404);
    }
  });

  it.each(['student', 'parent'] as const)('a %s sees none', async (role) => {
    const user = await app.buildUser({ role });
    const { token: theirs } = await app.signIn(user);
    expect((await list({}, theirs, user.tenantId as string)).status).toBe(403);
  });

  it('an admin within one tenant sees those of that one alone', async () => {
    const { id } = await app.buildTenant();
    const within = { token, headers: { 'x-tenant-id': id } };
    expect((await app.call('GET', `/api/tenants/${id}/users`, within)).status).toBe(200);
    expect((await app.call('GET', `/api/tenants/${tenantId}/users`, within)).status).toBe(404);
  });

  it('nobody sees portal admins there', async () => {
    const { data } = (await list({ limit: 100 })).body;
    const admins = await app.query<{ id: string }>(`select id from users where type = 'ADMIN_USER'`);
    expect(admins.length).toBeGreaterThan(0);
    const shown = new Set((data as Person[]).map(({ id }) => id));
    expect(admins.filter(({ id }) => shown.has(id))).toEqual([]);
  });
});
