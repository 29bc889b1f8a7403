import { describe, expect, it } from 'vitest';
import { BUILT_IN_ROLES, knownPermissions, permissionCodes, PERMISSIONS } from '../../src/config/permissions.ts';
import { PermissionRisk, UserType } from '../../src/generated/prisma/enums.ts';
import { modules } from '../../src/routes/index.ts';

const accesses = modules.flatMap(({ endpoints }) => endpoints.map(({ access }) => access));
const checked = new Set(
  accesses.flatMap((access) => (typeof access === 'object' && 'permission' in access ? [access.permission] : [])),
);
const openToTenants = new Set(
  accesses.flatMap((access) =>
    typeof access === 'object' && 'permission' in access && access.tenant ? [access.permission] : [],
  ),
);

/** Checked elsewhere than in a declaration: by the tenant middleware, for the header x-tenant-id. */
const CHECKED_BY_MIDDLEWARE = ['tenants.access'];

describe('The catalogue of permissions', () => {
  it.each(Object.entries(PERMISSIONS))('%s is named and described', (code, permission) => {
    expect(code).toMatch(/^[a-z-]+\.[a-z-]+$/);
    expect(permission.group).toMatch(/^[A-Z]/);
    expect(permission.description.length).toBeGreaterThan(10);
    expect(Object.values(PermissionRisk)).toContain(permission.risk);
  });

  it('holds nothing that is never checked', () => {
    expect(permissionCodes.filter((code) => !checked.has(code))).toEqual(CHECKED_BY_MIDDLEWARE);
  });

  it.each(['tenants.fly', '', 'TENANTS.READ', 'constructor', '__proto__', 'toString', 'tenants.read '])(
    'knows no %j: it grants nothing',
    (code) => {
      expect([...knownPermissions([code, 'tenants.read'])]).toEqual(['tenants.read']);
    },
  );
});

describe('The built-in roles', () => {
  it('are the ones that were agreed on', () => {
    expect(Object.fromEntries(Object.entries(BUILT_IN_ROLES).map(([code, role]) => [code, role.userType]))).toEqual({
      super_admin: 'ADMIN_USER',
      operations: 'ADMIN_USER',
      finance: 'ADMIN_USER',
      support: 'ADMIN_USER',
      sales: 'ADMIN_USER',
      auditor: 'ADMIN_USER',
      owner: 'PLATFORM_USER',
      library_staff: 'PLATFORM_USER',
      student: 'PLATFORM_USER',
      parent: 'PLATFORM_USER',
    });
  });

  it.each(Object.entries(BUILT_IN_ROLES))('%s holds known permissions, each once', (_code, role) => {
    expect(role.name && role.description).toBeTruthy();
    expect(Object.values(UserType)).toContain(role.userType);
    expect(new Set(role.permissions).size).toBe(role.permissions.length);
    expect([...knownPermissions(role.permissions)]).toEqual([...role.permissions]);
  });

  it('give the super admin everything', () => {
    expect([...BUILT_IN_ROLES.super_admin.permissions].toSorted()).toEqual(permissionCodes.toSorted());
  });

  it('let the auditor change nothing', () => {
    for (const code of BUILT_IN_ROLES.auditor.permissions) expect(code).toMatch(/\.(read|verify)$/);
  });

  it('give people of tenants only what is open to them', () => {
    for (const { userType, permissions } of Object.values(BUILT_IN_ROLES)) {
      if (userType === 'ADMIN_USER') continue;
      expect(permissions.filter((code) => !openToTenants.has(code))).toEqual([]);
    }
  });

  it('let staff look after people and no more, and students and parents nothing', () => {
    expect(BUILT_IN_ROLES.library_staff.permissions).toEqual([
      'tenants.read',
      'users.read',
      'users.create',
      'users.update',
    ]);
    expect(BUILT_IN_ROLES.student.permissions).toEqual([]);
    expect(BUILT_IN_ROLES.parent.permissions).toEqual([]);
  });
});
