/**
 * What the code can check, and which built-in role holds what. The codes are a literal union: an endpoint that names
 * a permission which is not here does not compile. `migrate` mirrors this file into the database.
 */
export const PERMISSIONS = {
  'tenants.read': {
    group: 'Tenants',
    risk: 'LOW',
    description: 'See tenants, their people and their status history',
    tenants: true,
  },
  'tenants.create': { group: 'Tenants', risk: 'MEDIUM', description: 'Create a tenant with its owner and trial' },
  'tenants.update': { group: 'Tenants', risk: 'MEDIUM', description: "Change a tenant's profile", tenants: true },
  'tenants.suspend': { group: 'Tenants', risk: 'HIGH', description: 'Suspend a tenant and activate it again' },
  'tenants.delete': {
    group: 'Tenants',
    risk: 'HIGH',
    description: 'Off-board a tenant, which ends in the removal of its data; place and lift a legal hold',
  },
  'tenants.export': {
    group: 'Tenants',
    risk: 'HIGH',
    description: 'Export all data of a tenant',
    tenants: true,
    whenSuspended: true,
  },
  'tenants.privacy': {
    group: 'Tenants',
    risk: 'HIGH',
    description: 'Take and answer requests of people about their personal data',
    tenants: true,
  },
  'tenants.access': {
    group: 'Tenants',
    risk: 'MEDIUM',
    description: 'Work within one tenant by naming it in x-tenant-id',
  },
  'users.read': { group: 'People', risk: 'MEDIUM', description: 'See the people of libraries', tenants: true },
  'users.create': { group: 'People', risk: 'MEDIUM', description: 'Add people to a library', tenants: true },
  'users.update': {
    group: 'People',
    risk: 'MEDIUM',
    description: 'Change, activate and deactivate people of a library, and link guardians',
    tenants: true,
  },
  'users.delete': { group: 'People', risk: 'HIGH', description: 'Remove people from a library', tenants: true },
  'users.import': { group: 'People', risk: 'HIGH', description: 'Import people from a file', tenants: true },
  'users.export': {
    group: 'People',
    risk: 'HIGH',
    description: 'Export people to a file',
    tenants: true,
    whenSuspended: true,
  },
  'revenue.read': {
    group: 'Revenue',
    risk: 'LOW',
    description:
      'See billing profiles, invoices, credit notes, payment methods, dunning, and the figures of the business',
    tenants: true,
    whenSuspended: true,
  },
  'revenue.update': {
    group: 'Revenue',
    risk: 'MEDIUM',
    description: 'Change billing profiles',
    tenants: true,
    whenSuspended: true,
  },
  'revenue.pay': {
    group: 'Revenue',
    risk: 'MEDIUM',
    description: 'Pay invoices, and add and change payment methods',
    tenants: true,
    whenSuspended: true,
  },
  'revenue.invoices': {
    group: 'Revenue',
    risk: 'HIGH',
    description: 'Write, finalize, send and void invoices and credit notes, and note down payments',
  },
  'revenue.dunning': { group: 'Revenue', risk: 'HIGH', description: 'Change dunning, and pause it for a tenant' },
  'revenue.reports': { group: 'Revenue', risk: 'HIGH', description: 'Make tax returns, journals and other reports' },
  'plans.read': {
    group: 'Plans',
    risk: 'LOW',
    description: 'See plans, add-ons, coupons and tax rates',
    tenants: true,
    whenSuspended: true,
  },
  'plans.manage': { group: 'Plans', risk: 'HIGH', description: 'Change plans, add-ons, coupons and tax rates' },
  'subscriptions.read': {
    group: 'Subscriptions',
    risk: 'LOW',
    description: 'See subscriptions and what they entitle to',
    tenants: true,
    whenSuspended: true,
  },
  'subscriptions.create': { group: 'Subscriptions', risk: 'MEDIUM', description: 'Subscribe a tenant to a plan' },
  'subscriptions.update': {
    group: 'Subscriptions',
    risk: 'MEDIUM',
    description: 'Change, pause, cancel and renew subscriptions',
    tenants: true,
    whenSuspended: true,
  },
  'subscriptions.migrate': {
    group: 'Subscriptions',
    risk: 'HIGH',
    description: 'Move the subscribers of a plan to another version or plan',
  },
  'payments.read': {
    group: 'Payments',
    risk: 'LOW',
    description: 'See payments',
    tenants: true,
    whenSuspended: true,
  },
  'admins.read': { group: 'Admins', risk: 'LOW', description: 'See portal admins, their roles and what they did' },
  'admins.create': { group: 'Admins', risk: 'HIGH', description: 'Invite portal admins' },
  'admins.update': { group: 'Admins', risk: 'HIGH', description: 'Change, activate and deactivate portal admins' },
  'admins.delete': { group: 'Admins', risk: 'HIGH', description: 'Remove portal admins for good' },
  'admins.permissions': { group: 'Admins', risk: 'HIGH', description: 'Grant and deny single permissions to an admin' },
  'admins.mfa': { group: 'Admins', risk: 'HIGH', description: "Demand or reset an admin's second factor" },
  'admins.sessions': { group: 'Admins', risk: 'MEDIUM', description: "See and end an admin's sessions" },
  'rbac.read': { group: 'Roles', risk: 'LOW', description: 'See roles, permissions and who holds what, and why' },
  'rbac.manage': { group: 'Roles', risk: 'HIGH', description: 'Create, change and remove custom roles' },
  'rbac.assign': { group: 'Roles', risk: 'HIGH', description: 'Give roles to people and take them away' },
  'security.read': {
    group: 'Security',
    risk: 'MEDIUM',
    description: 'See posture, policies, tries, lock-outs and events',
  },
  'security.manage': {
    group: 'Security',
    risk: 'HIGH',
    description: 'Change policies and address rules, lift lock-outs',
  },
  'security.sessions': { group: 'Security', risk: 'HIGH', description: 'See and end the sessions of anybody' },
  'security.keys': { group: 'Security', risk: 'HIGH', description: 'Create, rotate and revoke API keys' },
  'security.impersonate': { group: 'Security', risk: 'HIGH', description: 'Act in the name of a platform user' },
  'audit.read': { group: 'Audit', risk: 'MEDIUM', description: 'Search the audit trail of all tenants' },
  'audit.verify': { group: 'Audit', risk: 'LOW', description: 'Verify that the audit trail is whole' },
  'audit.export': { group: 'Audit', risk: 'HIGH', description: 'Export the audit trail with its proof' },
  'audit.manage': { group: 'Audit', risk: 'HIGH', description: 'Set streams and retention of the audit trail' },
  'settings.read': { group: 'Settings', risk: 'LOW', description: 'See the settings of the platform and of tenants' },
  'settings.update': {
    group: 'Settings',
    risk: 'HIGH',
    description: 'Change the settings of the platform and of tenants',
  },
  'monitoring.read': { group: 'Monitoring', risk: 'LOW', description: 'Read the figures of the running processes' },
} as const satisfies Record<string, PermissionDefinition>;

