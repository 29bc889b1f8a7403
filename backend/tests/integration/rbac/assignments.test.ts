import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../src/utils/ids.ts';
import { statusesOf } from '../../support/calls.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { accessOf } from './support.ts';
import { runJobNow } from './run-job-now.ts';

let app: TestApp;
let access: ReturnType<typeof accessOf>;
let token: string;
beforeAll(async () => {
  app = await startTestApp();
  access = accessOf(app);
  token = await app.adminToken();
});
afterAll(() => app.close());

const assign = (body: object, who = token, headers = {}) =>
  app.call('POST', '/api/rbac/assignments', { token: who, body, headers });
const unassign = (id: string, who = token) => app.call('DELETE', `/api/rbac/assignments/${id}`, { token: who });
const audit = (who: string) => app.call('GET', '/api/audit?limit=1', { token: who });
const bare = async () => {
  const admin = await app.buildAdmin({ role: 'finance' });
  return { admin, ...(await app.signIn(admin)) };
};
const seconds = (count: number) => new Date(Date.now() + count * 1000).toISOString();

describe('A role', () => {
  it('that is given works on the next request with a live token, and is gone with the one after it was taken', async () => {
    const { admin, token: theirs } = await bare();
    expect((await audit(theirs)).status).toBe(403);
    const given = await assign({ userId: admin.id, role: 'auditor' });
    expectSuccess(given, 201);
    expect(given.body.data).toMatchObject({ userId: admin.id, role: 'auditor', expiresAt: null });
    expect((await audit(theirs)).status).toBe(200);
    expectSuccess(await unassign(given.body.data.id));
    expect((await audit(theirs)).status).toBe(403);
    const rows = await app.query(
      `select action, changes->>'role' as role from audit_logs where resource_id = $1 and action like 'rbac.%' order by sequence`,
      [admin.id],
    );
    expect(rows).toEqual([
      { action: 'rbac.assign', role: 'auditor' },
      { action: 'rbac.unassign', role: 'auditor' },
    ]);
  });

  it('is given by code or by id, once: twice tells how to change it', async () => {
    const { admin } = await bare();
    const id = await access.roleId('sales');
    expectSuccess(await assign({ userId: admin.id, role: id }), 201);
    const again = await assign({ userId: admin.id, role: 'sales', expiresAt: '2999-01-01' });
    expectError(again, 409, 'conflict');
    expect(again.body.error.message).toContain(again.body.error.details.assignmentId);
  });

  it('is for the kind of people it is made for', async () => {
    const { admin } = await bare();
    const owner = await app.buildOwner();
    expectError(await assign({ userId: admin.id, role: 'owner' }), 400, 'validation_failed', 'body role');
    expectError(await assign({ userId: owner.id, role: 'support' }), 400, 'validation_failed', 'body role');
    expectError(await assign({ userId: owner.id, role: 'no_such_role' }), 400, 'validation_failed', 'body role');
    expectError(await assign({ userId: newId(), role: 'support' }), 404, 'not_found');
    const mistaken = await access.buildRole(['audit.read'], 'PLATFORM_USER');
    expectError(await assign({ userId: owner.id, role: mistaken.id }), 409, 'conflict');
    expectSuccess(await assign({ userId: owner.id, role: 'library_staff' }), 201);
  });

  it('of somebody of a tenant is written down in the trail of the tenant, and is to be given from within its space', async () => {
    const owner = await app.buildOwner();
    const other = await app.buildOwner();
    const headers = { 'x-tenant-id': owner.tenantId! };
    const given = await assign({ userId: owner.id, role: 'library_staff' }, token, headers);
    expectSuccess(given, 201);
    expectError(await assign({ userId: other.id, role: 'library_staff' }, token, headers), 404, 'not_found');
    expectError(await assign({ userId: (await bare()).admin.id, role: 'sales' }, token, headers), 404, 'not_found');
    const [row] = await app.query('select chain from audit_logs where request_id = $1', [
      given.headers.get('x-request-id'),
    ]);
    expect(row).toEqual({ chain: owner.tenantId });
  });

  it('given to the same person many times at once is given once, taken many times at once is taken once', async () => {
    const { admin } = await bare();
    const answers = await Promise.all(Array.from({ length: 6 }, () => assign({ userId: admin.id, role: 'sales' })));
    expect(statusesOf(answers)).toEqual([201, 409, 409, 409, 409, 409]);
    const { id } = answers.find(({ status }) => status === 201)!.body.data;
    expect(statusesOf(await Promise.all([1, 2, 3].map(() => unassign(id))))).toEqual([200, 404, 404]);
  });

  it('given to fifty at once, by several admins, meets no deadlock', async () => {
    const people = await Promise.all(Array.from({ length: 10 }, () => app.buildAdmin({ role: 'finance' })));
    const tokens = await Promise.all([1, 2, 3].map(() => app.adminToken()));
    const roles = ['sales', 'support', 'operations', 'auditor', 'super_admin'];
    const answers = await Promise.all(
      people.flatMap(({ id: userId }, person) =>
        roles.map((role, index) => assign({ userId, role }, tokens[(person + index) % 3])),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    const removals = await Promise.all(answers.map(({ body }, index) => unassign(body.data.id, tokens[index % 3])));
    expect(new Set(removals.map(({ status }) => status))).toEqual(new Set([200]));
  });
});

describe('A role with an end', () => {
  it('must end in the future', async () => {
    const { admin } = await bare();
    const body = { userId: admin.id, role: 'sales', expiresAt: seconds(-1) };
    expectError(await assign(body), 400, 'validation_failed', 'body expiresAt');
  });

  it('grants nothing from that moment on, though no job has run: with the token at hand, and with a fresh one', async () => {
    const { admin, token: old, refreshToken } = await bare();
    const expiresAt = seconds(2.5);
    expectSuccess(await assign({ userId: admin.id, role: 'auditor', expiresAt }), 201);
    const { token: fresh } = await app.signIn(admin);
    expect((await audit(old)).status).toBe(200);
    expect((await audit(fresh)).status).toBe(200);
    await sleep(new Date(expiresAt).getTime() - Date.now() + 50);
    expect((await audit(old)).status).toBe(403);
    expect([401, 403]).toContain((await audit(fresh)).status);
    const refreshed = await app.call('POST', '/api/auth/refresh', { body: { refreshToken } });
    expect((await audit(refreshed.body.data.accessToken)).status).toBe(403);
    expect((await app.query('select from role_assignments where user_id = $1', [admin.id])).length).toBe(2);
    // Nor does it stand in the way of giving it again.
    expectSuccess(await assign({ userId: admin.id, role: 'auditor' }), 201);
    expect((await audit(old)).status).toBe(200);
  });

  it('holds no longer for direct grants and denials either', async () => {
    const { admin } = await access.buildAdminWith(['tenants.read']);
    await access.override(admin, 'audit.read', 'GRANT', 2);
    await access.override(admin, 'tenants.read', 'DENY', 2);
    const { token: theirs, refreshToken } = await app.signIn(admin);
    expect((await audit(theirs)).status).toBe(200);
    expect((await app.call('GET', '/api/tenants', { token: theirs })).status).toBe(403);
    await sleep(2_100);
    expect([401, 403]).toContain((await audit(theirs)).status);
    const refreshed = (await app.call('POST', '/api/auth/refresh', { body: { refreshToken } })).body.data.accessToken;
    expect((await audit(refreshed)).status).toBe(403);
    expect((await app.call('GET', '/api/tenants', { token: refreshed })).status).toBe(200);
  });
});

describe('The job that removes what is over', () => {
  const expired = async () =>
    (
      await app.query<{ count: number }>(
        `select ((select count(*) from role_assignments where expires_at <= now())
               + (select count(*) from permission_overrides where expires_at <= now()))::int as count`,
      )
    )[0]!.count;
  const told = (ids: string[]) =>
    app.query(
      `select resource_id as id, chain, actor_type as by, changes from audit_logs
        where action = 'rbac.expire' and resource_id = any ($1) order by resource_id`,
      [ids],
    );

  it('removes it, tells it once for each person, and leaves the rest', async () => {
    const admin = await app.buildAdmin({ role: 'finance' });
    const owner = await app.buildOwner();
    const staff = await access.roleId('library_staff');
    await access.give(admin, await access.roleId('sales'), -1);
    await access.give(admin, await access.roleId('support'), 3_600);
    await access.override(admin, 'audit.read', 'GRANT', -1);
    await access.override(admin, 'tenants.read', 'DENY', 3_600);
    await access.give(owner, staff, -1);
    await runJobNow('cleanup.access');
    await runJobNow('cleanup.access');
    expect(await expired()).toBe(0);
    expect(await told([admin.id])).toEqual([
      {
        id: admin.id,
        chain: 'platform',
        by: 'SYSTEM',
        changes: { roles: ['sales'], permissions: ['grant audit.read'] },
      },
    ]);
    expect(await told([owner.id])).toEqual([
      { id: owner.id, chain: owner.tenantId, by: 'SYSTEM', changes: { roles: ['library_staff'], permissions: [] } },
    ]);
    const [left] = await app.query(
      `select (select count(*)::int from role_assignments where user_id = $1) as roles,
              (select count(*)::int from permission_overrides where user_id = $1) as overrides,
              (select permission_version from users where id = $1) as version`,
      [admin.id],
    );
    expect(left).toEqual({ roles: 2, overrides: 1, version: 2 });
  });

  it('shares many people between two workers, beside requests that change the same', async () => {
    const people = await Promise.all(Array.from({ length: 130 }, () => app.buildAdmin({ role: 'finance' })));
    const sales = await access.roleId('sales');
    await app.query(
      `insert into role_assignments (id, user_id, role_id, expires_at)
       select 'c' || substr(md5('x' || id), 1, 24), id, $1, now() from unnest($2::text[]) as id`,
      [sales, people.map(({ id }) => id)],
    );
    const requests = people.slice(0, 10).map(({ id }) => assign({ userId: id, role: 'sales' }));
    await Promise.all([runJobNow('cleanup.access'), runJobNow('cleanup.access'), ...requests]);
    await runJobNow('cleanup.access');
    expect(await expired()).toBe(0);
    expect((await Promise.all(requests)).map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 201));
    const rows = await told(people.map(({ id }) => id));
    expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
    expect(rows.length).toBeGreaterThanOrEqual(120);
  });
});
