import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUILT_IN_ROLES, permissionCodes } from '../../../src/config/permissions.ts';
import { newId } from '../../../src/utils/ids.ts';
import { statusesOf } from '../../support/calls.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { accessOf } from './support.ts';

let app: TestApp;
let access: ReturnType<typeof accessOf>;
let token: string;
beforeAll(async () => {
  app = await startTestApp();
  access = accessOf(app);
  token = await app.elevatedToken();
});
afterAll(() => app.close());

const roles = '/api/rbac/roles';
const update = (id: string, body: object, version = 1, who = token) =>
  app.call('PUT', `${roles}/${id}`, { token: who, body, headers: { 'if-match': `"${version}"` } });
const me = async (who: string) => (await app.call('GET', '/api/auth/me', { token: who })).body.data.permissions;
const versionOf = async (id: string) =>
  (await app.query<{ v: number }>('select permission_version as v from users where id = $1', [id]))[0]!.v;

describe('Roles', () => {
  it('are listed with filters, search and sort', async () => {
    const custom = await access.buildRole(['tenants.read']);
    const list = async (query: string) => (await app.call('GET', `${roles}?limit=100&${query}`, { token })).body.data;
    const codes = async (query: string) => (await list(query)).map(({ code }: { code: string }) => code);
    expect(await codes('builtIn=true&sort=code')).toEqual(Object.keys(BUILT_IN_ROLES).toSorted());
    expect(await codes('builtIn=false')).toContain(custom.code);
    expect(await codes('userType=PLATFORM_USER&builtIn=true&sort=code')).toEqual([
      'library_staff',
      'owner',
      'parent',
      'student',
    ]);
    expect(await codes(`q=${custom.code.slice(5, 20)}`)).toEqual([custom.code]);
    expect((await list('q=super'))[0]).toMatchObject({ code: 'super_admin', builtIn: true, members: 1 });
  });

  it('are shown against all permissions, as they are in the database', async () => {
    const { body } = await app.call('GET', '/api/rbac/matrix', { token });
    const codesOf = (all: { code: string }[]) => all.map(({ code }) => code).toSorted();
    expect(codesOf(body.data.permissions)).toEqual([...permissionCodes].toSorted());
    for (const [code, { permissions }] of Object.entries(BUILT_IN_ROLES)) {
      const shown = body.data.roles.find((role: { code: string }) => role.code === code);
      expect(shown.permissions).toEqual([...permissions].toSorted());
    }
    const listed = await app.call('GET', '/api/rbac/permissions', { token });
    expect(listed.body.data).toEqual(body.data.permissions);
  });

  it('are created with a code from the name, once', async () => {
    const body = { name: 'Réception (Kota)', description: 'At the desk', permissions: ['tenants.read'] };
    const created = await app.call('POST', roles, { token, body });
    expectSuccess(created, 201);
    expect(created.body.data).toMatchObject({ code: 'reception_kota', permissions: ['tenants.read'], builtIn: false });
    expectError(await app.call('POST', roles, { token, body }), 409, 'conflict', 'body code');
    const nameless = await app.call('POST', roles, { token, body: { ...body, name: 'रिसेप्शन' } });
    expectError(nameless, 400, 'validation_failed', 'body code');
  });

  it('that are created twice at once are one', async () => {
    const body = { code: 'only_once', name: 'Only once', description: 'Once', permissions: [] };
    const answers = await Promise.all([1, 2, 3].map(() => app.call('POST', roles, { token, body })));
    expect(statusesOf(answers)).toEqual([201, 409, 409]);
  });

  it('of people of tenants grant only what is open to tenants', async () => {
    const body = { name: 'Desk', description: 'At the desk', userType: 'PLATFORM_USER', permissions: ['audit.read'] };
    expectError(await app.call('POST', roles, { token, body }), 400, 'validation_failed', 'body permissions');
    const { id } = await access.buildRole(['tenants.read'], 'PLATFORM_USER');
    expectError(await update(id, { permissions: ['audit.read'] }), 400, 'validation_failed', 'body permissions');
    expectSuccess(await update(id, { permissions: ['tenants.update'] }));
  });

  it('that are built in are nobody’s to change', async () => {
    const id = await access.roleId('support');
    expectError(await update(id, { name: 'Mine' }), 409, 'conflict');
    expectError(await app.call('DELETE', `${roles}/${id}`, { token }), 409, 'conflict');
  });

  it('are cloned with all they grant, built-in ones too', async () => {
    const id = await access.roleId('operations');
    const { body, status } = await app.call('POST', `${roles}/${id}/clone`, { token, body: { name: 'Operations 2' } });
    expect(status).toBe(201);
    expect(body.data).toMatchObject({ code: 'operations_2', builtIn: false, userType: 'ADMIN_USER', members: 0 });
    expect(body.data.permissions).toEqual([...BUILT_IN_ROLES.operations.permissions].toSorted());
  });
});