type PermissionDefinition = {
  group: string;
  risk: 'LOW' | 'MEDIUM' | 'HIGH';
  description: string;
  /** Whether people of a tenant can hold it, for their own tenant. */
  tenants?: true;
  /** Whether they may use it while their tenant is shut out: for payment and export alone (rule 11). */
  whenSuspended?: true;
};

export type Permission = keyof typeof PERMISSIONS;

/** The definition of a permission, whichever it is. */
export const permissionDefinition = (code: Permission): PermissionDefinition => PERMISSIONS[code];

export const permissionCodes = Object.keys(PERMISSIONS) as Permission[];

export const isPermission = (code: string): code is Permission => Object.hasOwn(PERMISSIONS, code);

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
    permissions: [
      'tenants.read',
      'tenants.create',
      'tenants.update',
      'tenants.suspend',
      'tenants.export',
      'tenants.privacy',
      'tenants.access',
      'users.read',
      'users.create',
      'users.update',
      'users.delete',
      'users.import',
      'users.export',
      'revenue.read',
      'revenue.update',
      'plans.read',
      'subscriptions.read',
      'subscriptions.create',
      'subscriptions.update',
      'payments.read',
      'security.impersonate',
      'settings.read',
      'monitoring.read',
    ],
  },
  finance: {
    name: 'Finance',
    description: 'Billing and payments of tenants',
    userType: 'ADMIN_USER',
    permissions: [
      'tenants.read',
      'users.read',
      'revenue.read',
      'revenue.update',
      'revenue.pay',
      'revenue.invoices',
      'revenue.dunning',
      'revenue.reports',
      'plans.read',
      'plans.manage',
      'subscriptions.read',
      'subscriptions.create',
      'subscriptions.update',
      'subscriptions.migrate',
      'payments.read',
    ],
  },
  support: {
    name: 'Support',
    description: 'Helps tenants within their own space',
    userType: 'ADMIN_USER',
    permissions: [
      'tenants.read',
      'tenants.privacy',
      'tenants.access',
      'users.read',
      'users.update',
      'revenue.read',
      'plans.read',
      'subscriptions.read',
      'payments.read',
      'security.impersonate',
    ],
  },
  sales: {
    name: 'Sales',
    description: 'Wins tenants and creates them',
    userType: 'ADMIN_USER',
    permissions: ['tenants.read', 'tenants.create', 'plans.read', 'subscriptions.read', 'subscriptions.create'],
  },
  auditor: {
    name: 'Read-only auditor',
    description: 'Sees everything, changes nothing',
    userType: 'ADMIN_USER',
    permissions: [
      'tenants.read',
      'users.read',
      'revenue.read',
      'plans.read',
      'subscriptions.read',
      'payments.read',
      'admins.read',
      'rbac.read',
      'security.read',
      'audit.read',
      'audit.verify',
      'settings.read',
      'monitoring.read',
    ],
  },
  owner: {
    name: 'Library owner',
    description: 'Runs their own libraries',
    userType: 'PLATFORM_USER',
    permissions: [
      'tenants.read',
      'tenants.update',
      'tenants.export',
      'tenants.privacy',
      'users.read',
      'users.create',
      'users.update',
      'users.delete',
      'users.import',
      'users.export',
      'revenue.read',
      'revenue.update',
      'revenue.pay',
      'plans.read',
      'subscriptions.read',
      'subscriptions.update',
      'payments.read',
    ],
  },
  library_staff: {
    name: 'Library staff',
    description: 'Works at a library',
    userType: 'PLATFORM_USER',
    permissions: ['tenants.read', 'users.read', 'users.create', 'users.update'],
  },
  student: { name: 'Student', description: 'Rents a seat', userType: 'PLATFORM_USER', permissions: [] },
  parent: { name: 'Parent', description: 'Guardian of a student', userType: 'PLATFORM_USER', permissions: [] },
} as const satisfies Record<string, BuiltInRole>;

export type BuiltInRoleCode = keyof typeof BUILT_IN_ROLES;
