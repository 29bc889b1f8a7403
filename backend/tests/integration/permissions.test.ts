import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BuiltInRoleCode, Permission } from '../../src/config/permissions.ts';
import { modules } from '../../src/routes/index.ts';
import { newId } from '../../src/utils/ids.ts';
import { startTestApp, type TestApp } from '../support/server.ts';

type Catalogue = typeof import('../../src/config/permissions.ts');

let app: TestApp;
let catalogue: Catalogue;
beforeAll(async () => {
  app = await startTestApp();
  catalogue = await import('../../src/config/permissions.ts');
});
afterAll(() => app.close());

/** Brings the database to the catalogue, as `migrate` does. */
async function synchronize(): Promise<void> {
  const { syncAccessCatalogue } = await import('../../src/services/rbac-catalogue.service.ts');
  const client = new pg.Client(app.database.ownerUrl);
  await client.connect();
  try {
    await client.query('begin');
    await syncAccessCatalogue(client);
    await client.query('commit');
  } finally {
    await client.end();
  }
}

/** What the next version of the program would do with other permissions in a role. */
async function withRole(role: BuiltInRoleCode, permissions: Permission[], work: () => Promise<void>): Promise<void> {
  const changeable = catalogue.BUILT_IN_ROLES[role] as { permissions: readonly Permission[] };
  const before = changeable.permissions;
  changeable.permissions = permissions;
  try {
    await synchronize();
    await work();
  } finally {
    changeable.permissions = before;
    await synchronize();
  }
}

const versionOf = async (id: string) =>
  (await app.query<{ v: number }>(`select permission_version as v from users where id = $1`, [id]))[0]?.v;
const versions = async (...people: { id: string }[]) => Promise.all(people.map(({ id }) => versionOf(id)));

async function buildRole(code: string, permissions: string[], userType = 'ADMIN_USER'): Promise<string> {
  const id = newId();
  await app.query(
    `insert into roles (id, code, name, description, user_type, updated_at) values ($1, $2, $2, 'of a test', $3::user_type, now())`,
    [id, code, userType],
  );
  await app.query(`insert into role_permissions (role_id, permission_code) select $1, unnest($2::text[])`, [
    id,
    permissions,
  ]);
  return id;
}
/** Gives a role past the application, which would count up the version. */
const assign = async (user: { id: string; tenantId: string | null }, roleId: string) => {
  await app.query(`insert into role_assignments (id, tenant_id, user_id, role_id) values ($1, $2, $3, $4)`, [
    newId(),
    user.tenantId,
    user.id,
    roleId,
  ]);
  await app.query(`update users set permission_version = permission_version + 1 where id = $1`, [user.id]);
};
const me = async (token: string) => (await app.call('GET', '/api/auth/me', { token })).body.data;

const ofFinance = () => [...catalogue.BUILT_IN_ROLES.finance.permissions].toSorted();

describe('The catalogue in the database', () => {
  it('is the one of the program', async () => {
    const permissions = await app.query(`select code, "group", description, risk from permissions order by code`);
    expect(permissions).toEqual(
      catalogue.permissionCodes
        .map((code) => {
          const { group, description, risk } = catalogue.permissionDefinition(code);
          return { code, group, description, risk };
        })
        .toSorted((a, b) => (a.code < b.code ? -1 : 1)),
    );
  });

  it('gives each built-in role what the program says', async () => {
    const roles = await app.query(
      `select r.code, r.name, r.description, r.user_type as "userType", r.built_in,
              coalesce(array_agg(p.permission_code order by p.permission_code) filter (where p.permission_code is not null), '{}') as permissions
         from roles r left join role_permissions p on p.role_id = r.id group by r.id order by r.code`,
    );
    expect(roles).toEqual(
      Object.entries(catalogue.BUILT_IN_ROLES)
        .map(([code, role]) => ({ code, ...role, built_in: true, permissions: role.permissions.toSorted() }))
        .toSorted((a, b) => (a.code < b.code ? -1 : 1)),
    );
  });

  it('is left alone, rows and versions, where nothing has changed', async () => {
    const admin = await app.buildAdmin();
    const rows = () =>
      app.query(`select xmin::text, code from permissions union all select xmin::text, code from roles
                 union all select xmin::text, role_id || permission_code from role_permissions order by 2`);
    const before = await rows();
    await synchronize();
    expect(await rows()).toEqual(before);
    expect(await versionOf(admin.id)).toBe(1);
  });
});

