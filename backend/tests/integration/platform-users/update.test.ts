import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../src/utils/ids.ts';
import { statusesOf } from '../../support/calls.ts';
import { expectError } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { ADULT, CHILD, peopleOf } from './person-calls.ts';

let app: TestApp;
let people: ReturnType<typeof peopleOf>;
let admin: string;
let serial = 0;
beforeAll(async () => {
  app = await startTestApp();
  people = peopleOf(app);
  admin = await app.adminToken();
});
afterAll(() => app.close());

const someEmail = () => `changed-${(serial += 1)}@people.example`;
async function setUp(role: 'student' | 'library_staff' | 'parent' | 'owner' = 'student', overrides: object = {}) {
  const owner = await app.ownerWithToken();
  const person = await app.buildUser({ role, tenantId: owner.tenantId, ...overrides });
  return { ...owner, person, id: person.id };
}

describe('PUT /api/platform-users/:id', () => {
  it('changes the fields that are given, and no other', async () => {
    const { token, tenantId, id } = await setUp();
    const before = (await people.get(token, id)).body.data;
    const libraryId = await people.buildLibrary(tenantId);
    const changes = {
      name: 'रवि कुमार',
      phone: '98290 54321',
      dateOfBirth: ADULT,
      libraryId,
      memberNumber: 'K-1',
      joinedOn: '2026-02-28',
      course: 'NEET',
      marketingConsent: true,
    };
    const answer = await people.update(token, id, changes);
    expect(answer.status, answer.text).toBe(200);
    const { libraryId: _, ...told } = changes;
    expect(answer.body.data).toEqual({
      ...before,
      ...told,
      phone: '+919829054321',
      library: { id: libraryId, name: expect.any(String) },
      marketingAllowed: true,
      version: 2,
      updatedAt: expect.any(String),
    });
    expect((await people.get(token, id)).body.data).toEqual(answer.body.data);
    const cleared = {
      phone: null,
      dateOfBirth: null,
      libraryId: null,
      memberNumber: null,
      joinedOn: null,
      course: null,
    };
    const { library, ...bare } = (await people.update(token, id, cleared)).body.data;
    expect(bare).toMatchObject({ phone: null, dateOfBirth: null, memberNumber: null, joinedOn: null, course: null });
    expect(library).toBeNull();
    expect((await people.auditOf(id))[1]).toMatchObject({
      action: 'users.update',
      tenant_id: tenantId,
      changes: { course: { from: 'NEET', to: null }, dateOfBirth: { from: ADULT, to: null } },
    });
  });

  it('asks for something to change, and takes nothing else', async () => {
    const { token, id } = await setUp();
    for (const body of [
      {},
      { name: null },
      { kind: 'OWNER' },
      { status: 'INACTIVE' },
      { tenantId: newId() },
      { guardians: [] },
    ]) {
      expectError(await people.update(token, id, body), 400, 'validation_failed');
    }
    expect(await people.rowOf(id)).toMatchObject({ version: 1, kind: 'STUDENT', status: 'ACTIVE' });
  });

  it('leaves somebody reachable, and with what fits their kind', async () => {
    const { token, id, tenantId } = await setUp();
    const foreign = await people.buildLibrary((await app.buildTenant()).id);
    const staff = await app.buildUser({ role: 'library_staff', tenantId });
    for (const [who, body, field] of [
      [id, { email: null }, 'body phone'],
      [id, { jobTitle: 'Front desk' }, 'body jobTitle'],
      [staff.id, { course: 'NEET' }, 'body course'],
      [id, { libraryId: foreign }, 'body libraryId'],
      [id, { libraryId: newId() }, 'body libraryId'],
    ] as const) {
      expectError(await people.update(token, who, body), 400, 'validation_failed', field);
      expectError(await people.update(admin, who, body), 400, 'validation_failed', field);
    }
    expect((await people.update(token, id, { email: null, phone: '98290 54321' })).status).toBe(200);
    expect((await people.update(token, staff.id, { jobTitle: 'Front desk' })).status).toBe(200);
  });

  it('refuses an email and a number that are taken', async () => {
    const { token, id, tenantId } = await setUp();
    const other = await app.buildUser({ role: 'student' });
    const neighbour = await app.buildUser({ role: 'student', tenantId });
    await people.update(token, neighbour.id, { memberNumber: 'K-9' });
    expectError(await people.update(token, id, { email: other.email }), 409, 'conflict', 'body email');
    expectError(await people.update(token, id, { memberNumber: 'K-9' }), 409, 'conflict', 'body memberNumber');
    expect(await people.rowOf(id)).toMatchObject({ version: 1, member_number: null });
    await people.remove(token, neighbour.id);
    expect((await people.update(token, id, { memberNumber: 'K-9', email: neighbour.email })).status).toBe(200);
  });

  it('does not make a minor of somebody without a guardian', async () => {
    const { token, id, tenantId } = await setUp();
    const refused = await people.update(token, id, { dateOfBirth: CHILD });
    expectError(refused, 409, 'conflict', 'body dateOfBirth');
    expect(refused.body.error.message).toContain('guardian');
    const parent = await app.buildUser({ role: 'parent', tenantId });
    await people.link({ id, tenantId }, parent);
    expect((await people.update(token, id, { dateOfBirth: CHILD })).body.data).toMatchObject({ minor: true });
    expect((await people.update(token, parent.id, { dateOfBirth: CHILD })).status, 'of a parent').toBe(200);
  });

  it('lets one of a guardian who leaves and a student who gets young again through', async () => {
    for (let round = 0; round < 3; round += 1) {
      const { token, tenantId } = await app.ownerWithToken();
      const parent = await app.buildUser({ role: 'parent', tenantId });
      const { id } = await people.buildStudent(tenantId, ADULT, [parent]);
      const answers = await Promise.all([
        people.update(token, id, { dateOfBirth: CHILD }),
        people.remove(token, parent.id),
      ]);
      expect(statusesOf(answers)).toEqual([200, 409]);
    }
  });

  it('is no way to a portal admin, to who has left, or into another tenant', async () => {
    const { token, id } = await setUp();
    const other = await app.buildUser({ role: 'student' });
    const portalAdmin = await app.buildAdmin();
    await people.remove(token, id);
    for (const target of [id, other.id, portalAdmin.id]) {
      expectError(await people.update(token, target, { name: 'Changed' }), 404, 'not_found');
    }
    for (const target of [id, portalAdmin.id]) {
      expectError(await people.update(admin, target, { name: 'Changed' }), 404, 'not_found');
    }
    expect((await people.rowOf(other.id)).name).not.toBe('Changed');
  });
});