describe('A change of a role', () => {
  it('needs the version that was seen, and of two at once one wins', async () => {
    const { id } = await access.buildRole(['tenants.read']);
    expectError(await app.call('PUT', `${roles}/${id}`, { token, body: { name: 'New' } }), 428, 'version_required');
    expectError(await update(id, { name: 'New' }, 7), 412, 'version_mismatch');
    const answers = await Promise.all(['One', 'Two', 'Three'].map((name) => update(id, { name: `Role ${name}` })));
    expect(statusesOf(answers)).toEqual([200, 412, 412]);
  });

  it('works on the next request of every member with a live token, and is audited with both sides', async () => {
    const { admin, role } = await access.buildAdminWith(['tenants.read']);
    const other = await app.buildAdmin({ role: 'finance' });
    const { token: theirs } = await app.signIn(admin);
    const audit = () => app.call('GET', '/api/audit?limit=1', { token: theirs });
    expect((await audit()).status).toBe(403);
    const changed = await update(role.id, { permissions: ['audit.read'] });
    expectSuccess(changed);
    expect((await audit()).status).toBe(200);
    expect(await me(theirs)).toEqual(['audit.read']);
    expect([await versionOf(admin.id), await versionOf(other.id)]).toEqual([2, 1]);
    const [row] = await app.query('select changes from audit_logs where request_id = $1', [
      changed.headers.get('x-request-id'),
    ]);
    expect(row!.changes).toEqual({ permissions: { from: ['tenants.read'], to: ['audit.read'] } });
    expectSuccess(await update(role.id, { permissions: [] }, 2));
    expect((await audit()).status).toBe(403);
  });

  it('of its name alone asks nobody to be checked again', async () => {
    const { admin, role } = await access.buildAdminWith(['tenants.read']);
    expectSuccess(await update(role.id, { name: 'Another name' }));
    expect(await versionOf(admin.id)).toBe(1);
  });

  it('and somebody getting it at the same moment miss each other never', async () => {
    for (let round = 0; round < 5; round += 1) {
      const role = await access.buildRole(['audit.read']);
      const admin = await app.buildAdmin({ role: 'finance' });
      const { token: theirs } = await app.signIn(admin);
      const body = { userId: admin.id, role: role.id };
      const [assigned, changed] = await Promise.all([
        app.call('POST', '/api/rbac/assignments', { token, body }),
        update(role.id, { permissions: ['settings.read'] }),
      ]);
      expect([assigned.status, changed.status]).toEqual([201, 200]);
      expect(await me(theirs)).toEqual(['settings.read', ...BUILT_IN_ROLES.finance.permissions].toSorted());
    }
  });
});

describe('Removing a role', () => {
  it('that has no members needs nothing', async () => {
    const { id } = await access.buildRole(['tenants.read']);
    expectSuccess(await app.call('DELETE', `${roles}/${id}`, { token }));
    expectError(await app.call('GET', `${roles}/${id}`, { token }), 404, 'not_found');
  });

  it('with members needs another for them, which they have in the same moment', async () => {
    const { admin, role } = await access.buildAdminWith(['tenants.read']);
    const { token: theirs } = await app.signIn(admin);
    const to = await access.buildRole(['audit.read']);
    const remove = (reassignTo?: string) =>
      app.call('DELETE', `${roles}/${role.id}${reassignTo ? `?reassignTo=${reassignTo}` : ''}`, { token });
    expectError(await remove(), 409, 'conflict');
    expectError(await remove(role.id), 400, 'validation_failed', 'query reassignTo');
    expectError(await remove(newId()), 400, 'validation_failed', 'query reassignTo');
    expectError(await remove(await access.roleId('owner')), 400, 'validation_failed', 'query reassignTo');
    expectSuccess(await remove(to.id));
    expect(await me(theirs)).toEqual(['audit.read']);
  });

  it('keeps the end of each, the later one where somebody holds both, and forgets those that are over', async () => {
    const [from, to] = [await access.buildRole(['tenants.read']), await access.buildRole(['tenants.read'])];
    const people = await Promise.all([1, 2, 3, 4].map(() => app.buildAdmin({ role: 'finance' })));
    const [lasting, both, ending, over] = people as [
      (typeof people)[0],
      (typeof people)[0],
      (typeof people)[0],
      (typeof people)[0],
    ];
    await access.give(lasting, from.id);
    await access.give(both, from.id, 7_200);
    await access.give(both, to.id, 3_600);
    await access.give(ending, from.id, 3_600);
    await access.give(over, from.id, -5);
    expectSuccess(await app.call('DELETE', `${roles}/${from.id}?reassignTo=${to.id}`, { token }));
    const held = await app.query<{ user_id: string; hours: number | null }>(
      `select user_id, round(extract(epoch from expires_at - now()) / 3600)::int as hours from role_assignments where role_id = $1`,
      [to.id],
    );
    const shown = Object.fromEntries(held.map(({ user_id, hours }) => [user_id, hours]));
    expect(shown).toEqual({ [lasting.id]: null, [both.id]: 2, [ending.id]: 1 });
  });
});

