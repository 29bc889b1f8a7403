/**
 * What the code can check, and which built-in role holds what. The codes are a literal union: an endpoint that names
 * a permission which is not here does not compile. `migrate` mirrors this file into the database.
 */
export const PERMISSIONS = {
  'tenants.read': { group: 'Tenants', risk: 'LOW', description: 'See tenants, their people and their status history' },
  'tenants.create': { group: 'Tenants', risk: 'MEDIUM', description: 'Create a tenant with its owner and trial' },
  'tenants.update': { group: 'Tenants', risk: 'MEDIUM', description: "Change a tenant's profile" },
  'tenants.suspend': { group: 'Tenants', risk: 'HIGH', description: 'Suspend a tenant and activate it again' },
  'tenants.access': {
    group: 'Tenants',
    risk: 'MEDIUM',
    description: 'Work within one tenant by naming it in x-tenant-id',
  },
  'audit.read': { group: 'Audit', risk: 'MEDIUM', description: 'Search the audit trail of all tenants' },
  'audit.verify': { group: 'Audit', risk: 'LOW', description: 'Verify that the audit trail is whole' },
} as const satisfies Record<string, { group: string; risk: 'LOW' | 'MEDIUM' | 'HIGH'; description: string }>;

export type Permission = keyof typeof PERMISSIONS;

export const permissionCodes = Object.keys(PERMISSIONS) as Permission[];

const isPermission = (code: string): code is Permission => Object.hasOwn(PERMISSIONS, code);

/** The codes this version knows; a code that only an older or newer version knows grants nothing. */
export const knownPermissions = (codes: readonly string[]): ReadonlySet<Permission> =>
  new Set(codes.filter(isPermission));

type BuiltInRole = {
  name: string;
  description: string;
  userType: 'ADMIN_USER' | 'PLATFORM_USER';
  permissions: readonly Permission[];
};

export const BUILT_IN_ROLES = {
  super_admin: {
    name: 'Super admin',
    description: 'Everything',
    userType: 'ADMIN_USER',
    permissions: permissionCodes,
  },
  operations: {
    name: 'Operations',
    description: 'Takes tenants on, runs and suspends them',
    userType: 'ADMIN_USER',
    permissions: ['tenants.read', 'tenants.create', 'tenants.update', 'tenants.suspend', 'tenants.access'],
  },
  finance: {
    name: 'Finance',
    description: 'Billing and payments of tenants',
    userType: 'ADMIN_USER',
    permissions: ['tenants.read'],
  },
  support: {
    name: 'Support',
    description: 'Helps tenants within their own space',
    userType: 'ADMIN_USER',
    permissions: ['tenants.read', 'tenants.access'],
  },
  sales: {
    name: 'Sales',
    description: 'Wins tenants and creates them',
    userType: 'ADMIN_USER',
    permissions: ['tenants.read', 'tenants.create'],
  },
  auditor: {
    name: 'Read-only auditor',
    description: 'Sees everything, changes nothing',
    userType: 'ADMIN_USER',
    permissions: ['tenants.read', 'audit.read', 'audit.verify'],
  },
  owner: {
    name: 'Library owner',
    description: 'Runs their own libraries',
    userType: 'PLATFORM_USER',
    permissions: ['tenants.read', 'tenants.update'],
  },
  library_staff: {
    name: 'Library staff',
    description: 'Works at a library',
    userType: 'PLATFORM_USER',
    permissions: ['tenants.read'],
  },
  student: { name: 'Student', description: 'Rents a seat', userType: 'PLATFORM_USER', permissions: [] },
  parent: { name: 'Parent', description: 'Guardian of a student', userType: 'PLATFORM_USER', permissions: [] },
} as const satisfies Record<string, BuiltInRole>;

export type BuiltInRoleCode = keyof typeof BUILT_IN_ROLES;
