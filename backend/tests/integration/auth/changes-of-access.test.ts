import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUILT_IN_ROLES } from '../../../src/config/permissions.ts';
import { newId } from '../../../src/utils/ids.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { claimsOf, login, me, refresh } from './support.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());

const bump = (userId: string) =>
  app.query(`update users set permission_version = permission_version + 1 where id = $1`, [userId]);
const assign = (userId: string, role: string) =>
  app.query(`insert into role_assignments (id, user_id, role_id) select $1, $2, id from roles where code = $3`, [
    newId(),
    userId,
    role,
  ]);
const unassign = (userId: string, role: string) =>
  app.query(`delete from role_assignments where user_id = $1 and role_id = (select id from roles where code = $2)`, [
    userId,
    role,
  ]);

describe('With a live token, from the very next request on,', () => {
  it('a role that was taken away no longer counts', async () => {
    const admin = await app.buildAdmin();
    const { token } = await app.signIn(admin);
    const { id } = await app.buildTenant();
    const suspend = () =>
      app.call('POST', `/api/tenants/${id}/suspend`, { token, body: { reason: 'Unpaid since June' } });
    expectSuccess(await app.call('GET', '/api/tenants', { token }));
    await unassign(admin.id, 'super_admin');
    await bump(admin.id);
    expectError(await suspend(), 403, 'forbidden');
    expectError(await app.call('GET', '/api/tenants', { token }), 403, 'forbidden');
    expect(await app.query(`select status from tenants where id = $1`, [id])).toEqual([{ status: 'ACTIVE' }]);
    expect((await me(app, token)).body.data).toMatchObject({ role: 'none', permissions: [] });
  });

  it('a role that was given counts', async () => {
    const admin = await app.buildAdmin({ role: 'sales' });
    const { token } = await app.signIn(admin);
    expectError(await app.call('GET', '/api/audit', { token }), 403, 'forbidden');
    await assign(admin.id, 'auditor');
    await bump(admin.id);
    expectSuccess(await app.call('GET', '/api/audit', { token }));
    expect((await me(app, token)).body.data).toMatchObject({
      role: 'auditor',
      permissions: [
        ...new Set([...BUILT_IN_ROLES.auditor.permissions, ...BUILT_IN_ROLES.sales.permissions]),
      ].toSorted(),
    });
  });

  it('a permission taken from the role of a platform user no longer counts', async () => {
    const { owner, token, tenantId } = await app.ownerWithToken();
    const update = () => app.call('PUT', `/api/tenants/${tenantId}`, { token, body: { city: 'Sikar' } });
    expectSuccess(await update());
    await app.query(
      `delete from role_permissions where permission_code = 'tenants.update' and role_id = (select id from roles where code = 'owner')`,
    );
    try {
      await bump(owner.id);
      expectError(await update(), 403, 'forbidden');
      expectSuccess(await app.call('GET', `/api/tenants/${tenantId}`, { token }));
    } finally {
      await app.query(
        `insert into role_permissions (role_id, permission_code) select id, 'tenants.update' from roles where code = 'owner'`,
      );
    }
  });

  it('a permission for the staff of StudySpot helps no platform user who was given it by mistake', async () => {
    const { owner, token } = await app.ownerWithToken();
    await app.query(
      `insert into role_assignments (id, tenant_id, user_id, role_id) select $1, $2, $3, id from roles where code = 'super_admin'`,
      [newId(), owner.tenantId, owner.id],
    );
    await bump(owner.id);
    for (const path of ['/api/tenants', '/api/audit', '/api/audit/integrity']) {
      expectError(await app.call('GET', path, { token }), 403, 'forbidden');
    }
    const other = await app.buildTenant();
    expectError(await app.call('GET', `/api/tenants/${other.id}`, { token }), 404, 'not_found');
  });

  it.each(['SUSPENDED', 'INACTIVE', 'PENDING'])('somebody who is %s is out', async (status) => {
    const { owner, token, refreshToken } = await app.ownerWithToken();
    expectSuccess(await me(app, token));
    await app.query(`update users set status = $2::user_status where id = $1`, [owner.id, status]);
    expectError(await me(app, token), 401, 'unauthenticated');
    expectError(await refresh(app, refreshToken), 401, 'unauthenticated');
  });

  it('somebody who was deleted is out', async () => {
    const admin = await app.buildAdmin();
    const { token } = await app.signIn(admin);
    await app.query(`delete from users where id = $1`, [admin.id]);
    expectError(await me(app, token), 401, 'unauthenticated');
  });

  it('somebody who was moved to another tenant is out', async () => {
    const { owner, token } = await app.ownerWithToken();
    await app.query(`update users set tenant_id = $2 where id = $1`, [owner.id, (await app.buildTenant()).id]);
    expectError(await me(app, token), 401, 'unauthenticated');
  });
});