describe('The impact of a change', () => {
  it('counts who would really gain or lose, seen everything else they have', async () => {
    const role = await access.buildRole(['tenants.read', 'settings.read']);
    const elsewhere = await access.buildRole(['tenants.read', 'audit.read']);
    const build = async (name: string) => {
      const admin = await app.buildAdmin({ role: 'finance', name });
      await app.query('delete from role_assignments where user_id = $1', [admin.id]);
      await access.give(admin, role.id);
      return admin;
    };
    const plain = await build('A plain one');
    const other = await build('B has another role');
    await access.give(other, elsewhere.id);
    const denied = await build('C is denied');
    await access.override(denied, 'audit.read', 'DENY');
    const granted = await build('D was granted');
    await access.override(granted, 'tenants.read', 'GRANT');
    const lapsed = await build('E had another role');
    await access.give(lapsed, elsewhere.id, -5);
    const body = { permissions: ['settings.read', 'audit.read'] };
    const answer = await app.call('POST', `${roles}/${role.id}/impact`, { token, body });
    expectSuccess(answer);
    expect(answer.body.data).toMatchObject({
      added: ['audit.read'],
      removed: ['tenants.read'],
      members: 5,
      affected: 4,
      permissions: [
        { permission: 'audit.read', change: 'GAINED', people: 3 },
        { permission: 'tenants.read', change: 'LOST', people: 3 },
      ],
    });
    const people = answer.body.data.people.map(({ id, gains, loses }: Record<string, unknown>) => [id, gains, loses]);
    expect(people).toEqual([
      [plain.id, ['audit.read'], ['tenants.read']],
      [denied.id, [], ['tenants.read']],
      [granted.id, ['audit.read'], []],
      [lapsed.id, ['audit.read'], ['tenants.read']],
    ]);

    // And that is what comes of it.
    const tokens = await Promise.all([plain, other, denied, granted, lapsed].map((one) => app.signIn(one)));
    const before = await Promise.all(tokens.map((one) => me(one.token)));
    expectSuccess(await update(role.id, body));
    const after = await Promise.all(tokens.map((one) => me(one.token)));
    const differing = before.filter((held, index) => JSON.stringify(held) !== JSON.stringify(after[index]));
    expect(differing).toHaveLength(4);
  });

  it('on many names a hundred and counts all', async () => {
    const role = await access.buildRole(['tenants.read']);
    await app.query(
      `with people as (
         insert into users (id, type, name, email, status, updated_at)
         select 'c' || substr(md5('impact' || i), 1, 24), 'ADMIN_USER', 'Person ' || i, 'impact' || i || '@x.example', 'ACTIVE', now()
           from generate_series(1, 3000) i returning id)
       insert into role_assignments (id, user_id, role_id) select 'c' || substr(md5(id), 1, 24), id, $1 from people`,
      [role.id],
    );
    const body = { permissions: permissionCodes.filter((code) => code !== 'tenants.read') };
    const { data } = (await app.call('POST', `${roles}/${role.id}/impact`, { token, body })).body;
    expect([data.members, data.affected, data.people.length]).toEqual([3000, 3000, 100]);
    const page = await app.call('GET', `${roles}/${role.id}/members?limit=50&page=60&sort=name`, { token });
    expect([page.body.meta.total, page.body.data.length]).toEqual([3000, 50]);
    expectSuccess(await update(role.id, { permissions: ['audit.read'] }));
    expect(await app.query(`select from users where email like 'impact%' and permission_version <> 2`)).toEqual([]);
  });
});

describe('Within the space of a tenant', () => {
  it('roles are to be seen, and not to be changed', async () => {
    const headers = { 'x-tenant-id': (await app.buildTenant()).id };
    const { id } = await access.buildRole(['tenants.read']);
    expectSuccess(await app.call('GET', `${roles}/${id}`, { token, headers }));
    const body = { name: 'Night', description: 'At night', permissions: [] };
    expectError(await app.call('POST', roles, { token, headers, body }), 403, 'tenant_mismatch');
    const changed = { token, headers: { ...headers, 'if-match': '"1"' }, body: { name: 'Mine' } };
    expectError(await app.call('PUT', `${roles}/${id}`, changed), 403, 'tenant_mismatch');
    expectError(await app.call('DELETE', `${roles}/${id}`, { token, headers }), 403, 'tenant_mismatch');
  });
});