describe('What a role may do', () => {
  const admins = ['super_admin', 'operations', 'finance', 'support', 'sales', 'auditor'] as const;
  const unknown = newId();
  /** For each permission an endpoint that asks for it; the answer matters only as far as it is no refusal. */
  const calls = Object.fromEntries(
    modules.flatMap(({ prefix, endpoints }) =>
      endpoints.flatMap(({ access, method, path, body }) => {
        if (typeof access !== 'object' || !('permission' in access)) return [];
        const url = `/api${prefix}${path.replace(/:\w+/g, unknown)}`;
        return [[access.permission, [method.toUpperCase(), url, body && method !== 'get' ? {} : undefined]]];
      }),
    ),
  ) as Record<Permission, [method: string, path: string, body: object | undefined]>;
  calls['tenants.access'] = ['GET', '/api/tenants?limit=1', undefined];

  it.each(admins)('is what the catalogue says, for %s', async (role) => {
    const token = await app.elevatedToken({ role });
    const held: readonly string[] = catalogue.BUILT_IN_ROLES[role].permissions;
    expect((await me(token)).permissions).toEqual(held.toSorted());
    for (const [permission, [method, path, body]] of Object.entries(calls)) {
      const headers: Record<string, string> = permission === 'tenants.access' ? { 'x-tenant-id': unknown } : {};
      const answer = await app.call(method, path, { token, body, headers });
      expect(answer.status === 403, `${role} ${permission}: ${answer.text}`).toBe(!held.includes(permission));
      if (answer.status === 403) expect(answer.body.error.message).toContain(permission);
    }
  });

  it('in a portal is not open to people of tenants, even if a role of theirs should hold it by mistake', async () => {
    const owner = await app.buildOwner();
    await assign(
      owner,
      await buildRole('mistaken', ['audit.read', 'tenants.suspend', 'tenants.access'], 'PLATFORM_USER'),
    );
    const { token } = await app.signIn(owner);
    expect((await me(token)).permissions).toContain('audit.read');
    for (const permission of ['audit.read', 'tenants.suspend'] as const) {
      const [method, path, body] = calls[permission];
      expect((await app.call(method, path, { token, body })).status).toBe(403);
    }
    const elsewhere = await app.buildTenant();
    const answer = await app.call('GET', '/api/auth/me', { token, headers: { 'x-tenant-id': elsewhere.id } });
    expect([answer.status, answer.body.error?.code]).toEqual([403, 'tenant_mismatch']);
  });

  it('is the sum of all roles, and the one that grants most is shown', async () => {
    const admin = await app.buildAdmin({ role: 'finance' });
    const [auditor] = await app.query<{ id: string }>(`select id from roles where code = 'auditor'`);
    await assign(admin, auditor!.id);
    const shown = await me((await app.signIn(admin)).token);
    expect(shown).toMatchObject({
      role: 'finance',
      permissions: [...new Set([...catalogue.BUILT_IN_ROLES.auditor.permissions, ...ofFinance()])].toSorted(),
    });
  });

  it('is nothing without a role', async () => {
    const admin = await app.buildAdmin({ role: 'finance' });
    await app.query(`delete from role_assignments where user_id = $1`, [admin.id]);
    const { token } = await app.signIn(admin);
    expect(await me(token)).toMatchObject({ role: 'none', permissions: [] });
    expect((await app.call('GET', '/api/tenants', { token })).status).toBe(403);
  });

  it('is not more for a permission that the program does not know', async () => {
    await app.query(
      `insert into permissions (code, "group", description, risk) values ('tenants.fly', 'X', 'x', 'HIGH')`,
    );
    const admin = await app.buildAdmin({ role: 'finance' });
    await assign(admin, await buildRole('pilot', ['tenants.fly', 'audit.read']));
    expect((await me((await app.signIn(admin)).token)).permissions).toEqual(['audit.read', ...ofFinance()].toSorted());
    await app.query(`delete from permissions where code = 'tenants.fly'`);
  });

  it('cannot be a permission that is not in the database', async () => {
    await expect(buildRole('dreamer', ['tenants.dream'])).rejects.toMatchObject({ code: '23503' });
  });
});

