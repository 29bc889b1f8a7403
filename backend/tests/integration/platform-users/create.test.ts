import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../src/utils/ids.ts';
import { statusesOf } from '../../support/calls.ts';
import { expectError } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { accessOf } from '../rbac/support.ts';
import { CHILD, peopleOf } from './person-calls.ts';

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

const someEmail = () => `new-${(serial += 1)}@people.example`;
const student = (fields: object = {}) => ({ kind: 'STUDENT', name: 'Ravi Kumar', phone: '98290 54321', ...fields });
const countOf = async (tenantId: string) =>
  (await app.query<{ count: number }>('select count(*)::int from users where tenant_id = $1', [tenantId]))[0]!.count;

describe('POST /api/platform-users', () => {
  it.each([
    ['OWNER', 'owner', 'PENDING', ['email.welcome']],
    ['STAFF', 'library_staff', 'PENDING', ['email.welcome']],
    ['STUDENT', 'student', 'ACTIVE', []],
    ['PARENT', 'parent', 'ACTIVE', []],
  ] as const)('adds %s with the role %s, %s', async (kind, role, status, jobs) => {
    const { owner, token, tenantId } = await app.ownerWithToken();
    const answer = await people.create(token, { kind, name: 'Asha Menon', email: someEmail() });
    expect(answer.status, answer.text).toBe(201);
    const { id } = answer.body.data;
    expect(answer.body.data).toMatchObject({ kind, status, tenant: { id: tenantId }, version: 1 });
    expect(answer.headers.get('etag')).toBe('"1"');
    const held = await app.query(
      `select r.code, a.tenant_id, a.assigned_by_id from role_assignments a join roles r on r.id = a.role_id where a.user_id = $1`,
      [id],
    );
    expect(held).toEqual([{ code: role, tenant_id: tenantId, assigned_by_id: owner.id }]);
    expect(await people.jobsOf(id)).toEqual(jobs);
    expect(await people.auditOf(id)).toMatchObject([
      { action: 'users.create', tenant_id: tenantId, actor_id: owner.id, changes: { kind, name: 'Asha Menon' } },
    ]);
  });

  it('takes null for what is left out', async () => {
    const { token } = await app.ownerWithToken();
    const nothing = {
      dateOfBirth: null,
      libraryId: null,
      memberNumber: null,
      joinedOn: null,
      course: null,
      jobTitle: null,
    };
    for (const kind of ['OWNER', 'STAFF', 'STUDENT', 'PARENT']) {
      const answer = await people.create(token, {
        kind,
        name: `Asha ${kind}`,
        email: someEmail(),
        phone: null,
        ...nothing,
      });
      expect(answer.status, answer.text).toBe(201);
    }
  });

  it('invites whom it is told to, where there is an address', async () => {
    const { token } = await app.ownerWithToken();
    const invited = await people.create(token, student({ email: someEmail(), invite: true }));
    expect(invited.body.data).toMatchObject({ status: 'PENDING', signIn: 'INVITED' });
    expect(await people.jobsOf(invited.body.data.id)).toEqual(['email.welcome']);
    const quiet = await people.create(token, { kind: 'STAFF', name: 'Asha', email: someEmail(), invite: false });
    expect(quiet.body.data).toMatchObject({ status: 'ACTIVE', signIn: 'NEVER' });
    expect(await people.jobsOf(quiet.body.data.id)).toEqual([]);
    const byPhone = await people.create(token, { kind: 'STAFF', name: 'Vikram', phone: '98290 54399' });
    expect(byPhone.body.data).toMatchObject({ status: 'ACTIVE', signIn: 'NEVER' });
    expectError(
      await people.create(token, student({ name: 'Mohan', invite: true })),
      400,
      'validation_failed',
      'body email',
    );
  });

  it('asks for a guardian of a minor, and for a library of the tenant', async () => {
    const { token, tenantId } = await app.ownerWithToken();
    const foreign = await people.buildLibrary((await app.buildTenant()).id);
    const parentElsewhere = await app.buildUser({ role: 'parent' });
    const staff = await app.buildUser({ role: 'library_staff', tenantId });
    const before = await countOf(tenantId);
    for (const [fields, field] of [
      [{ dateOfBirth: CHILD }, 'body guardians'],
      [{ dateOfBirth: CHILD, guardians: [] }, 'body guardians'],
      [{ libraryId: foreign }, 'body libraryId'],
      [{ libraryId: newId() }, 'body libraryId'],
      [{ guardians: [{ id: parentElsewhere.id, relation: 'MOTHER' }] }, 'body guardians'],
      [{ guardians: [{ id: staff.id, relation: 'MOTHER' }] }, 'body guardians'],
      [{ guardians: [{ name: 'X Y', email: parentElsewhere.email, relation: 'MOTHER' }] }, 'body guardians'],
      [{ jobTitle: 'Front desk' }, 'body jobTitle'],
      [{ kind: 'PARENT', course: 'NEET' }, 'body course'],
      [{ phone: undefined }, 'body phone'],
      [{ dateOfBirth: '2999-01-01' }, 'body dateOfBirth'],
    ] as const) {
      expectError(await people.create(token, student(fields)), 400, 'validation_failed', field);
    }
    expect(await countOf(tenantId)).toBe(before);
  });

  it('tells of somebody who is there already, and adds them all the same when told so', async () => {
    const { token } = await app.ownerWithToken();
    const first = await people.create(token, student());
    const again = await people.create(token, student({ name: 'Ravi  Kumaar' }));
    expectError(again, 409, 'conflict', 'body phone');
    expect(again.body.error.message).toContain('allowDuplicate');
    expect(again.body.error.details).toMatchObject({
      field: 'phone',
      duplicates: [{ id: first.body.data.id, name: 'Ravi Kumar' }],
    });
    expect((await people.create(token, student({ allowDuplicate: true }))).status).toBe(201);
  });

  it('tells which email or number is taken, and nothing of another tenant', async () => {
    const { token } = await app.ownerWithToken();
    const other = await app.buildUser({ role: 'student', name: 'Secret Name' });
    await people.create(token, student({ memberNumber: 'K-1' }));
    const email = await people.create(token, student({ name: 'Asha', email: other.email?.toUpperCase() }));
    expectError(email, 409, 'conflict', 'body email');
    expect(email.body.error.details.duplicates).toEqual([]);
    expect(email.text).not.toMatch(/Secret Name|allowDuplicate/);
    const number = await people.create(token, student({ name: 'Vikram', memberNumber: 'K-1' }));
    expectError(number, 409, 'conflict', 'body memberNumber');
    const both = await people.create(token, student({ libraryId: newId() }));
    expectError(both, 400, 'validation_failed');
    expect(both.body.error.details.issues.map(({ field }: { field: string }) => field)).toEqual(['libraryId', 'phone']);
  });

  it('adds one of two who come at once with the same email, number, or phone and name', async () => {
    const { token, tenantId } = await app.ownerWithToken();
    const before = await countOf(tenantId);
    for (const fields of [
      () => ({ kind: 'STAFF', name: 'Asha', email: 'race@people.example' }),
      (index: number) => student({ name: `Vikram ${'abcd'[index]}`, phone: `98290 1234${index}`, memberNumber: 'R-1' }),
      () => student({ name: 'Mohan' }),
    ]) {
      const answers = await Promise.all([0, 1, 2, 3].map((index) => people.create(token, fields(index))));
      expect(statusesOf(answers)).toEqual([201, 409, 409, 409]);
    }
    expect(await countOf(tenantId)).toBe(before + 3);
    const orphans = await app.query(
      `select from users u where tenant_id = $1 and not exists (select from role_assignments a where a.user_id = u.id)`,
      [tenantId],
    );
    expect(orphans).toEqual([]);
  });

  it('repeats the answer to the same Idempotency-Key, and adds nobody again', async () => {
    const { token, tenantId } = await app.ownerWithToken();
    const options = { headers: { 'idempotency-key': `key-${newId()}` } };
    const first = await people.create(token, student(), options);
    const second = await people.create(token, student(), options);
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body.data).toEqual(first.body.data);
    expect(await countOf(tenantId)).toBe(2);
  });
});

