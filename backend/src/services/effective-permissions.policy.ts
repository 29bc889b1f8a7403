import { isPermission, type Permission } from '../config/permissions.ts';
import type { PermissionEffect } from '../generated/prisma/enums.ts';

/** A role that a person holds, and what it grants. */
export type HeldRole = {
  assignmentId: string;
  roleId: string;
  role: string;
  roleName: string;
  permissions: string[];
  expiresAt: Date | null;
};

/** A permission given to, or withheld from, the person directly. */
export type HeldOverride = {
  id: string;
  permission: string;
  effect: PermissionEffect;
  reason: string;
  expiresAt: Date | null;
};

/** Where a permission comes from, or who withholds it. */
export type Source =
  | { kind: 'role'; assignmentId: string; role: string; roleName: string; expiresAt: Date | null }
  | { kind: 'grant' | 'denial'; overrideId: string; reason: string; expiresAt: Date | null };

export type Effective = { granted: boolean; sources: Source[] };

/**
 * What a person may do and why: every permission that anything grants or denies. A direct denial beats every grant
 * (rule 6). What the request's permission check uses, and what `effective` and `simulate` show, is this.
 * @param roles and
 * @param overrides only those that hold now: what has expired is left out by the query
 */
export function effectivePermissions(
  roles: readonly HeldRole[],
  overrides: readonly HeldOverride[],
): Map<Permission, Effective> {
  const effective = new Map<Permission, Effective>();
  const add = (code: string, source: Source) => {
    if (!isPermission(code)) return;
    const known = effective.get(code) ?? { granted: false, sources: [] };
    const isDenied = source.kind === 'denial' || known.sources.some(({ kind }) => kind === 'denial');
    effective.set(code, { granted: !isDenied, sources: [...known.sources, source] });
  };
  for (const { assignmentId, role, roleName, expiresAt, permissions } of roles) {
    for (const code of permissions) add(code, { kind: 'role', assignmentId, role, roleName, expiresAt });
  }
  for (const { id, permission, effect, reason, expiresAt } of overrides) {
    add(permission, { kind: effect === 'GRANT' ? 'grant' : 'denial', overrideId: id, reason, expiresAt });
  }
  return effective;
}

export const grantedPermissions = (effective: ReadonlyMap<Permission, Effective>): ReadonlySet<Permission> =>
  new Set([...effective].filter(([, { granted }]) => granted).map(([code]) => code));

/** When the first of the things that now hold ends; undefined when nothing does by itself. */
export function earliestExpiry(roles: readonly HeldRole[], overrides: readonly HeldOverride[]): Date | undefined {
  const ends = [...roles, ...overrides].flatMap(({ expiresAt }) => (expiresAt ? [expiresAt.getTime()] : []));
  return ends.length > 0 ? new Date(Math.min(...ends)) : undefined;
}
