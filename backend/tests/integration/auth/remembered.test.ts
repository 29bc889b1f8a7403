import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';

// Who was here before with the same token is expected to be who they were: whether they are is asked in one message
// with what they read. Nothing may leave for somebody who is not.

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());

const list = (token: string, headers?: Record<string, string>) =>
  app.call('GET', '/api/tenants?limit=1', { token, headers });

/** How many messages the API sent to the database for one list. */
async function messagesFor(token: string, headers?: Record<string, string>): Promise<number> {
  const query = vi.spyOn(pg.Client.prototype, 'query');
  const answer = await list(token, headers);
  const sent = query.mock.calls.length;
  query.mockRestore();
  expectSuccess(answer);
  return sent;
}

async function wasHereBefore(role: 'super_admin' | 'sales' | 'owner' = 'super_admin') {
  const user = role === 'owner' ? await app.buildOwner() : await app.buildAdmin({ role });
  const { token } = await app.signIn(user);
  const read = () =>
    app.call('GET', role === 'owner' ? `/api/tenants/${user.tenantId}` : '/api/tenants?limit=1', { token });
  expectSuccess(await read());
  expectSuccess(await read());
  return { user, token, read };
}

describe('Who was here before', () => {
  it('is asked about in one message with what they read, then', async () => {
    const token = await app.adminToken();
    expect([await messagesFor(token), await messagesFor(token), await messagesFor(token)]).toEqual([2, 1, 1]);
  });

  it('is asked about as ever within a tenant that they name', async () => {
    const { id } = await app.buildTenant();
    const token = await app.adminToken();
    await list(token);
    expect(await messagesFor(token, { 'x-tenant-id': id })).toBe(3);
  });

  const changes: [what: string, sql: string, status: number, code: string][] = [
    ['whose session was ended', `update sessions set revoked_at = now() where user_id = $1`, 401, 'unauthenticated'],
    ['whose session is over', `update sessions set expires_at = now() where user_id = $1`, 401, 'unauthenticated'],
    ['whose session is gone', `delete from sessions where user_id = $1`, 401, 'unauthenticated'],
    ['who was deactivated', `update users set status = 'INACTIVE' where id = $1`, 401, 'unauthenticated'],
    [
      'from whom everything was taken',
      `with gone as (delete from role_assignments where user_id = $1)
       update users set permission_version = permission_version + 1 where id = $1`,
      403,
      'forbidden',
    ],
    [
      'whose password is too old now',
      `update sessions set restriction = 'PASSWORD_EXPIRED' where user_id = $1`,
      403,
      'password_expired',
    ],
  ];
  it.each(changes)('and %s gets nothing any more', async (_what, change, status, code) => {
    const { user, read } = await wasHereBefore();
    await app.query(change, [user.id]);
    expectError(await read(), status, code);
    expectError(await read(), status, code);
  });

  it('and whose address is shut out gets nothing any more, until it is let in again', async () => {
    const { read, token } = await wasHereBefore();
    await app.query(
      `insert into ip_rules (id, effect, audience, network, note) values ('c1', 'DENY', 'ADMINS', '192.0.2.0/24', 'x')`,
    );
    expectError(await list(token, { 'x-forwarded-for': '192.0.2.7' }), 403, 'address_refused');
    expectSuccess(await read());
    await app.query(`delete from ip_rules`);
    expectSuccess(await list(token, { 'x-forwarded-for': '192.0.2.7' }));
  });

  it('and whose library is suspended gets nothing any more', async () => {
    const { user, read } = await wasHereBefore('owner');
    await app.query(`update tenants set status = 'SUSPENDED' where id = $1`, [user.tenantId]);
    expectError(await read(), 403, 'tenant_suspended');
    await app.query(`update tenants set status = 'ACTIVE' where id = $1`, [user.tenantId]);
    expectSuccess(await read());
  });

  it('may do more at once, when more was given', async () => {
    const { user, token } = await wasHereBefore('sales');
    const audit = () => app.call('GET', '/api/audit?limit=1', { token });
    expectError(await audit(), 403, 'forbidden');
    await app.query(
      `with given as (insert into role_assignments (id, user_id, role_id) select 'c' || $1, $1, id from roles where code = 'auditor')
       update users set permission_version = permission_version + 1 where id = $1`,
      [user.id],
    );
    expectSuccess(await audit());
    expectSuccess(await audit());
  });

  it('is told of an error only as who they are: nothing is to be learnt with a dead token', async () => {
    const { user, token } = await wasHereBefore();
    const missing = () => app.call('GET', '/api/tenants/cm3k8v1x40000qp2h9d7f5a6b', { token });
    expectError(await missing(), 404, 'not_found');
    await app.query(`update sessions set revoked_at = now() where user_id = $1`, [user.id]);
    expectError(await missing(), 401, 'unauthenticated');
    expectError(await app.call('GET', '/api/tenants?limit=x', { token }), 401, 'unauthenticated');
  });

  it('is asked about where nothing is read, too', async () => {
    const { user, token } = await wasHereBefore();
    const definitions = () => app.call('GET', '/api/settings/definitions', { token });
    expectSuccess(await definitions());
    await app.query(`update sessions set revoked_at = now() where user_id = $1`, [user.id]);
    expectError(await definitions(), 401, 'unauthenticated');
  });

  it('never gets what another one was to get, however many ask at once while sessions end', async () => {
    const owners = await Promise.all(Array.from({ length: 6 }, () => wasHereBefore('owner')));
    const ended = owners[0]!;
    const rounds = owners.flatMap(({ user, token }) =>
      Array.from({ length: 30 }, async () => {
        const answer = await app.call('GET', `/api/tenants/${user.tenantId}`, { token });
        if (answer.status === 200) expect(answer.body.data.id).toBe(user.tenantId);
        else expect([answer.status, token]).toEqual([401, ended.token]);
      }),
    );
    await app.query(`update sessions set revoked_at = now() where user_id = $1`, [ended.user.id]);
    await Promise.all(rounds);
    expectError(await ended.read(), 401, 'unauthenticated');
  });
});
