import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../src/utils/ids.ts';
import { queryString } from '../../support/calls.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { accessOf } from '../rbac/support.ts';

type Admin = Awaited<ReturnType<TestApp['buildAdmin']>>;

let app: TestApp;
let access: ReturnType<typeof accessOf>;
let token: string;
const people: Record<string, Admin> = {};

beforeAll(async () => {
  app = await startTestApp();
  access = accessOf(app);
  const build = async (key: string, overrides: Parameters<TestApp['buildAdmin']>[0]) => {
    people[key] = await app.buildAdmin({ name: `${key} Menon`, email: `${key}@portal.example`, ...overrides });
  };
  await build('asha', {});
  await build('ravi', { role: 'support' });
  await build('dev', { role: 'support', status: 'INACTIVE' });
  await build('new', { role: 'auditor', status: 'PENDING', password: false });
  await build('late', { role: 'auditor', status: 'PENDING', password: false });
  await app.query(`update users set updated_at = now() - interval '4 days' where id = $1`, [people.late!.id]);
  await build('gone', { role: 'support' });
  await build('revoked', { role: 'sales', status: 'INACTIVE', password: false });
  await app.query(`update users set deleted_at = now() where id = $1`, [people.gone!.id]);
  await app.query(
    `insert into totp_credentials (user_id, sealed_secret, confirmed_at) values ($1, 'x', now()), ($2, 'x', null)`,
    [people.ravi!.id, people.dev!.id],
  );
  await app.buildOneTimeToken(people.new!, 'INVITE');
  await access.give(people.ravi!, await access.roleId('auditor'), -5);
  await access.give(people.ravi!, await access.roleId('sales'), 3_600);
  await app.buildOwner({ name: 'Owner Menon' });
  token = (await app.signInElevated(people.asha!)).token;
});
afterAll(() => app.close());

const list = (query: Record<string, string | number>, headers = {}) =>
  app.call('GET', `/api/admin-users${queryString(query)}`, { token, headers });
const names = async (query: Record<string, string | number>) =>
  (await list(query)).body.data.map(({ name }: { name: string }) => name.split(' ')[0]);

describe('The list of admins', () => {
  it.each([
    [{}, ['asha', 'dev', 'late', 'new', 'ravi', 'revoked']],
    [{ status: 'PENDING' }, ['late', 'new']],
    [{ role: 'support' }, ['dev', 'ravi']],
    [{ role: 'auditor' }, ['late', 'new']],
    [{ role: 'no_such_role' }, []],
    [{ mfa: 'on' }, ['ravi']],
    [{ mfa: 'off' }, ['asha', 'dev', 'late', 'new', 'revoked']],
    [{ invited: 'true' }, ['late', 'new']],
    [{ invited: 'false', status: 'INACTIVE' }, ['dev', 'revoked']],
    [{ q: 'RAVI' }, ['ravi']],
    [{ q: '@portal' }, ['asha', 'dev', 'late', 'new', 'ravi', 'revoked']],
    [{ q: 'a%i' }, []],
  ] as [Record<string, string>, string[]][])('of %j has %j', async (query, expected) => {
    expect(await names({ sort: 'name', order: 'asc', ...query })).toEqual(expected);
  });

  it('tells roles that hold, second factors, the last sign-in and how the invitation stands', async () => {
    const { body } = await list({ sort: 'name', order: 'asc' });
    const of = (key: string) => body.data.find(({ id }: { id: string }) => id === people[key]!.id);
    expect(of('ravi').roles.map(({ code }: { code: string }) => code)).toEqual(['sales', 'support']);
    expect(of('ravi')).toMatchObject({ mfa: { enabled: true, requiredSince: null }, invite: null, lastLoginAt: null });
    expect(of('dev')).toMatchObject({ mfa: { enabled: false }, invite: null });
    expect(of('new').invite).toEqual({ state: 'OPEN', expiresAt: expect.any(String) });
    expect(of('late').invite).toEqual({ state: 'EXPIRED', expiresAt: null });
    expect(of('revoked').invite).toEqual({ state: 'REVOKED', expiresAt: null });
    expect(of('asha').lastLoginAt).toEqual(expect.any(String));
  });

  it('goes by page, in every order, without losing anybody', async () => {
    for (const sort of ['createdAt', 'name', 'lastLoginAt', 'status']) {
      for (const order of ['asc', 'desc']) {
        const seen = [];
        for (let page = 1; page <= 3; page += 1) seen.push(...(await names({ sort, order, page, limit: 2 })));
        expect(seen).toHaveLength(6);
        expect(new Set(seen).size).toBe(6);
      }
    }
  });

  it('is empty within a tenant, where nobody is to be found either', async () => {
    const headers = { 'x-tenant-id': (await app.buildTenant()).id };
    expect((await list({}, headers)).body.meta.total).toBe(0);
    const one = await app.call('GET', `/api/admin-users/${people.ravi!.id}`, { token, headers });
    expectError(one, 404, 'not_found');
    const analytics = await app.call('GET', '/api/admin-users/analytics', { token, headers });
    expect(analytics.body.data).toMatchObject({ total: 0, mfa: { share: null } });
    const body = { email: 'x@portal.example', name: 'New one', roles: ['support'] };
    const created = await app.call('POST', '/api/admin-users', { token, headers, body });
    expectError(created, 403, 'tenant_mismatch');
  });
});

