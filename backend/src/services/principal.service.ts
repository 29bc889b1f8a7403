import { knownPermissions, type Permission } from '../config/permissions.ts';
import { readScopedBehind, scopedReader } from '../config/scope.ts';
import type { Actor, Reader, Scope } from '../types/context.ts';
import { AppError } from '../utils/errors.ts';
import type { Sql } from '../utils/sql.ts';
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

/** Somebody as they were found, and what was found of them. */
export type Principal = { actor: Actor; row: PrincipalRow };

/**
 * The person behind an access token, as they are now. Permissions of the token count only while nothing about them
 * has changed since it was made (rule 6); it does not outlive a role that ends.
 * @param ip empty when it is not known
 * @returns undefined when the session has ended, or the person or their tenant is gone
 * @throws AppError address_refused
 */
export async function principalBehind(claims: AccessTokenClaims, ip: string): Promise<Principal | undefined> {
  const row = await reader.one<PrincipalRow>(principalOfSession(claims.sid, ip || null));
  if (!row || !isStillThere(row, claims)) return undefined;
  if (!row.addressAllowed) throw addressRefused();
  if (row.impersonation && !(await mayImpersonate(row.impersonation.adminId))) return undefined;
  const grants = isUnchangedSince(claims, row)
    ? { role: claims.role, permissions: knownPermissions(claims.permissions) }
    : await grantsOf(reader, row.id);
  return { row, actor: actorFrom(row, grants, claims.sid) };
}

const actorFrom = (row: PrincipalRow, grants: Pick<Grants, 'role' | 'permissions'>, sessionId: string): Actor => ({
  id: row.id,
  kind: 'user',
  type: row.type,
  name: row.name,
  email: row.email,
  role: grants.role,
  permissions: grants.permissions,
  tenantId: row.tenantId,
  tenantStatus: row.tenantStatus,
  sessionId,
  elevatedUntil: row.elevatedUntil,
  restriction: row.restriction,
  impersonation: row.impersonation && { ...row.impersonation, expiresAt: new Date(row.impersonation.expiresAt) },
  creator: null,
});

const isUnchangedSince = (claims: AccessTokenClaims, row: PrincipalRow): boolean => claims.pv === row.permissionVersion;

/**
 * Whether what was found may be expected to be found again: then the next read need not wait for it. Not with
 * permissions that are not those of the token, which ends with the first of them; nor in another's name.
 */
export const isWorthRemembering = ({ row }: Principal, claims: AccessTokenClaims): boolean =>
  isUnchangedSince(claims, row) && !row.isImpersonated;

/** Somebody is not, or no longer, who they were on an earlier request: all that was read for them is thrown away. */
export class PrincipalChanged extends Error {}

/**
 * Reads for somebody who is expected to be as they were, and asks in the same message whether they are: nothing of
 * what was read is handed out otherwise.
 * @throws PrincipalChanged from each read, and from `confirm`, which also asks where nothing was read
 */
export function readerFor(
  { row: expected, actor }: Principal,
  ip: string,
  scope: Scope,
): { reader: Reader; confirm: () => Promise<void> } {
  const query = principalOfSession(actor.sessionId, ip || null);
  const plain = scopedReader(scope);
  let confirmed: Promise<void> | undefined;
  const assertUnchanged = ([found]: unknown[]): void => {
    if (JSON.stringify(found) !== JSON.stringify(expected)) throw new PrincipalChanged();
  };
  const readBehind = async (queries: readonly Sql[]): Promise<unknown[][]> => {
    const read = readScopedBehind({ scope: { role: 'auth' }, query }, scope, queries);
    confirmed = read.then(({ found }) => assertUnchanged(found));
    await confirmed;
    return (await read).answers;
  };
  const batch = async (queries: readonly Sql[]): Promise<unknown[][]> => {
    if (!confirmed) return readBehind(queries);
    await confirmed;
    return plain.batch<unknown[][]>(...queries);
  };
  return {
    reader: {
      many: async <Row>(one: Sql) => (await batch([one]))[0] as Row[],
      one: async <Row>(one: Sql) => (await batch([one]))[0]?.[0] as Row | undefined,
      batch: async <Rows extends unknown[][]>(...queries: { [Index in keyof Rows]: Sql }) =>
        (await batch(queries)) as Rows,
    },
    confirm: async () => confirmed ?? assertUnchanged([await reader.one(query)]),
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
