import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../src/utils/ids.ts';
import { statusesOf } from '../../support/calls.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { runJobNow } from '../rbac/run-job-now.ts';
import { accessOf } from '../rbac/support.ts';

let app: TestApp;
let access: ReturnType<typeof accessOf>;
let token: string;
beforeAll(async () => {
  app = await startTestApp();
  access = accessOf(app);
  token = await app.elevatedToken();
});
afterAll(() => app.close());

const admins = '/api/admin-users';
const reason = 'Has left the company';
let serial = 0;
const someEmail = () => `person-${(serial += 1)}@portal.example`;
const create = (body: object = {}) =>
  app.call('POST', admins, {
    token,
    body: { email: someEmail(), name: 'Ravi Kumar', roles: ['support'], ...body },
  });
const post = (id: string, path: string, body?: object) => app.call('POST', `${admins}/${id}/${path}`, { token, body });
const remove = (id: string) => app.call('DELETE', `${admins}/${id}`, { token, body: { reason } });
const me = (who: string) => app.call('GET', '/api/auth/me', { token: who });
const links = (id: string) =>
  app.query<{ purpose: string }>(
    'select purpose from one_time_tokens where user_id = $1 and used_at is null and expires_at > now()',
    [id],
  );
const jobsFor = async (id: string) =>
  (await app.query<{ job: string }>(`select job from outbox_messages where payload->>'userId' = $1`, [id])).map(
    ({ job }) => job,
  );

describe('A new admin', () => {
  it('is invited with their roles, by a mail that goes out if and only if they are there', async () => {
    const answer = await create({ roles: ['support', await access.roleId('sales')], phone: '98290 12345' });
    expectSuccess(answer, 201);
    const { id, roles, phone, status, invite } = answer.body.data;
    expect({ phone, status, invite }).toEqual({
      phone: '+919829012345',
      status: 'PENDING',
      invite: { state: 'SENDING', expiresAt: null },
    });
    expect(roles.map(({ code }: { code: string }) => code)).toEqual(['sales', 'support']);
    expect(await jobsFor(id)).toEqual(['email.invite']);
    await runJobNow('email.invite', { userId: id });
    const { body } = await app.call('GET', `${admins}/${id}`, { token });
    expect(body.data.invite).toEqual({ state: 'OPEN', expiresAt: expect.any(String) });
    const hours = (Date.parse(body.data.invite.expiresAt) - Date.now()) / 3_600_000;
    expect(Math.round(hours)).toBe(72);
    await app.query(`update one_time_tokens set expires_at = now() where user_id = $1`, [id]);
    expect((await app.call('GET', `${admins}/${id}`, { token })).body.data.invite.state).toBe('EXPIRED');
    // An invitation is no forgotten password, which would have another link, and more time.
    await runJobNow('email.password-reset', { email: answer.body.data.email });
    expect(await app.query(`select 1 from one_time_tokens where user_id = $1 and expires_at > now()`, [id])).toEqual(
      [],
    );
  });

  it('needs an address of their own: of several at once one is created', async () => {
    const email = someEmail();
    const answers = await Promise.all([1, 2, 3].map(() => create({ email })));
    expect(statusesOf(answers)).toEqual([201, 409, 409]);
    expectError(
      answers.find(({ status }) => status === 409)!,
      409,
      'conflict',
      'body email',
    );
    const { owner } = await app.ownerWithToken();
    expectError(await create({ email: owner.email }), 409, 'conflict', 'body email');
  });

  it.each([
    ['roles of nobody', { roles: ['no_such_role'] }, 'body roles'],
    ['roles of owners', { roles: ['support', 'owner'] }, 'body roles.1'],
    ['no roles', { roles: [] }, 'body roles'],
    ['the same role twice', { roles: ['support', 'support'] }, 'body roles'],
  ])('with %s is refused by name', async (_, body, field) => {
    expectError(await create(body), 400, 'validation_failed', field);
  });

  it('named by code and by id at once holds the role once', async () => {
    const answer = await create({ roles: ['support', await access.roleId('support')] });
    expectSuccess(answer, 201);
    expect(answer.body.data.roles).toHaveLength(1);
  });

  it.each(['role', 'type', 'tenantId', 'passwordHash', 'status', 'permissions'])('brings no %s', async (field) => {
    expectError(await create({ [field]: 'x' }), 400, 'validation_failed', `body ${field}`);
  });
});

