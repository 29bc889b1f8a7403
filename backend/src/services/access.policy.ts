import { permissionDefinition, type Permission } from '../config/permissions.ts';
import type { Actor } from '../types/context.ts';
import type { ErrorCode } from '../utils/errors.ts';

// Who may do what: the one place that decides it, for requests as for `POST /rbac/simulate`.

/** The one who asks, as far as a decision needs to know them. */
export type Subject = Pick<
  Actor,
  'kind' | 'type' | 'permissions' | 'tenantId' | 'tenantStatus' | 'restriction' | 'role'
>;

/** What is asked for. */
export type Demand = {
  /** Empty: their own account only, for which being signed in is enough. */
  permission?: Permission;
  /** The role that they must have instead. */
  role?: string;
  /** Whether people of a tenant may ask at all; else it is for portal admins. */
  openToTenants: boolean;
  /** The tenant that they name, if any. */
  tenantId?: string;
};

export type AccessRule =
  | 'own_account'
  | 'granted'
  | 'role_held'
  | 'person_only'
  | 'session_restricted'
  | 'no_tenant'
  | 'other_tenant'
  | 'tenant_suspended'
  | 'staff_only'
  | 'no_tenant_access'
  | 'role_missing'
  | 'not_granted';

export type Decision =
  { allowed: true; rule: AccessRule } | { allowed: false; rule: AccessRule; code: ErrorCode; message: string };

const allow = (rule: AccessRule): Decision => ({ allowed: true, rule });
const deny = (rule: AccessRule, code: ErrorCode, message: string): Decision => ({
  allowed: false,
  rule,
  code,
  message,
});

/** Decides, and names the rule that decided: the first that speaks. */
export function decideAccess(subject: Subject, demand: Demand): Decision {
  const space = refusedSpace(subject, demand);
  if (space) return space;
  const isOwnAccount = demand.permission === undefined && demand.role === undefined;
  if (subject.restriction && !isOwnAccount) return restricted(subject.restriction);
  if (demand.role !== undefined) {
    return subject.role === demand.role
      ? allow('role_held')
      : deny('role_missing', 'forbidden', `This needs the role ${demand.role}.`);
  }
  if (demand.permission === undefined) {
    return subject.kind === 'user'
      ? allow('own_account')
      : deny('person_only', 'forbidden', 'This is for people: an API key has no account of its own. Sign in instead.');
  }
  if (subject.type === 'PLATFORM_USER' && !demand.openToTenants) {
    return deny('staff_only', 'forbidden', 'This is for the staff of StudySpot only.');
  }
  return subject.permissions.has(demand.permission)
    ? allow('granted')
    : deny('not_granted', 'forbidden', `This needs the permission ${demand.permission}.`);
}

/** In whose space they may ask at all. */
function refusedSpace(subject: Subject, { permission, role, tenantId }: Demand): Decision | undefined {
  const isOwnAccount = permission === undefined && role === undefined;
  if (subject.type === 'ADMIN_USER') {
    if (tenantId === undefined || isOwnAccount || subject.permissions.has('tenants.access')) return undefined;
    const needed = 'To work within a tenant (x-tenant-id) you need the permission tenants.access.';
    return deny('no_tenant_access', 'forbidden', needed);
  }
  if (!subject.tenantId) return deny('no_tenant', 'forbidden', 'This account belongs to no library.');
  if (tenantId !== undefined && tenantId !== subject.tenantId) {
    const told = 'x-tenant-id names a tenant that is not yours. Leave the header out.';
    return deny('other_tenant', 'tenant_mismatch', told);
  }
  if (isOwnAccount || (permission && permissionDefinition(permission).whenSuspended)) return undefined;
  if (subject.tenantStatus === 'ACTIVE' || subject.tenantStatus === 'TRIAL') return undefined;
  return deny('tenant_suspended', 'tenant_suspended', shutOut(subject.tenantStatus));
}

const shutOut = (tenantStatus: string | null): string =>
  tenantStatus === 'OFFBOARDING'
    ? 'Your library is leaving StudySpot: only its data can be exported now. Contact StudySpot support to call that off.'
    : 'Your library is suspended. Contact StudySpot support to open it again.';

const restricted = (restriction: NonNullable<Subject['restriction']>): Decision =>
  restriction === 'PASSWORD_EXPIRED'
    ? deny(
        'session_restricted',
        'password_expired',
        'Your password has expired. Change it: POST /api/auth/change-password.',
      )
    : deny(
        'session_restricted',
        'mfa_required',
        'Your role needs a second factor. Set one up: POST /api/auth/mfa/totp/setup, or register a passkey.',
      );
