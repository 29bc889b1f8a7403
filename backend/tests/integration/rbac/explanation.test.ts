import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { permissionCodes, permissionDefinition, type Permission } from '../../../src/config/permissions.ts';
import type { Endpoint } from '../../../src/routes/endpoint.ts';
import { modules } from '../../../src/routes/index.ts';
import { newId } from '../../../src/utils/ids.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { accessOf } from './support.ts';

let app: TestApp;
let access: ReturnType<typeof accessOf>;
let token: string;
beforeAll(async () => {
  app = await startTestApp();
  access = accessOf(app);
  token = await app.adminToken();
});
afterAll(() => app.close());

const simulate = async (body: object) => app.call('POST', '/api/rbac/simulate', { token, body });

describe('Effective permissions', () => {
  it('come with every role, grant and denial they come from, and leave out what is over', async () => {
    const admin = await app.buildAdmin({ role: 'support' });
    const sales = await access.give(admin, await access.roleId('sales'), 3_600);
    await access.give(admin, await access.roleId('auditor'), -5);
    await access.override(admin, 'audit.export');
    await access.override(admin, 'tenants.access', 'DENY');
    const { body } = await app.call('GET', `/api/rbac/users/${admin.id}/effective`, { token });
    expect(body.data.user).toMatchObject({ id: admin.id, type: 'ADMIN_USER' });
    const of = (code: string) => body.data.permissions.find((one: { permission: string }) => one.permission === code);
    expect(of('tenants.read')).toMatchObject({
      granted: true,
      sources: [
        { role: 'support' },
        { kind: 'role', role: 'sales', assignmentId: sales, expiresAt: expect.any(String) },
      ],
    });
    expect(of('audit.export')).toMatchObject({ granted: true, sources: [{ kind: 'grant', reason: 'for a test' }] });
    expect(of('tenants.access')).toMatchObject({ granted: false, sources: [{ role: 'support' }, { kind: 'denial' }] });
    expect(of('audit.read')).toBeUndefined();
    const granted = body.data.permissions.filter((one: { granted: boolean }) => one.granted);
    const { token: theirs } = await app.signIn(admin);
    const me = await app.call('GET', '/api/auth/me', { token: theirs });
    expect(me.body.data.permissions).toEqual(granted.map((one: { permission: string }) => one.permission));
  });
});

describe('A simulation', () => {
  it('of nobody, or within no tenant, is a 404', async () => {
    const { id } = await app.buildOwner();
    expectError(await simulate({ userId: newId(), permission: 'tenants.read' }), 404, 'not_found');
    expectError(await simulate({ userId: id, permission: 'tenants.read', tenantId: newId() }), 404, 'not_found');
  });

  it.each([
    ['is inactive', { status: 'INACTIVE' }],
    ['has yet to accept', { status: 'PENDING' }],
  ])('of somebody who %s says that they cannot sign in', async (_, overrides) => {
    const { id } = await app.buildAdmin(overrides);
    const { body } = await simulate({ userId: id, permission: 'tenants.read' });
    expect(body.data).toMatchObject({ allowed: false, rule: 'not_active', code: 'unauthenticated' });
    expect(body.data.sources).toHaveLength(1);
  });

  it('of somebody who has left says so', async () => {
    const { id } = await app.buildAdmin({ role: 'support' });
    await app.query(`update users set deleted_at = now(), email = null where id = $1`, [id]);
    const { body } = await simulate({ userId: id, permission: 'tenants.read' });
    expect(body.data).toMatchObject({ allowed: false, rule: 'not_active', message: expect.stringContaining('left') });
  });

  it('names the rule and where the permission would come from', async () => {
    const admin = await app.buildAdmin({ role: 'support' });
    await access.override(admin, 'tenants.read', 'DENY');
    const { body } = await simulate({ userId: admin.id, permission: 'tenants.read' });
    expect(body.data).toMatchObject({
      allowed: false,
      rule: 'not_granted',
      code: 'forbidden',
      message: 'This needs the permission tenants.read.',
      sources: [
        { kind: 'role', role: 'support' },
        { kind: 'denial', reason: 'for a test' },
      ],
    });
  });
});

/** For each permission an endpoint that asks for it; one that is open to tenants where the permission is. */
const calls = new Map<Permission, { endpoint: Endpoint; prefix: string }>();
for (const { prefix, endpoints } of modules) {
  for (const endpoint of endpoints) {
    if (typeof endpoint.access !== 'object' || !('permission' in endpoint.access)) continue;
    const { permission, tenant } = endpoint.access;
    const isOpen = permissionDefinition(permission).tenants === true;
    if (isOpen === (tenant !== undefined) && !calls.has(permission)) calls.set(permission, { endpoint, prefix });
  }
}

describe('A simulation is what really happens', () => {
  const people: [string, () => Promise<{ id: string; email: string | null; tenantId: string | null }>][] = [
    ['a super admin', () => app.buildAdmin()],
    ['support', () => app.buildAdmin({ role: 'support' })],
    ['an auditor', () => app.buildAdmin({ role: 'auditor' })],
    [
      'an admin without tenants.access, with a grant and a denial',
      async () => {
        const admin = await app.buildAdmin({ role: 'sales' });
        await access.override(admin, 'audit.read');
        await access.override(admin, 'tenants.create', 'DENY');
        return admin;
      },
    ],
    ['an owner', () => app.buildOwner()],
    ['a student', () => app.buildUser({ role: 'student' })],
    [
      'an owner with what is not for owners',
      async () => {
        const owner = await app.buildOwner();
        await access.give(owner, (await access.buildRole(['audit.read', 'admins.read'], 'PLATFORM_USER')).id);
        return owner;
      },
    ],
    [
      'an owner whose library is suspended',
      async () => app.buildOwner({ tenantId: (await app.buildTenant({ status: 'SUSPENDED' })).id }),
    ],
  ];

  it.each(people)('for %s, with every permission, in no tenant, their own and another one', async (_, build) => {
    const person = await build();
    const { token: theirs } = await app.signInElevated(person);
    const other = await app.buildTenant();
    const tenants = [undefined, other.id, ...(person.tenantId ? [person.tenantId] : [])];
    for (const [permission, { endpoint, prefix }] of calls) {
      for (const tenantId of tenants) {
        const answer = await simulate({ userId: person.id, permission, ...(tenantId && { tenantId }) });
        expectSuccess(answer);
        const { allowed, code, message } = answer.body.data;
        const url = `/api${prefix}${endpoint.path.replace(/:\w+/g, newId())}`;
        // Nothing that could do anything: what counts is whether the request is let in.
        const really = await app.call(endpoint.method.toUpperCase(), `${url}?nonsense=1`, {
          token: theirs,
          headers: tenantId ? { 'x-tenant-id': tenantId } : {},
        });
        const where = `${permission} in ${tenantId ?? 'no tenant'}: ${really.text}`;
        if (allowed) expect(really.status, where).toBe(400);
        else expect([really.body.error.code, really.body.error.message], where).toEqual([code, message]);
      }
    }
    expect(calls.size).toBeGreaterThan(permissionCodes.length / 2);
  });
});