describe('A tenant that is suspended', () => {
  const suspend = (token: string, id: string) =>
    app.call('POST', `/api/tenants/${id}/suspend`, { token, body: { reason: 'Unpaid since June' } });

  it('shuts its people out at once; they may sign in to see why; activated, all works again', async () => {
    const admin = await app.adminToken();
    const { owner, token, refreshToken, tenantId } = await app.ownerWithToken();
    const staff = await app.buildUser({ role: 'library_staff', tenantId });
    const { token: staffToken } = await app.signIn(staff);
    const stranger = await app.ownerWithToken();

    expectSuccess(await suspend(admin, tenantId));
    for (const live of [token, staffToken]) expectError(await me(app, live), 401, 'unauthenticated');
    expectError(await refresh(app, refreshToken), 401, 'unauthenticated');
    expectSuccess(await me(app, stranger.token));
    expect(await app.query(`select distinct revoked_reason from sessions where tenant_id = $1`, [tenantId])).toEqual([
      { revoked_reason: 'TENANT_SUSPENDED' },
    ]);

    const again = await login(app, { email: owner.email });
    expectSuccess(again);
    const { accessToken, refreshToken: next } = again.body.data;
    expect((await me(app, accessToken)).body.data.tenant).toMatchObject({ id: tenantId, status: 'SUSPENDED' });
    expectSuccess(await app.call('GET', '/api/auth/sessions', { token: accessToken }));
    for (const [method, path, body] of [
      ['GET', `/api/tenants/${tenantId}`, undefined],
      ['GET', `/api/tenants/${tenantId}/users`, undefined],
      ['PUT', `/api/tenants/${tenantId}`, { city: 'Sikar' }],
    ] as const) {
      expectError(await app.call(method, path, { token: accessToken, body }), 403, 'tenant_suspended');
    }

    expectSuccess(await app.call('POST', `/api/tenants/${tenantId}/activate`, { token: admin, body: {} }));
    expectSuccess(await app.call('GET', `/api/tenants/${tenantId}`, { token: accessToken }));
    expectSuccess(await refresh(app, next));
    expectError(await me(app, token), 401, 'unauthenticated');
  });

  it.each(['INACTIVE', 'OFFBOARDING'])('so does one that is %s', async (status) => {
    const { token, tenantId } = await app.ownerWithToken();
    await app.query(`update tenants set status = $2::tenant_status where id = $1`, [tenantId, status]);
    expectError(await app.call('GET', `/api/tenants/${tenantId}`, { token }), 403, 'tenant_suspended');
    expectSuccess(await me(app, token));
  });

  it('while somebody signs in leaves no session that works in it', async () => {
    const admin = await app.adminToken();
    const owners = await Promise.all(Array.from({ length: 6 }, () => app.buildOwner()));
    await Promise.all(
      owners.map(async (owner) => {
        const [signedIn] = await Promise.all([
          login(app, { email: owner.email }),
          suspend(admin, owner.tenantId as string),
        ]);
        expectSuccess(signedIn);
        const { accessToken } = signedIn.body.data;
        const answer = await app.call('GET', `/api/tenants/${owner.tenantId}`, { token: accessToken });
        expect([401, 403]).toContain(answer.status);
        expect(claimsOf(accessToken).tenantId).toBe(owner.tenantId);
      }),
    );
  });
});
