import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUILT_IN_ROLES } from '../../../src/config/permissions.ts';
import { statusesOf } from '../../support/calls.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
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

const grant = (permission: string, more = {}) => ({ permission, effect: 'GRANT', reason: 'Covers for Asha', ...more });
const deny = (permission: string, more = {}) => ({ ...grant(permission, more), effect: 'DENY' });
const set = (id: string, permissions: object[], version?: number, who = token) =>
  app.call('PUT', `/api/admin-users/${id}/permissions`, {
    token: who,
    body: { permissions },
    headers: version === undefined ? {} : { 'if-match': `"${version}"` },
  });
const rowsOf = (id: string) =>
  app.query<{ id: string; code: string; effect: string; by: string | null }>(
    `select id, permission_code as code, effect, granted_by_id as by from permission_overrides where user_id = $1 order by permission_code`,
    [id],
  );

describe('Direct grants and denials', () => {
  it('work on the next request, a denial against every role, and are audited with both sides', async () => {
    const admin = await app.buildAdmin({ role: 'support' });
    const { token: theirs } = await app.signIn(admin);
    const status = async (path: string) => (await app.call('GET', path, { token: theirs })).status;
    const first = await set(admin.id, [grant('audit.read'), deny('tenants.read')]);
    expectSuccess(first);
    expect(first.body.data.permissions).toHaveLength(2);
    expect([await status('/api/audit?limit=1'), await status('/api/tenants?limit=1')]).toEqual([200, 403]);
    const second = await set(admin.id, [grant('audit.verify')]);
    expect([await status('/api/audit?limit=1'), await status('/api/tenants?limit=1')]).toEqual([403, 200]);
    const [row] = await app.query('select changes from audit_logs where request_id = $1', [
      second.headers.get('x-request-id'),
    ]);
    expect(row!.changes).toMatchObject({
      'audit.read': { from: { effect: 'GRANT' }, to: null },
      'tenants.read': { from: { effect: 'DENY' }, to: null },
      'audit.verify': { from: null, to: { effect: 'GRANT', reason: 'Covers for Asha' } },
    });
  });

  it('that stay as they are keep who gave them; those that are over are gone', async () => {
    const admin = await app.buildAdmin({ role: 'support' });
    await set(admin.id, [grant('audit.read'), grant('audit.verify')]);
    await access.override(admin, 'settings.read', 'GRANT', -5);
    const before = await rowsOf(admin.id);
    expectSuccess(await set(admin.id, [grant('audit.read'), deny('audit.verify')], 2));
    const after = await rowsOf(admin.id);
    expect(after.map(({ code, effect }) => [code, effect])).toEqual([
      ['audit.read', 'GRANT'],
      ['audit.verify', 'DENY'],
    ]);
    expect(after[0]).toEqual(before[0]);
    expect(after[1]!.id).not.toBe(before[1]!.id);
  });

  it.each([
    ['the same twice', [grant('audit.read'), deny('audit.read')], 'body permissions'],
    [
      'an end in the past',
      [grant('audit.read'), grant('audit.verify', { expiresAt: '2020-01-01' })],
      'body permissions.1.expiresAt',
    ],
    ['a permission that is none', [grant('audit.fly')], 'body permissions.0.permission'],
    ['no reason', [{ permission: 'audit.read', effect: 'GRANT' }], 'body permissions.0.reason'],
  ])('with %s are refused by name', async (_, permissions, field) => {
    const { id } = await app.buildAdmin({ role: 'support' });
    expectError(await set(id, permissions), 400, 'validation_failed', field);
  });

  it('set twice at once, from the same version, are set once', async () => {
    const { id } = await app.buildAdmin({ role: 'support' });
    const answers = await Promise.all([
      set(id, [grant('audit.read')], 1),
      set(id, [grant('audit.verify')], 1),
      set(id, [deny('tenants.read')], 1),
    ]);
    expect(statusesOf(answers)).toEqual([200, 412, 412]);
    expect(await rowsOf(id)).toHaveLength(1);
  });

  it('are not to be lifted by who does not hold the permission', async () => {
    const target = await app.buildAdmin({ role: 'support' });
    await set(target.id, [deny('tenants.read'), deny('tenants.access'), deny('security.impersonate')]);
    const { admin } = await access.buildAdminWith([
      'admins.permissions',
      ...BUILT_IN_ROLES.support.permissions.filter(
        (code) => !['tenants.access', 'security.impersonate'].includes(code),
      ),
    ]);
    const { token: theirs } = await app.signInElevated(admin);
    expectError(await set(target.id, [], undefined, theirs), 403, 'exceeds_own_permissions');
    const kept = [deny('tenants.access'), deny('security.impersonate')];
    expectSuccess(await set(target.id, kept, undefined, theirs));
  });
});