describe('A change of the catalogue', () => {
  it('that takes a permission away works on the next request, with a live token, for holders alone', async () => {
    const [seller, other] = [await app.buildAdmin({ role: 'sales' }), await app.buildAdmin({ role: 'operations' })];
    const [{ token }, { token: theirs }] = [await app.signIn(seller), await app.signIn(other)];
    const create = (who: string) => app.call('POST', '/api/tenants', { token: who, body: {} });
    expect((await create(token)).status).toBe(400);
    await withRole('sales', ['tenants.read'], async () => {
      expect(await versions(seller, other)).toEqual([2, 1]);
      expect((await create(token)).status).toBe(403);
      expect((await create(theirs)).status).toBe(400);
      expect((await me(token)).permissions).toEqual(['tenants.read']);
    });
    expect(await versions(seller, other)).toEqual([3, 1]);
    expect((await create(token)).status).toBe(400);
  });

  it('that adds one works on the next request too', async () => {
    const helper = await app.buildAdmin({ role: 'support' });
    const { token } = await app.signIn(helper);
    expect((await app.call('GET', '/api/audit', { token })).status).toBe(403);
    await withRole('support', ['tenants.read', 'tenants.access', 'audit.read'], async () => {
      expect((await app.call('GET', '/api/audit', { token })).status).toBe(200);
    });
    expect((await app.call('GET', '/api/audit', { token })).status).toBe(403);
  });

  it('counts once for somebody who gains and loses by it', async () => {
    const admin = await app.buildAdmin({ role: 'sales' });
    await withRole('sales', ['tenants.read', 'audit.read'], async () => {
      expect(await versionOf(admin.id)).toBe(2);
    });
  });

  it('undoes what somebody has added to a built-in role by hand', async () => {
    const admin = await app.buildAdmin({ role: 'finance' });
    await app.query(
      `insert into role_permissions (role_id, permission_code) select id, 'tenants.suspend' from roles where code = 'finance'`,
    );
    await synchronize();
    expect(await versionOf(admin.id)).toBe(2);
    const held = await app.query(
      `select permission_code as code from role_permissions p join roles r on r.id = p.role_id
        where r.code = 'finance' order by 1`,
    );
    expect(held.map(({ code }) => code)).toEqual(ofFinance());
  });

  it('that drops a permission takes it from custom roles as well, and leaves them the rest', async () => {
    await app.query(`insert into permissions (code, "group", description, risk) values ('old.thing', 'X', 'x', 'LOW')`);
    const [holder, builtIn, bystander] = [
      await app.buildAdmin({ role: 'finance' }),
      await app.buildAdmin({ role: 'auditor' }),
      await app.buildAdmin({ role: 'finance' }),
    ];
    const role = await buildRole('collector', ['old.thing', 'audit.read']);
    await assign(holder, role);
    await app.query(
      `insert into role_permissions (role_id, permission_code) select id, 'old.thing' from roles where code = 'auditor'`,
    );
    const before = await versions(holder, builtIn, bystander);
    await synchronize();
    const after = await versions(holder, builtIn, bystander);
    expect(after[0]).toBeGreaterThan(before[0] ?? 0);
    expect(after[1]).toBeGreaterThan(before[1] ?? 0);
    expect(after[2]).toBe(before[2]);
    expect(await app.query(`select 1 from permissions where code = 'old.thing'`)).toEqual([]);
    expect(await app.query(`select permission_code from role_permissions where role_id = $1`, [role])).toEqual([
      { permission_code: 'audit.read' },
    ]);
  });

  it('of names and descriptions alone signs nobody anew', async () => {
    const admin = await app.buildAdmin({ role: 'finance' });
    await app.query(`update roles set name = 'Money', description = 'x' where code = 'finance'`);
    await app.query(
      `update permissions set description = 'x', risk = 'HIGH', "group" = 'x' where code = 'tenants.read'`,
    );
    await synchronize();
    expect(await versionOf(admin.id)).toBe(1);
    expect(await app.query(`select name, description from roles where code = 'finance'`)).toEqual([
      { name: catalogue.BUILT_IN_ROLES.finance.name, description: catalogue.BUILT_IN_ROLES.finance.description },
    ]);
    const { group, description, risk } = catalogue.PERMISSIONS['tenants.read'];
    expect(await app.query(`select "group", description, risk from permissions where code = 'tenants.read'`)).toEqual([
      { group, description, risk },
    ]);
  });

  it('that is broken off changes nothing', async () => {
    const admin = await app.buildAdmin({ role: 'sales' });
    await app.query(
      `create function refuse() returns trigger language plpgsql as $$ begin raise 'no more room'; end $$`,
    );
    await app.query(`create trigger refuse before update on users for each row execute function refuse()`);
    const changeable = catalogue.BUILT_IN_ROLES.sales as { permissions: readonly Permission[] };
    const before = changeable.permissions;
    changeable.permissions = [];
    await expect(synchronize()).rejects.toThrow('no more room');
    changeable.permissions = before;
    await app.query(`drop trigger refuse on users; drop function refuse`);
    const held = await app.query(
      `select permission_code from role_permissions p join roles r on r.id = p.role_id where r.code = 'sales'`,
    );
    expect(held).toHaveLength(before.length);
    expect(await versionOf(admin.id)).toBe(1);
  });
});

describe('A permission version', () => {
  it('that is counted up makes a live token be asked for what holds now', async () => {
    const admin = await app.buildAdmin({ role: 'operations' });
    const { token } = await app.signIn(admin);
    await app.query(`delete from role_assignments where user_id = $1`, [admin.id]);
    await app.query(`update users set permission_version = permission_version + 1 where id = $1`, [admin.id]);
    expect((await app.call('GET', '/api/tenants', { token })).status).toBe(403);
    const [finance] = await app.query<{ id: string }>(`select id from roles where code = 'finance'`);
    await assign(admin, finance!.id);
    expect((await app.call('GET', '/api/tenants', { token })).status).toBe(200);
    expect(await me(token)).toMatchObject({ role: 'finance', permissions: ofFinance() });
  });
});
