import { knownPermissions, type Permission } from '../config/permissions.ts';
import { scopedReader } from '../config/scope.ts';
import type { Actor, Reader } from '../types/context.ts';
import { AppError } from '../utils/errors.ts';
import type { AccessTokenClaims } from '../utils/token.ts';
import {
  earliestExpiry,
  effectivePermissions,
  grantedPermissions,
  type Effective,
  type HeldOverride,
  type HeldRole,
} from './effective-permissions.policy.ts';
import { overridesOf, principalOfSession, rolesOf, type PrincipalRow } from './principal.queries.ts';

const reader = scopedReader({ role: 'auth' });

export type Grants = {
  /** Code of the role that grants most. */
  role: string;
  permissions: ReadonlySet<Permission>;
  /** Every permission that anything grants or denies, with where that comes from. */
  effective: ReadonlyMap<Permission, Effective>;
  /** The first moment at which a role or a direct grant ends by itself. */
  until: Date | undefined;
};

/** What a person may do now, through roles and directly. */
export async function grantsOf(sql: Reader, userId: string): Promise<Grants> {
  return grantsFrom(...(await sql.batch<[HeldRole[], HeldOverride[]]>(rolesOf(userId), overridesOf(userId))));
}

/** The same, from rows that came with something else. */
export function grantsFrom(roles: readonly HeldRole[], overrides: readonly HeldOverride[]): Grants {
  const effective = effectivePermissions(roles, overrides);
  return {
    role: roles[0]?.role ?? 'none',
    permissions: grantedPermissions(effective),
    effective,
    until: earliestExpiry(roles, overrides),
  };
}

/**
 * The person behind an access token, as they are now. Permissions of the token count only while nothing about them
 * has changed since it was made (rule 6); it does not outlive a role that ends.
 * @param ip empty when it is not known
 * @returns undefined when the session has ended, or the person or their tenant is gone
 * @throws AppError address_refused
 */
export async function actorOfSession(claims: AccessTokenClaims, ip: string): Promise<Actor | undefined> {
  const row = await reader.one<PrincipalRow>(principalOfSession(claims.sid, ip || null));
  if (!row || !isStillThere(row, claims)) return undefined;
  if (!row.addressAllowed) throw addressRefused();
  if (row.impersonation && !(await mayImpersonate(row.impersonation.adminId))) return undefined;
  const grants =
    claims.pv === row.permissionVersion
      ? { role: claims.role, permissions: knownPermissions(claims.permissions) }
      : await grantsOf(reader, row.id);
  return {
    id: row.id,
    kind: 'user',
    type: row.type,
    name: row.name,
    email: row.email,
    role: grants.role,
    permissions: grants.permissions,
    tenantId: row.tenantId,
    tenantStatus: row.tenantStatus,
    sessionId: claims.sid,
    elevatedUntil: row.elevatedUntil,
    restriction: row.restriction,
    impersonation: row.impersonation && { ...row.impersonation, expiresAt: new Date(row.impersonation.expiresAt) },
    creator: null,
  };
}

/** Asked each time: with the permission goes what was begun with it (rule 9). */
const mayImpersonate = async (adminId: string): Promise<boolean> =>
  (await grantsOf(reader, adminId)).permissions.has('security.impersonate');

const isStillThere = (row: PrincipalRow, claims: AccessTokenClaims): boolean =>
  row.live &&
  row.id === claims.userId &&
  row.type === claims.type &&
  row.status === 'ACTIVE' &&
  row.tenantId === (claims.tenantId ?? null) &&
  row.tenantStatus !== 'PURGED' &&
  (!row.isImpersonated || row.impersonation !== null);

export const addressRefused = (): AppError =>
  new AppError('address_refused', 'From this address the portal cannot be used. Ask an admin to allow it.');