describe('An invitation', () => {
  const accept = async (id: string) => {
    const [row] = await app.query('select purpose from one_time_tokens where user_id = $1 and used_at is null', [id]);
    return row?.purpose;
  };

  it('that is sent again makes every earlier link worthless, whichever mail goes out last', async () => {
    const { id } = (await create()).body.data;
    await runJobNow('email.invite', { userId: id });
    expect(await links(id)).toHaveLength(1);
    expectSuccess(await post(id, 'invite'));
    expect(await links(id)).toEqual([]);
    await Promise.all([runJobNow('email.invite', { userId: id }), runJobNow('email.invite', { userId: id })]);
    expect(await links(id)).toEqual([{ purpose: 'INVITE' }]);
  });

  it('that is revoked lets nobody in: not by the link, not by a mail on its way, not by a forgotten password', async () => {
    const created = (await create()).body.data;
    await runJobNow('email.invite', { userId: created.id });
    const revoked = await post(created.id, 'invite/revoke', { reason });
    expect(revoked.body.data).toMatchObject({ status: 'INACTIVE', invite: { state: 'REVOKED' } });
    await runJobNow('email.invite', { userId: created.id });
    await runJobNow('email.password-reset', { email: created.email });
    expect(await links(created.id)).toEqual([]);
    expect(await accept(created.id)).toBeUndefined();
    expectError(await post(created.id, 'activate', {}), 409, 'invalid_transition');
    expectError(await post(created.id, 'invite/revoke', {}), 409, 'conflict');
    expect((await post(created.id, 'invite')).body.data.status).toBe('PENDING');
    await runJobNow('email.invite', { userId: created.id });
    expect(await links(created.id)).toHaveLength(1);
  });

  it('is nothing for who has accepted', async () => {
    const { id } = await app.buildAdmin({ role: 'support' });
    expectError(await post(id, 'invite'), 409, 'conflict');
    expectError(await post(id, 'invite/revoke', {}), 409, 'conflict');
  });

  it('goes to the new address when that changes, and no longer to the old one', async () => {
    const { id } = (await create()).body.data;
    await runJobNow('email.invite', { userId: id });
    const email = someEmail();
    expectSuccess(await app.call('PUT', `${admins}/${id}`, { token, body: { email } }));
    expect(await links(id)).toEqual([]);
    expect(await jobsFor(id)).toEqual(['email.invite', 'email.invite']);
    await runJobNow('email.invite', { userId: id });
    const sent = await app.query(`select recipient from email_deliveries where recipient = $1`, [email]);
    expect(sent).toHaveLength(1);
  });
});

describe('A change', () => {
  it('takes the version that was seen, and of two at once one', async () => {
    const { id } = await app.buildAdmin({ role: 'support' });
    const update = (name: string) =>
      app.call('PUT', `${admins}/${id}`, { token, body: { name }, headers: { 'if-match': '"1"' } });
    const answers = await Promise.all(['One Name', 'Two Name', 'Three Name'].map(update));
    expect(statusesOf(answers)).toEqual([200, 412, 412]);
  });

  it('of the address takes one that is free, ends links, and is to be seen in the trail', async () => {
    const admin = await app.buildAdmin({ role: 'support' });
    const other = await app.buildAdmin({ role: 'support' });
    await app.buildOneTimeToken(admin);
    const update = (email: string | null) => app.call('PUT', `${admins}/${admin.id}`, { token, body: { email } });
    expectError(await update(other.email), 409, 'conflict', 'body email');
    const email = someEmail();
    const changed = await update(email.toUpperCase());
    expectSuccess(changed);
    expect(await links(admin.id)).toEqual([]);
    const [row] = await app.query('select changes from audit_logs where request_id = $1', [
      changed.headers.get('x-request-id'),
    ]);
    expect(row!.changes).toEqual({ email: { from: admin.email, to: email } });
  });
});

