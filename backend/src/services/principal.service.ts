import { scopedReader } from '../config/scope.ts';
import { knownPermissions, type Permission } from '../config/permissions.ts';
import type { Actor, Reader } from '../types/context.ts';
import type { AccessTokenClaims } from '../utils/token.ts';
import { permissionsOf, principalOfSession, type PrincipalRow } from './principal.queries.ts';

const reader = scopedReader({ role: 'auth' });

/** The role to show (the one that grants most) and every permission of a person. */
export async function grantsOf(
  sql: Reader,
  userId: string,
): Promise<{ role: string; permissions: ReadonlySet<Permission> }> {
  const roles = await sql.many<{ role: string; permissions: string[] }>(permissionsOf(userId));
  return { role: roles[0]?.role ?? 'none', permissions: knownPermissions(roles.flatMap((role) => role.permissions)) };
}

/**
 * The person behind an access token, as they are now. Permissions of the token count only while nothing about them
 * has changed since it was made (rule 6).
 * @returns undefined when the session has ended, or the person or their tenant is gone
 */
export async function actorOfSession(claims: AccessTokenClaims): Promise<Actor | undefined> {
  const row = await reader.one<PrincipalRow>(principalOfSession(claims.sid));
  if (!row || !row.live || row.id !== claims.userId || row.type !== claims.type) return undefined;
  if (row.status !== 'ACTIVE' || row.tenant_id !== (claims.tenantId ?? null) || row.tenant_status === 'PURGED') {
    return undefined;
  }
  const grants =
    claims.pv === row.permission_version
      ? { role: claims.role, permissions: knownPermissions(claims.permissions) }
      : await grantsOf(reader, row.id);
  return {
    id: row.id,
    type: row.type,
    name: row.name,
    email: row.email,
    ...grants,
    tenantId: row.tenant_id,
    tenantStatus: row.tenant_status,
    sessionId: claims.sid,
  };
}
