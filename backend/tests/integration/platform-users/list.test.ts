import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { queryString } from '../../support/calls.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { ADULT, base, CHILD, peopleOf, yearsAgo } from './person-calls.ts';

let app: TestApp;
let people: ReturnType<typeof peopleOf>;
let admin: string;
beforeAll(async () => {
  app = await startTestApp();
  people = peopleOf(app);
  admin = await app.adminToken({ role: 'support' });
});
afterAll(() => app.close());

const list = (
  token: string,
  query: Record<string, string | number> = {},
  path = '',
  headers?: Record<string, string>,
) => app.call('GET', `${base}${path}${queryString(query)}`, { token, ...(headers && { headers }) });
const namesOf = ({ body }: Awaited<ReturnType<typeof list>>): string[] =>
  body.data.map((row: { name: string }) => row.name);

describe('GET /api/platform-users', () => {
  it('tells each with tenant and library, and nobody who has left, nor an admin', async () => {
    const { owner, token, tenantId } = await app.ownerWithToken({ name: 'Meera' });
    const [tenant] = await app.query<{ name: string }>('select name from tenants where id = $1', [tenantId]);
    const libraryId = await people.buildLibrary(tenantId);
    const ravi = await app.buildUser({ role: 'student', tenantId, name: 'Ravi', phone: '+919829054321' });
    await app.query(`update users set library_id = $2, member_number = 'K-1' where id = $1`, [ravi.id, libraryId]);
    const gone = await app.buildUser({ role: 'student', tenantId });
    await people.remove(token, gone.id);
    const answer = await list(token, { sort: 'name', order: 'asc' });
    expect(answer.body.meta).toEqual({ page: 1, limit: 20, total: 2, totalPages: 1 });
    expect(answer.body.data).toEqual([
      {
        id: owner.id,
        tenant: { id: tenantId, name: tenant!.name },
        kind: 'OWNER',
        name: 'Meera',
        email: owner.email,
        phone: null,
        status: 'ACTIVE',
        library: null,
        memberNumber: null,
        lastLoginAt: expect.stringMatching(/Z$/),
        createdAt: expect.stringMatching(/Z$/),
      },
      expect.objectContaining({
        id: ravi.id,
        kind: 'STUDENT',
        phone: '+919829054321',
        library: { id: libraryId, name: expect.stringContaining('Talwandi') },
        memberNumber: 'K-1',
        lastLoginAt: null,
      }),
    ]);
  });

  it('shows people of a tenant their own alone, whatever they ask for', async () => {
    const { token, tenantId } = await app.ownerWithToken({ name: 'Own' });
    const other = await app.ownerWithToken({ name: 'Other' });
    const foreignLibrary = await people.buildLibrary(other.tenantId);
    expect(namesOf(await list(token))).toEqual(['Own']);
    expect(namesOf(await list(token, { tenantId }))).toEqual(['Own']);
    const foreign: Record<string, string>[] = [
      { tenantId: other.tenantId },
      { libraryId: foreignLibrary },
      { q: 'Other' },
    ];
    for (const query of foreign) {
      const answer = await list(token, query);
      expect([answer.status, answer.body.meta.total]).toEqual([200, 0]);
    }
    for (const path of ['/owners', '/students', '/parents', '/staff']) {
      expect(namesOf(await list(token, {}, path))).toEqual(path === '/owners' ? ['Own'] : []);
    }
  });

  it('shows portal admins those of all tenants, or of the one they name', async () => {
    const [one, two] = [await app.buildOwner({ name: 'Twin Anand' }), await app.buildOwner({ name: 'Twin Bimal' })];
    const q = { q: 'twin', sort: 'name', order: 'asc' };
    expect(namesOf(await list(admin, q))).toEqual(['Twin Anand', 'Twin Bimal']);
    expect(namesOf(await list(admin, { ...q, tenantId: String(two.tenantId) }))).toEqual(['Twin Bimal']);
    const narrowed = { 'x-tenant-id': String(one.tenantId) };
    expect(namesOf(await list(admin, q, '', narrowed))).toEqual(['Twin Anand']);
    expect(namesOf(await list(admin, { ...q, tenantId: String(two.tenantId) }, '', narrowed))).toEqual([]);
    const all = await list(admin, { limit: 100 });
    expect(all.body.data.filter(({ kind }: { kind: string | null }) => kind === null)).toEqual([]);
  });

  it.each(['student', 'parent'] as const)('is not for a %s', async (role) => {
    const { token } = await app.signIn(await app.buildUser({ role }));
    expect((await list(token)).status).toBe(403);
  });

  it('filters by each of its filters', async () => {
    const { token, tenantId } = await app.ownerWithToken({ name: 'Owner' });
    const libraryId = await people.buildLibrary(tenantId);
    const child = await people.buildStudent(tenantId, CHILD);
    const adult = await people.buildStudent(tenantId, ADULT);
    const staff = await app.buildUser({ role: 'library_staff', tenantId, status: 'PENDING', name: 'मीरा शर्मा' });
    await app.query(`update users set course = 'NEET', created_at = '2020-01-01T00:00:00+05:30' where id = $1`, [
      adult.id,
    ]);
    await app.query('update users set library_id = $2 where id = $1', [staff.id, libraryId]);
    const filters: [Record<string, string>, string[]][] = [
      [{ kind: 'STUDENT' }, [child.id, adult.id]],
      [{ status: 'PENDING' }, [staff.id]],
      [{ libraryId }, [staff.id]],
      [{ course: 'neet' }, [adult.id]],
      [{ minor: 'true' }, [child.id]],
      [{ minor: 'false', kind: 'STUDENT' }, [adult.id]],
      [{ createdTo: '2020-01-02' }, [adult.id]],
      [{ createdFrom: '2020-01-01', createdTo: '2020-01-02' }, [adult.id]],
      [{ createdFrom: '2020-01-02', kind: 'STUDENT' }, [child.id]],
      [{ q: 'meera sharma' }, [staff.id]],
      [{ q: 'mira', kind: 'STUDENT' }, []],
    ];
    for (const [query, expected] of filters) {
      const answer = await list(token, query);
      const ids = answer.body.data.map(({ id }: { id: string }) => id);
      expect(ids.toSorted(), JSON.stringify(query)).toEqual(expected.toSorted());
      expect(answer.body.meta.total).toBe(expected.length);
      const inPortal = await list(admin, { ...query, tenantId });
      expect(inPortal.body, JSON.stringify(query)).toEqual(answer.body);
    }
  });

  it('takes wildcards of a search for what they are', async () => {
    const { token, tenantId } = await app.ownerWithToken({ name: 'Owner' });
    await app.buildUser({ role: 'student', tenantId, name: 'Ravi 100%_Kumar' });
    await app.buildUser({ role: 'student', tenantId, name: 'Asha' });
    for (const [q, names] of [
      ['%%', []],
      ['__', []],
      ['a%a', []],
      ['0%_k', ['Ravi 100%_Kumar']],
      ['\\\\', []],
    ] as const) {
      expect(namesOf(await list(token, { q })), q).toEqual(names);
    }
  });

  it('sorts by each of its columns, those who never signed in as the first of all', async () => {
    const { token, tenantId } = await app.ownerWithToken({ name: 'B' });
    await app.buildUser({ role: 'student', tenantId, name: 'A' });
    const c = await app.buildUser({ role: 'student', tenantId, name: 'C' });
    await app.query(`update users set created_at = '2020-01-01', last_login_at = '2020-01-01' where id = $1`, [c.id]);
    expect(namesOf(await list(token))).toEqual(['A', 'B', 'C']);
    expect(namesOf(await list(token, { order: 'asc' }))).toEqual(['C', 'B', 'A']);
    expect(namesOf(await list(token, { sort: 'name', order: 'asc' }))).toEqual(['A', 'B', 'C']);
    expect(namesOf(await list(token, { sort: 'lastLoginAt' }))).toEqual(['B', 'C', 'A']);
    expect(namesOf(await list(token, { sort: 'lastLoginAt', order: 'asc' }))).toEqual(['A', 'C', 'B']);
    expect((await list(token, { sort: 'passwordHash' })).status).toBe(400);
  });

  it('goes through a hundred pages without missing or repeating anybody', async () => {
    const { token, tenantId } = await app.ownerWithToken();
    await app.query(
      `insert into users (id, tenant_id, type, kind, name, email, status, created_at, updated_at)
       select 'c' || substr(md5('deep' || i), 1, 24), $1, 'PLATFORM_USER', 'STUDENT', 'Deep', 'deep' || i || '@deep.example',
              'ACTIVE', now() - (i / 7) * interval '1 minute', now() from generate_series(1, 499) i`,
      [tenantId],
    );
    const seen = new Set<string>();
    for (const page of Array.from({ length: 100 }, (_, index) => index + 1)) {
      const { body } = await list(token, { page, limit: 5 });
      expect(body.meta).toEqual({ page, limit: 5, total: 500, totalPages: 100 });
      for (const { id } of body.data) seen.add(id);
    }
    expect(seen.size).toBe(500);
    expect((await list(token, { page: 101, limit: 5 })).body.data).toEqual([]);
  });
});