describe('Where somebody is added', () => {
  it('is the own tenant of a person of a tenant', async () => {
    const { token, tenantId } = await app.ownerWithToken();
    const other = await app.buildTenant();
    expect((await people.create(token, student({ tenantId }))).status).toBe(201);
    for (const named of [other.id, newId()]) {
      expectError(await people.create(token, student({ name: 'Asha', tenantId: named })), 403, 'tenant_mismatch');
    }
    expect(await countOf(other.id)).toBe(0);
  });

  it('is the tenant that a portal admin names', async () => {
    const { id } = await app.buildTenant();
    const other = await app.buildTenant();
    expectError(await people.create(admin, student()), 400, 'validation_failed', 'body tenantId');
    expectError(await people.create(admin, student({ tenantId: newId() })), 404, 'not_found');
    const named = await people.create(admin, student({ tenantId: id }));
    expect(named.body.data.tenant.id).toBe(id);
    expect(await people.auditOf(named.body.data.id)).toMatchObject([{ tenant_id: id }]);
    const headers = { 'x-tenant-id': other.id };
    expect((await people.create(admin, student(), { headers })).body.data.tenant.id).toBe(other.id);
    expectError(
      await people.create(admin, student({ name: 'Asha', tenantId: id }), { headers }),
      403,
      'tenant_mismatch',
    );
    const foreign = await people.buildLibrary(other.id);
    const wrong = await people.create(admin, student({ name: 'Asha', tenantId: id, libraryId: foreign }));
    expectError(wrong, 400, 'validation_failed', 'body libraryId');
  });

  it('is no tenant that is purged or on its way out', async () => {
    for (const [status, code] of [
      ['PURGED', 404],
      ['OFFBOARDING', 409],
    ] as const) {
      const { id } = await app.buildTenant({ status });
      expect((await people.create(admin, student({ tenantId: id }))).status).toBe(code);
      expect(await countOf(id)).toBe(0);
    }
  });
});