describe('If-Match', () => {
  it('lets one of several through who saw the same', async () => {
    const { token, id } = await setUp();
    const answers = await Promise.all(
      ['NEET', 'JEE', 'UPSC'].map((course) => people.update(token, id, { course }, { 'if-match': '"1"' })),
    );
    expect(statusesOf(answers)).toEqual([200, 412, 412]);
    expect(await people.rowOf(id)).toMatchObject({ version: 2 });
  });

  it('may be left out: none of several changes is lost', async () => {
    const { token, id } = await setUp();
    await Promise.all([
      people.update(token, id, { course: 'NEET' }),
      people.update(token, id, { memberNumber: 'K-1' }),
      people.update(token, id, { joinedOn: '2026-07-01' }),
    ]);
    expect(await people.rowOf(id)).toMatchObject({ version: 4, course: 'NEET', member_number: 'K-1' });
  });

  it('leaves a person who is removed at the same time removed', async () => {
    const { token, id } = await setUp();
    const email = someEmail();
    const [updated, removed] = await Promise.all([people.update(token, id, { email }), people.remove(token, id)]);
    expect(removed.status).toBe(200);
    expect([200, 404]).toContain(updated.status);
    expect(await people.rowOf(id)).toMatchObject({ email: null, deleted_at: expect.any(Date) });
    expect((await people.create(token, { kind: 'STUDENT', name: 'Asha', email })).status).toBe(201);
  });
});

describe('Another email address', () => {
  it('ends every session and every link that went to the old one', async () => {
    const { token, id, person } = await setUp();
    const theirs = await app.signIn(person);
    await app.buildOneTimeToken(person);
    await app.query(`update users set email_verified = true, pending_email = 'later@people.example' where id = $1`, [
      id,
    ]);
    const answer = await people.update(token, id, { email: ` ${someEmail().toUpperCase()} ` });
    expect(answer.body.data).toMatchObject({ email: `changed-${serial}@people.example`, emailVerified: false });
    expect(await people.rowOf(id)).toMatchObject({ pending_email: null });
    expect((await app.call('GET', '/api/auth/me', { token: theirs.token })).status).toBe(401);
    expect(await app.query('select id from one_time_tokens where user_id = $1 and used_at is null', [id])).toEqual([]);
    expect(await people.auditOf(id)).toMatchObject([{ changes: { sessionsEnded: 1 } }]);
  });

  it('is not another one where it is the same', async () => {
    const { token, id, person } = await setUp();
    const theirs = await app.signIn(person);
    expect((await people.update(token, id, { email: person.email?.toUpperCase(), name: 'Asha' })).status).toBe(200);
    expect((await app.call('GET', '/api/auth/me', { token: theirs.token })).status).toBe(200);
  });

  it('gets who was invited another welcome, and stays while they are', async () => {
    const { token, id } = await setUp('student', { status: 'PENDING', password: false, phone: '+919829054321' });
    expectError(await people.update(token, id, { email: null }), 400, 'validation_failed', 'body email');
    await people.update(token, id, { email: someEmail() });
    expect(await people.jobsOf(id)).toEqual(['email.welcome']);
  });

  it('of an owner is nothing for staff, nor is their phone: who has it has the account', async () => {
    const { id, tenantId } = await setUp('owner');
    const staff = await app.buildUser({ role: 'library_staff', tenantId });
    const { token } = await app.signIn(staff);
    for (const body of [{ email: someEmail() }, { phone: '98290 54399' }, { name: 'Meera', phone: '98290 54399' }]) {
      expectError(await people.update(token, id, body), 403, 'exceeds_own_permissions');
    }
    const support = await app.adminToken({ role: 'support' });
    expectError(await people.update(support, id, { email: someEmail() }), 403, 'exceeds_own_permissions');
    expect(await people.rowOf(id)).toMatchObject({ version: 1, phone: null });
    expect((await people.update(token, id, { name: 'Meera Sharma' })).status).toBe(200);
  });

  it('of oneself is changed where it is confirmed; the rest may be changed here', async () => {
    const { owner, token } = await app.ownerWithToken();
    expectError(await people.update(token, owner.id, { email: someEmail() }), 403, 'forbidden');
    const answer = await people.update(token, owner.id, { name: 'Meera', phone: '98290 54321' });
    expect(answer.body.data).toMatchObject({ name: 'Meera', phone: '+919829054321' });
  });

  it('is no way into the account of who may do more: the whole attack', async () => {
    const { person, tenantId } = await setUp('owner');
    const { token } = await app.signIn(await app.buildUser({ role: 'library_staff', tenantId }));
    const mine = someEmail();
    await people.update(token, person.id, { email: mine });
    await app.call('POST', `/api/platform-users/${person.id}/reset-password`, { token });
    expect(await people.rowOf(person.id)).toMatchObject({ email: person.email });
    expect(await people.jobsOf(person.id)).toEqual([]);
  });
});