describe('The lists of one kind', () => {
  it('tell what only people of that kind have', async () => {
    const { token, tenantId } = await app.ownerWithToken();
    await people.buildLibrary(tenantId);
    const staff = await app.buildUser({ role: 'library_staff', tenantId });
    await app.query(`update users set job_title = 'Front desk' where id = $1`, [staff.id]);
    const [mother, father] = [
      await app.buildUser({ role: 'parent', tenantId }),
      await app.buildUser({ role: 'parent', tenantId }),
    ];
    const child = await people.buildStudent(tenantId, CHILD, [mother, father]);
    const adult = await people.buildStudent(tenantId, ADULT, [mother]);
    await app.query(`update users set marketing_consent = true, course = 'JEE' where id = any($1)`, [
      [child.id, adult.id],
    ]);
    const rows = async (path: string) =>
      Object.fromEntries((await list(token, {}, path)).body.data.map((row: { id: string }) => [row.id, row]));
    expect(Object.values(await rows('/owners'))).toMatchObject([{ kind: 'OWNER', libraries: 1 }]);
    expect(Object.values(await rows('/staff'))).toMatchObject([{ id: staff.id, jobTitle: 'Front desk' }]);
    const students = await rows('/students');
    expect(Object.keys(students)).toHaveLength(2);
    expect(students[child.id]).toMatchObject({ course: 'JEE', minor: true, guardians: 2, marketingAllowed: false });
    expect(students[adult.id]).toMatchObject({ course: 'JEE', minor: false, guardians: 1, marketingAllowed: true });
    expect(await rows('/parents')).toMatchObject({ [mother.id]: { wards: 2 }, [father.id]: { wards: 1 } });
    await people.remove(token, adult.id);
    expect(await rows('/parents')).toMatchObject({ [mother.id]: { wards: 1 } });
    const minors = await list(token, { minor: 'true', course: 'jee' }, '/students');
    expect(minors.body.data).toMatchObject([{ id: child.id }]);
    const ofOthers: Record<string, string>[] = [{ kind: 'OWNER' }, { course: 'JEE' }, { minor: 'true' }];
    for (const query of ofOthers) {
      expect((await list(token, query, '/parents')).status).toBe(400);
    }
  });

  it('count who comes of age today as grown up, and who does tomorrow as a minor', async () => {
    const { token, tenantId } = await app.ownerWithToken();
    const [tomorrow, yesterday] = [
      await people.buildStudent(tenantId, yearsAgo(18, 2)),
      await people.buildStudent(tenantId, yearsAgo(18, -2)),
    ];
    const { body } = await list(token, {}, '/students');
    const minors = Object.fromEntries(body.data.map((row: { id: string; minor: boolean }) => [row.id, row.minor]));
    expect(minors).toEqual({ [tomorrow.id]: true, [yesterday.id]: false });
  });
});
