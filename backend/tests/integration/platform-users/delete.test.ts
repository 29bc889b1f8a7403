import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../src/utils/ids.ts';
import { statusesOf } from '../../support/calls.ts';
import { expectError } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { accessOf } from '../rbac/support.ts';
import { ADULT, CHILD, peopleOf } from './person-calls.ts';

let app: TestApp;
let people: ReturnType<typeof peopleOf>;
let admin: string;
beforeAll(async () => {
  app = await startTestApp();
  people = peopleOf(app);
  admin = await app.adminToken();
});
afterAll(() => app.close());

const leftOf = (table: string, id: string) => app.query(`select * from ${table} where user_id = $1`, [id]);

describe('DELETE /api/platform-users/:id', () => {
  it('leaves the row for the history, and nothing by which somebody could get in or be reached', async () => {
    const { token, tenantId } = await app.ownerWithToken();
    const person = await app.buildUser({ role: 'library_staff', tenantId, phone: '+919829054321' });
    const { id } = person;
    const theirs = await app.signIn(person);
    await app.buildOneTimeToken(person);
    await accessOf(app).override(person, 'users.delete');
    await app.query(
      `insert into passkeys (id, tenant_id, user_id, name, credential_id, public_key, counter, backed_up)
       values ($1, $2, $3, 'Phone', $1, '', 0, false)`,
      [newId(), tenantId, id],
    );
    await app.query(
      `insert into totp_credentials (user_id, tenant_id, sealed_secret, confirmed_at) values ($1, $2, 'x', now())`,
      [id, tenantId],
    );
    await people.update(token, id, { memberNumber: 'K-1' });
    const answer = await people.remove(token, id, { reason: 'Has left the library' });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.body.data).toEqual({ done: true });
    expect(await people.rowOf(id)).toMatchObject({
      name: person.name,
      status: 'INACTIVE',
      email: null,
      phone: null,
      former_email: person.email,
      password_hash: null,
      deleted_at: expect.any(Date),
      permission_version: 2,
    });
    for (const table of ['passkeys', 'totp_credentials', 'role_assignments', 'permission_overrides']) {
      expect(await leftOf(table, id), table).toEqual([]);
    }
    expect((await leftOf('one_time_tokens', id)).every(({ used_at }) => used_at !== null)).toBe(true);
    expect(await leftOf('sessions', id)).toMatchObject([{ revoked_reason: 'DEACTIVATED' }]);
    expect((await app.call('GET', '/api/auth/me', { token: theirs.token })).status).toBe(401);
    const log = await people.auditOf(id);
    expect(log.at(-1)).toMatchObject({
      action: 'users.delete',
      tenant_id: tenantId,
      changes: { reason: 'Has left the library', email: person.email, kind: 'STAFF', sessionsEnded: 1 },
    });
    const again = { kind: 'STAFF', name: person.name, email: person.email, phone: person.phone, memberNumber: 'K-1' };
    expect((await people.create(token, again)).status).toBe(201);
  });

  it('is a 404 the second time, for a portal admin, and in another tenant', async () => {
    const { token, tenantId } = await app.ownerWithToken();
    const { id } = await app.buildUser({ role: 'student', tenantId });
    const answers = await Promise.all([0, 1, 2].map(() => people.remove(token, id)));
    expect(statusesOf(answers)).toEqual([200, 404, 404]);
    const other = await app.buildUser({ role: 'student' });
    const portalAdmin = await app.buildAdmin();
    for (const target of [other.id, portalAdmin.id]) {
      expectError(await people.remove(token, target), 404, 'not_found');
    }
    expectError(await people.remove(admin, portalAdmin.id), 404, 'not_found');
    expect(await people.rowOf(other.id)).toMatchObject({ deleted_at: null });
  });

  it('is nothing for oneself, for staff, or without what the other one may do', async () => {
    const { owner, token, tenantId } = await app.ownerWithToken();
    await app.buildOwner({ tenantId });
    expectError(await people.remove(token, owner.id), 403, 'forbidden');
    const staff = await app.buildUser({ role: 'library_staff', tenantId });
    const student = await app.buildUser({ role: 'student', tenantId });
    expectError(await people.remove((await app.signIn(staff)).token, student.id), 403, 'forbidden');
    const { admin: remover } = await accessOf(app).buildAdminWith(['users.delete']);
    const removing = (await app.signIn(remover)).token;
    expectError(await people.remove(removing, staff.id), 403, 'exceeds_own_permissions');
    expect((await people.remove(removing, student.id)).status).toBe(200);
  });
});