describe('Deactivating', () => {
  it('ends sessions and links at once, and activating brings the account back, not the sessions', async () => {
    const admin = await app.buildAdmin({ role: 'support' });
    const { token: theirs, refreshToken } = await app.signIn(admin);
    await app.buildOneTimeToken(admin);
    const answer = await post(admin.id, 'deactivate', { reason });
    expect(answer.body.data).toMatchObject({ status: 'INACTIVE', invite: null });
    expect((await me(theirs)).status).toBe(401);
    expect((await app.call('POST', '/api/auth/refresh', { body: { refreshToken } })).status).toBe(401);
    expect(await links(admin.id)).toEqual([]);
    expectError(await post(admin.id, 'deactivate', { reason }), 409, 'invalid_transition');
    expectError(await post(admin.id, 'reset-password'), 409, 'conflict');
    expectSuccess(await post(admin.id, 'activate', { reason: 'Is back again' }));
    expect((await me(theirs)).status).toBe(401);
    expect((await me((await app.signIn(admin)).token)).status).toBe(200);
    expectError(await post(admin.id, 'activate', {}), 409, 'invalid_transition');
    const ended = await app.query(
      'select distinct revoked_reason as why from sessions where user_id = $1 and revoked_at is not null',
      [admin.id],
    );
    expect(ended).toEqual([{ why: 'DEACTIVATED' }]);
  });
});

describe('Removing', () => {
  it('takes everything that opens a door, keeps the row, and frees the address', async () => {
    const admin = await app.buildAdmin({ role: 'support', phone: '+919829012345' });
    const { token: theirs } = await app.signIn(admin);
    await access.override(admin, 'audit.read');
    await app.buildOneTimeToken(admin);
    await app.query(
      `insert into api_keys (id, name, prefix, secret_hash, created_by_id, expires_at) values ($1, 'x', $1, 'x', $2, now() + interval '1 day')`,
      [newId(), admin.id],
    );
    expectSuccess(await remove(admin.id));
    expect((await me(theirs)).status).toBe(401);
    const [row] = await app.query(
      `select email, phone, former_email, status, deleted_at is not null as deleted, password_hash,
              (select count(*)::int from role_assignments where user_id = u.id) as roles,
              (select count(*)::int from permission_overrides where user_id = u.id) as overrides,
              (select count(*)::int from api_keys where created_by_id = u.id and revoked_at is null) as keys
         from users u where id = $1`,
      [admin.id],
    );
    expect(row).toEqual({
      email: null,
      phone: null,
      former_email: admin.email,
      status: 'INACTIVE',
      deleted: true,
      password_hash: null,
      roles: 0,
      overrides: 0,
      keys: 0,
    });
    expect(await links(admin.id)).toEqual([]);
    expectError(await remove(admin.id), 404, 'not_found');
    const again = await create({ email: admin.email });
    expectSuccess(again, 201);
    expect(again.body.data.id).not.toBe(admin.id);
  });

  it('twice at once is done once', async () => {
    const { id } = await app.buildAdmin({ role: 'support' });
    expect(statusesOf(await Promise.all([remove(id), remove(id), remove(id)]))).toEqual([200, 404, 404]);
  });
});

describe('A new password', () => {
  it('is asked for in the name of an active admin, by a mail to them', async () => {
    const admin = await app.buildAdmin({ role: 'support' });
    expect((await post(admin.id, 'reset-password')).status).toBe(202);
    const jobs = await app.query(`select job from outbox_messages where payload->>'email' = $1`, [admin.email]);
    expect(jobs).toEqual([{ job: 'email.password-reset' }]);
    const pending = await app.buildAdmin({ role: 'support', status: 'PENDING', password: false });
    expectError(await post(pending.id, 'reset-password'), 409, 'conflict');
  });
});
