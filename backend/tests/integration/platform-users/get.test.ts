import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { messagesOf } from '../../support/plans.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { ADULT, base, CHILD, peopleOf } from './person-calls.ts';

let app: TestApp;
let people: ReturnType<typeof peopleOf>;
let admin: string;
beforeAll(async () => {
  app = await startTestApp();
  people = peopleOf(app);
  admin = await app.adminToken();
});
afterAll(() => app.close());

const paths = { owner: 'owners', student: 'students', parent: 'parents', library_staff: 'staff' } as const;
type Role = keyof typeof paths;
const roles = Object.keys(paths) as Role[];

describe('GET /api/platform-users/:id', () => {
  it('tells everything of a student, with the version as ETag', async () => {
    const { token, tenantId } = await app.ownerWithToken();
    const libraryId = await people.buildLibrary(tenantId);
    const body = {
      kind: 'STUDENT',
      name: 'Ravi Kumar',
      email: 'ravi@get.example',
      phone: '98290 54321',
      dateOfBirth: CHILD,
      libraryId,
      memberNumber: 'K-7',
      joinedOn: '2026-07-01',
      course: 'NEET',
      marketingConsent: true,
      guardians: [{ name: 'Sunita Kumar', phone: '98290 54322', relation: 'MOTHER' }],
    };
    const created = await people.create(token, body);
    expect(created.status, created.text).toBe(201);
    const answer = await people.get(token, created.body.data.id);
    expect(answer.headers.get('etag')).toBe('"1"');
    expect(answer.body.data).toEqual(created.body.data);
    expect(answer.body.data).toEqual({
      id: expect.any(String),
      tenant: { id: tenantId, name: expect.any(String) },
      kind: 'STUDENT',
      name: 'Ravi Kumar',
      email: 'ravi@get.example',
      phone: '+919829054321',
      status: 'ACTIVE',
      library: { id: libraryId, name: expect.any(String) },
      memberNumber: 'K-7',
      lastLoginAt: null,
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
      joinedOn: '2026-07-01',
      dateOfBirth: CHILD,
      minor: true,
      marketingConsent: true,
      marketingAllowed: false,
      emailVerified: false,
      signIn: 'NEVER',
      version: 1,
      course: 'NEET',
      jobTitle: null,
      guardians: [
        { id: expect.any(String), relation: 'MOTHER', name: 'Sunita Kumar', phone: '+919829054322', email: null },
      ],
      wards: null,
      libraries: null,
    });
    const asAdmin = await people.get(admin, created.body.data.id);
    expect(asAdmin.body.data).toEqual(answer.body.data);
  });

  it('tells how somebody gets in', async () => {
    const { token, tenantId } = await app.ownerWithToken();
    for (const [overrides, signIn] of [
      [{}, 'PASSWORD'],
      [{ password: false, status: 'PENDING' }, 'INVITED'],
      [{ password: false }, 'NEVER'],
      [{ password: false, status: 'INACTIVE' }, 'NEVER'],
    ] as const) {
      const { id } = await app.buildUser({ role: 'student', tenantId, ...overrides });
      expect((await people.get(token, id)).body.data.signIn).toBe(signIn);
    }
  });

  it('is not the way to a portal admin, to who has left, or into another tenant', async () => {
    const { token, tenantId } = await app.ownerWithToken();
    const gone = await app.buildUser({ role: 'student', tenantId });
    await people.remove(token, gone.id);
    const other = await app.buildUser({ role: 'student' });
    const portalAdmin = await app.buildAdmin();
    for (const { id } of [gone, other, portalAdmin]) {
      for (const path of [id, ...Object.values(paths).map((kind) => `${kind}/${id}`)]) {
        expect((await people.get(token, path)).status, path).toBe(404);
      }
    }
    for (const { id } of [gone, portalAdmin]) expect((await people.get(admin, id)).status).toBe(404);
    const narrowed = { token: admin, headers: { 'x-tenant-id': tenantId } };
    expect((await app.call('GET', `${base}/${other.id}`, narrowed)).status).toBe(404);
    expect((await people.get(admin, other.id)).status).toBe(200);
  });
});

describe('GET of one kind', () => {
  it.each(roles)('finds a %s on their own path alone', async (role) => {
    const { token, tenantId } = await app.ownerWithToken();
    const { id } = await app.buildUser({ role, tenantId });
    for (const caller of [token, admin]) {
      for (const path of roles) {
        const answer = await people.get(caller, `${paths[path]}/${id}`);
        expect(answer.status, path).toBe(path === role ? 200 : 404);
        if (path === role) expect(answer.headers.get('etag')).toBe('"1"');
      }
    }
  });

  it('tells what people of that kind have, and nothing of who has left', async () => {
    const { owner, token, tenantId } = await app.ownerWithToken();
    const libraryId = await people.buildLibrary(tenantId);
    const staff = await app.buildUser({ role: 'library_staff', tenantId });
    await app.query(`update users set job_title = 'Front desk', library_id = $2 where id = $1`, [staff.id, libraryId]);
    const mother = await app.buildUser({ role: 'parent', tenantId, name: 'Sunita', phone: '+919829054322' });
    const aunt = await app.buildUser({ role: 'parent', tenantId });
    const child = await people.buildStudent(tenantId, CHILD, [mother, aunt]);
    const adult = await people.buildStudent(tenantId, ADULT, [mother]);
    const read = async (path: string) => (await people.get(token, path)).body.data;
    expect((await read(`owners/${owner.id}`)).libraries).toEqual([
      { id: libraryId, name: expect.any(String), city: 'Kota' },
    ]);
    expect(await read(`staff/${staff.id}`)).toMatchObject({ jobTitle: 'Front desk', library: { id: libraryId } });
    const ward = (student: typeof child, minor: boolean) => ({
      id: student.id,
      relation: 'MOTHER',
      name: student.name,
      phone: null,
      email: student.email,
      minor,
    });
    expect((await read(`parents/${mother.id}`)).wards).toEqual([ward(child, true), ward(adult, false)]);
    expect((await read(`students/${child.id}`)).guardians).toMatchObject([{ id: mother.id }, { id: aunt.id }]);
    await people.remove(token, adult.id);
    await people.remove(token, aunt.id);
    expect((await read(`parents/${mother.id}`)).wards).toEqual([ward(child, true)]);
    expect((await read(`students/${child.id}`)).guardians).toMatchObject([{ id: mother.id, name: 'Sunita' }]);
  });

  it.each(['', 'students/'])('is one message, however much there is to tell: %s:id', async (path) => {
    const { token, tenantId } = await app.ownerWithToken();
    const parents = await Promise.all([0, 1, 2].map(() => app.buildUser({ role: 'parent', tenantId })));
    const { id } = await people.buildStudent(tenantId, CHILD, parents);
    await people.get(token, id);
    const messages = await messagesOf(app, `${base}/${path}${id}`, token);
    // Two scopes, who is calling, and the person.
    expect(messages.map((batch) => batch.length)).toEqual([4]);
  });
});
