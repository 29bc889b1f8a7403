import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { statusesOf } from '../../support/calls.ts';
import { expectError } from '../../support/expectations.ts';
import { PASSWORD, someAddress } from '../../support/factories.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { base, peopleOf } from './person-calls.ts';

let app: TestApp;
let people: ReturnType<typeof peopleOf>;
let admin: string;
beforeAll(async () => {
  app = await startTestApp();
  people = peopleOf(app);
  admin = await app.adminToken();
});
afterAll(() => app.close());

const reason = 'Has not paid since June';
const deactivate = (token: string, id: string, body: object = { reason }) =>
  app.call('POST', `${base}/${id}/deactivate`, { token, body });
const activate = (token: string, id: string, body: object = {}) =>
  app.call('POST', `${base}/${id}/activate`, { token, body });
const tryToSignIn = (email: string | null) =>
  app.call('POST', '/api/auth/login', {
    body: { email, password: PASSWORD },
    headers: { 'x-forwarded-for': someAddress() },
  });

describe('POST /api/platform-users/:id/deactivate', () => {
  it('signs somebody out everywhere until they are activated again', async () => {
    const { token, tenantId } = await app.ownerWithToken();
    const person = await app.buildUser({ role: 'library_staff', tenantId });
    const theirs = await app.signIn(person);
    await app.buildOneTimeToken(person);
    const answer = await deactivate(token, person.id);
    expect(answer.body.data).toMatchObject({ id: person.id, status: 'INACTIVE', version: 2 });
    expect(answer.headers.get('etag')).toBe('"2"');
    expect((await app.call('GET', '/api/auth/me', { token: theirs.token })).status).toBe(401);
    expect((await tryToSignIn(person.email)).status).toBe(401);
    const open = await app.query('select id from one_time_tokens where user_id = $1 and used_at is null', [person.id]);
    expect(open).toEqual([]);
    expect((await activate(token, person.id, { reason: 'Paid on 3 July' })).body.data).toMatchObject({
      status: 'ACTIVE',
    });
    expect((await tryToSignIn(person.email)).status).toBe(200);
    expect(await people.auditOf(person.id)).toMatchObject([
      {
        action: 'users.deactivate',
        tenant_id: tenantId,
        changes: { reason, sessionsEnded: 1, status: { from: 'ACTIVE', to: 'INACTIVE' } },
      },
      { action: 'users.activate', changes: { reason: 'Paid on 3 July', status: { from: 'INACTIVE', to: 'ACTIVE' } } },
    ]);
  });

  it('asks for a reason, and does nothing twice', async () => {
    const { token, tenantId } = await app.ownerWithToken();
    const { id } = await app.buildUser({ role: 'student', tenantId });
    expectError(await deactivate(token, id, {}), 400, 'validation_failed', 'body reason');
    const answers = await Promise.all([0, 1, 2].map(() => deactivate(token, id)));
    expect(statusesOf(answers)).toEqual([200, 409, 409]);
    expectError(await deactivate(token, id), 409, 'invalid_transition');
    const back = await Promise.all([0, 1, 2].map(() => activate(token, id)));
    expect(statusesOf(back)).toEqual([200, 409, 409]);
    expectError(await activate(token, id), 409, 'invalid_transition');
    expect(await people.auditOf(id)).toHaveLength(2);
  });

  it('leaves the last active owner, also when two shut each other out at once', async () => {
    const alone = await app.ownerWithToken();
    expectError(await deactivate(admin, alone.owner.id), 409, 'conflict');
    const one = await app.ownerWithToken();
    const two = await app.ownerWithToken({ tenantId: one.tenantId });
    const answers = await Promise.all([
      deactivate(one.token, two.owner.id),
      deactivate(two.token, one.owner.id),
      deactivate(admin, one.owner.id),
      deactivate(admin, two.owner.id),
    ]);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    const left = await app.query(`select id from users where tenant_id = $1 and status = 'ACTIVE'`, [one.tenantId]);
    expect(left).toHaveLength(1);
  });

  it('and an owner who leaves at the same time do not leave the library without one', async () => {
    for (let round = 0; round < 3; round += 1) {
      const one = await app.ownerWithToken();
      const two = await app.buildOwner({ tenantId: one.tenantId });
      const answers = await Promise.all([deactivate(admin, one.owner.id), people.remove(admin, two.id)]);
      expect(statusesOf(answers)).toEqual([200, 409]);
    }
  });

  it('takes an invitation back', async () => {
    const { token, tenantId } = await app.ownerWithToken();
    const person = await app.buildUser({ role: 'library_staff', tenantId, status: 'PENDING', password: false });
    const link = await app.buildOneTimeToken(person, 'WELCOME');
    expect((await deactivate(token, person.id)).body.data).toMatchObject({ status: 'INACTIVE', signIn: 'NEVER' });
    const used = await app.call('POST', '/api/auth/reset-password', {
      body: { token: link, password: 'three-quiet-reading-rooms' },
      headers: { 'x-forwarded-for': someAddress() },
    });
    expect(used.status).toBe(400);
  });
});

describe('POST /api/platform-users/:id/activate', () => {
  it.each(['PENDING', 'SUSPENDED', 'INACTIVE'])('makes who is %s active, also without a password', async (status) => {
    const { token, tenantId } = await app.ownerWithToken();
    const { id } = await app.buildUser({ role: 'student', tenantId, status, password: false });
    expect((await activate(token, id)).body.data).toMatchObject({ status: 'ACTIVE', signIn: 'NEVER' });
  });
});

describe('Whose status', () => {
  it('is nobody’s own, nor that of who may do more', async () => {
    const { owner, token, tenantId } = await app.ownerWithToken();
    const other = await app.buildOwner({ tenantId });
    const out = await app.buildOwner({ tenantId, status: 'INACTIVE' });
    const staff = await app.buildUser({ role: 'library_staff', tenantId });
    expectError(await deactivate(token, owner.id), 403, 'forbidden');
    const theirs = (await app.signIn(staff)).token;
    expectError(await deactivate(theirs, other.id), 403, 'exceeds_own_permissions');
    expectError(await activate(theirs, out.id), 403, 'exceeds_own_permissions');
    expectError(await activate(theirs, staff.id), 403, 'forbidden');
  });

  it('is not that of a portal admin, of who has left, or of another tenant', async () => {
    const { token, tenantId } = await app.ownerWithToken();
    const gone = await app.buildUser({ role: 'student', tenantId });
    await people.remove(token, gone.id);
    const other = await app.buildUser({ role: 'student' });
    const portalAdmin = await app.buildAdmin();
    for (const change of [activate, deactivate]) {
      for (const { id } of [gone, other, portalAdmin]) expectError(await change(token, id), 404, 'not_found');
      for (const { id } of [gone, portalAdmin]) expectError(await change(admin, id), 404, 'not_found');
    }
    expect(await people.rowOf(gone.id)).toMatchObject({ status: 'INACTIVE' });
    expect(await people.rowOf(portalAdmin.id)).toMatchObject({ status: 'ACTIVE' });
  });
});