describe('Who may add whom', () => {
  it('is staff for staff, students and parents, and not for owners', async () => {
    const staff = await app.buildUser({ role: 'library_staff' });
    const { token } = await app.signIn(staff);
    for (const kind of ['STAFF', 'STUDENT', 'PARENT']) {
      expect((await people.create(token, { kind, name: 'Asha', email: someEmail() })).status, kind).toBe(201);
    }
    const refused = await people.create(token, { kind: 'OWNER', name: 'Asha', email: someEmail() });
    expectError(refused, 403, 'exceeds_own_permissions');
    expect(refused.body.error.details.missing).toContain('users.delete');
  });

  it('is a portal admin who covers the role', async () => {
    const { id: tenantId } = await app.buildTenant();
    const adder = await accessOf(app).buildAdminWith(['users.create']);
    const { token } = await app.signIn(adder.admin);
    expect((await people.create(token, student({ tenantId }))).status).toBe(201);
    const staff = { kind: 'STAFF', name: 'Asha', email: someEmail(), tenantId };
    expectError(await people.create(token, staff), 403, 'exceeds_own_permissions');
    expect((await people.create(await app.adminToken({ role: 'auditor' }), student({ tenantId }))).status).toBe(403);
  });

  it.each(['student', 'parent'] as const)('is not a %s', async (role) => {
    const { token } = await app.signIn(await app.buildUser({ role }));
    expect((await people.create(token, student())).status).toBe(403);
  });
});