describe('The last active owner', () => {
  it('stays, whoever else there is', async () => {
    const { owner, tenantId } = await app.ownerWithToken();
    const pending = await app.buildOwner({ tenantId, status: 'PENDING', password: false });
    await app.buildOwner({ tenantId, status: 'INACTIVE' });
    const refused = await people.remove(admin, owner.id);
    expectError(refused, 409, 'conflict');
    expect(refused.body.error.message).toContain('last active owner');
    expect((await people.remove(admin, pending.id)).status, 'who never got in may go').toBe(200);
    await app.buildOwner({ tenantId });
    expect((await people.remove(admin, owner.id)).status).toBe(200);
  });

  it('is not the only one who was ever invited either', async () => {
    const pending = await app.buildOwner({ status: 'PENDING', password: false });
    expectError(await people.remove(admin, pending.id), 409, 'conflict');
    await app.buildOwner({ tenantId: pending.tenantId, status: 'PENDING', password: false });
    expect((await people.remove(admin, pending.id)).status).toBe(200);
  });

  it('is one of two who remove each other at once', async () => {
    for (let round = 0; round < 3; round += 1) {
      const one = await app.ownerWithToken();
      const two = await app.ownerWithToken({ tenantId: one.tenantId });
      const answers = await Promise.all([
        people.remove(one.token, two.owner.id),
        people.remove(two.token, one.owner.id),
        people.remove(admin, one.owner.id),
      ]);
      const left = await app.query(
        `select id from users where tenant_id = $1 and kind = 'OWNER' and status = 'ACTIVE' and deleted_at is null`,
        [one.tenantId],
      );
      expect(left, JSON.stringify(statusesOf(answers))).toHaveLength(1);
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    }
  });
});

describe('The only guardian of a minor', () => {
  it('stays while the student is under 18 and has nobody else', async () => {
    const { token, tenantId } = await app.ownerWithToken();
    const [mother, aunt] = [
      await app.buildUser({ role: 'parent', tenantId }),
      await app.buildUser({ role: 'parent', tenantId }),
    ];
    const child = await people.buildStudent(tenantId, CHILD, [mother]);
    await people.buildStudent(tenantId, ADULT, [mother]);
    const refused = await people.remove(token, mother.id);
    expectError(refused, 409, 'conflict');
    expect(refused.body.error.details.students).toEqual([{ id: child.id, name: child.name }]);
    expect(refused.body.error.message).toContain(child.name);
    await people.link(child, aunt);
    expect((await people.remove(token, mother.id)).status).toBe(200);
    expectError(await people.remove(token, aunt.id), 409, 'conflict');
    expect((await people.remove(token, child.id)).status).toBe(200);
    expect((await people.remove(token, aunt.id)).status).toBe(200);
    expect(await app.query('select id from guardianships where tenant_id = $1', [tenantId])).toHaveLength(0);
  });

  it('is one of two who leave at once', async () => {
    for (let round = 0; round < 3; round += 1) {
      const { token, tenantId } = await app.ownerWithToken();
      const parents = [
        await app.buildUser({ role: 'parent', tenantId }),
        await app.buildUser({ role: 'parent', tenantId }),
      ];
      await people.buildStudent(tenantId, CHILD, parents);
      const answers = await Promise.all(parents.map(({ id }) => people.remove(token, id)));
      expect(statusesOf(answers)).toEqual([200, 409]);
    }
  });

  it('does not leave while a child of theirs is added', async () => {
    for (let round = 0; round < 3; round += 1) {
      const { token, tenantId } = await app.ownerWithToken();
      const parent = await app.buildUser({ role: 'parent', tenantId });
      const guardians = [{ id: parent.id, relation: 'MOTHER' }];
      const child = { kind: 'STUDENT', name: 'Ravi', phone: '98290 54321', dateOfBirth: CHILD, guardians };
      const [created, removed] = await Promise.all([people.create(token, child), people.remove(token, parent.id)]);
      expect([`${created.status} ${removed.status}`]).toEqual([expect.stringMatching(/^(201 409|400 200)$/)]);
    }
  });
});