describe('One admin', () => {
  it('comes with direct grants and denials that hold', async () => {
    await access.override(people.dev!, 'audit.read', 'GRANT', 3_600);
    await access.override(people.dev!, 'settings.read', 'DENY');
    await access.override(people.dev!, 'audit.export', 'GRANT', -5);
    const { body } = await app.call('GET', `/api/admin-users/${people.dev!.id}`, { token });
    expect(body.data.permissions).toMatchObject([
      { permission: 'audit.read', effect: 'GRANT', reason: 'for a test', expiresAt: expect.any(String) },
      { permission: 'settings.read', effect: 'DENY', expiresAt: null },
    ]);
  });

  it('is nobody who has left, and nobody of a tenant', async () => {
    const owner = await app.buildOwner();
    for (const id of [people.gone!.id, owner.id, newId()]) {
      for (const path of ['', '/activity', '/sessions']) {
        expectError(await app.call('GET', `/api/admin-users/${id}${path}`, { token }), 404, 'not_found');
      }
      const change = { token, body: { name: 'Another' } };
      expectError(await app.call('PUT', `/api/admin-users/${id}`, change), 404, 'not_found');
    }
  });
});

describe('The numbers', () => {
  it('are those of the list', async () => {
    await app.query(`update users set created_at = now() - interval '100 days' where id = $1`, [people.ravi!.id]);
    const { body } = await app.call('GET', '/api/admin-users/analytics', { token });
    expect(body.data).toMatchObject({
      total: 6,
      byStatus: { ACTIVE: 2, PENDING: 2, INACTIVE: 2, SUSPENDED: 0 },
      mfa: { enabled: 1, share: 0.5 },
      activeLast30Days: 1,
      pendingInvites: 2,
      dormant90Days: 1,
    });
    const held = Object.fromEntries(
      body.data.byRole.map((one: { code: string; admins: number }) => [one.code, one.admins]),
    );
    expect(held).toMatchObject({ super_admin: 1, support: 2, auditor: 2, sales: 2, finance: 0 });
    expect(held).not.toHaveProperty('owner');
  });
});

describe('What an admin did', () => {
  it('is there, in person, by their keys and in the name of others, newest first, by page and by cursor', async () => {
    const { id } = people.ravi!;
    const at = (minutes: number) => `now() - interval '${minutes} minutes'`;
    const row = (sequence: number, type: string, actor: string, behalf: string | null, minutes: number) =>
      app.query(
        `insert into audit_logs (id, chain, sequence, actor_type, actor_id, actor_name, on_behalf_of_id, on_behalf_of_name,
                                 action, resource, outcome, created_at, previous_hash, hash)
         values ($1, 'platform', $2, $3::actor_type, $4, 'X', $5, 'Y', 'x.y', 'thing', 'SUCCESS', ${at(minutes)}, '', '')`,
        [newId(), sequence, type, actor, behalf],
      );
    for (let index = 0; index < 5; index += 1) {
      await row(10_000 + index, 'USER', id, index === 2 ? 'somebody' : null, index * 2);
      await row(20_000 + index, 'API_KEY', 'a-key', id, index * 2 + 1);
      await row(30_000 + index, 'USER', 'another', null, index);
    }
    const read = async (query: string) =>
      (await app.call('GET', `/api/admin-users/${id}/activity?${query}`, { token })).body;
    const whole = await read('limit=100');
    expect(whole.data.map(({ by }: { by: string }) => by)).toEqual(
      Array.from({ length: 10 }, (_, index) => (index % 2 ? 'API_KEY' : 'PERSON')),
    );
    expect(whole.meta).toEqual({ page: 1, limit: 100, total: 10, totalPages: 1, nextCursor: null });
    expect(whole.data[4].onBehalfOf).toEqual({ id: 'somebody', name: 'Y' });
    expect(whole.data[1].onBehalfOf).toBeNull();
    const pages = [await read('limit=4'), await read('limit=4&page=2'), await read('limit=4&page=3')];
    expect(pages.flatMap(({ data }) => data)).toEqual(whole.data);
    const second = await read(`limit=4&cursor=${pages[0].meta.nextCursor}`);
    expect(second.data).toEqual(pages[1].data);
    const third = await read(`limit=4&cursor=${second.meta.nextCursor}`);
    expect([third.data, third.meta]).toEqual([pages[2].data, { limit: 4, nextCursor: null }]);
  });
});

describe("An admin's sessions", () => {
  it('are listed while they are live, and end one by one', async () => {
    const admin = await app.buildAdmin({ role: 'support' });
    const [{ token: one }, { token: two }] = [await app.signIn(admin), await app.signIn(admin)];
    const path = `/api/admin-users/${admin.id}/sessions`;
    const { body } = await app.call('GET', path, { token });
    expect(body.meta.total).toBe(2);
    expect(body.data[0]).toMatchObject({ method: 'PASSWORD', mfa: false });
    const other = people.ravi!.id;
    const wrong = await app.call('DELETE', `/api/admin-users/${other}/sessions/${body.data[0].id}`, { token });
    expectError(wrong, 404, 'not_found');
    expectSuccess(await app.call('DELETE', `${path}/${body.data[0].id}`, { token }));
    expectError(await app.call('DELETE', `${path}/${body.data[0].id}`, { token }), 404, 'not_found');
    const me = (who: string) => app.call('GET', '/api/auth/me', { token: who });
    expect([(await me(one)).status, (await me(two)).status]).toEqual([200, 401]);
    expect((await app.call('GET', path, { token })).body.meta.total).toBe(1);
  });
});
