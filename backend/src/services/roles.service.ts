import type { z } from 'zod';
import { isPermission, permissionDefinition, type Permission } from '../config/permissions.ts';
import type { UserType } from '../generated/prisma/enums.ts';
import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import { AppError, assertVersion, invalidField, orNotFound } from '../utils/errors.ts';
import { page } from '../utils/page.ts';
import type {
  cloneRoleBody,
  createRoleBody,
  impact,
  matrix,
  member,
  permission,
  role,
  updateRoleBody,
} from '../validators/rbac.validator.ts';
import { assertOutsideTenants } from './platform-space.policy.ts';
import { actingPerson, assertCovers, assertMayHandOn, bumpHolders, lockAccess } from './privilege.policy.ts';
import * as queries from './roles.queries.ts';

type RoleView = z.input<typeof role>;
type PermissionView = z.input<typeof permission>;
type Matrix = z.input<typeof matrix>;

/** How many of those affected an impact names. */
const MOST_NAMED = 100;

/** What the database has and this version knows. */
const known = (rows: Omit<PermissionView, 'tenants'>[]): PermissionView[] =>
  rows.flatMap((row) =>
    isPermission(row.code) ? [{ ...row, tenants: permissionDefinition(row.code).tenants === true }] : [],
  );

export const listPermissions = async (ctx: ReadContext): Promise<PermissionView[]> =>
  known(await ctx.sql.many<PermissionView>(queries.permissionRows()));

export async function getMatrix(ctx: ReadContext): Promise<Matrix> {
  const [permissions, roles] = await ctx.sql.batch<[PermissionView[], Matrix['roles']]>(
    queries.permissionRows(),
    queries.matrixRows(),
  );
  return { permissions: known(permissions), roles };
}

export const listRoles = (ctx: ReadContext, filter: queries.RoleFilter) =>
  page<RoleView>(ctx, filter, queries.roleRows(filter));

export const getRole = async (ctx: Pick<ReadContext, 'sql'>, id: string): Promise<RoleView> =>
  orNotFound(await ctx.sql.one<RoleView>(queries.roleById(id)), 'role');

export const listMembers = (ctx: ReadContext, id: string, filter: queries.MemberFilter) =>
  page<z.input<typeof member>>(ctx, filter, {
    ...queries.memberRows(id, filter),
    parent: { of: queries.roleExists(id), what: 'role' },
  });

/** @throws AppError exceeds_own_permissions, validation_failed, conflict when the code is taken */
export async function createRole(ctx: WriteContext<Actor>, input: z.output<typeof createRoleBody>): Promise<RoleView> {
  assertOutsideTenants(ctx);
  await lockAccess(ctx, 'one');
  assertFitsHolders(input.userType, input.permissions);
  await assertMayHandOn(ctx, input.permissions, 'The role');
  return insertRole(ctx, { ...input, code: input.code ?? codeOf(input.name) });
}

/** A new role that grants the same, to be changed from there. */
export async function cloneRole(
  ctx: WriteContext<Actor>,
  id: string,
  input: z.output<typeof cloneRoleBody>,
): Promise<RoleView> {
  assertOutsideTenants(ctx);
  await lockAccess(ctx, 'one');
  const { userType, permissions, description, code } = await getRole(ctx, id);
  const granted = permissions.filter(isPermission);
  await assertMayHandOn(ctx, granted, 'The role');
  const clone = { description, ...input, userType, permissions: granted, code: input.code ?? codeOf(input.name) };
  return insertRole(ctx, clone, { clonedFrom: code });
}

type NewRole = { code: string; name: string; description: string; userType: UserType; permissions: Permission[] };

async function insertRole(ctx: WriteContext<Actor>, input: NewRole, details?: object): Promise<RoleView> {
  const { permissions, ...fields } = input;
  const created = await ctx.db.role.create({
    data: {
      ...fields,
      createdAt: ctx.now,
      permissions: { createMany: { data: permissions.map((permissionCode) => ({ permissionCode })) } },
    },
  });
  ctx.audit({ resource: 'role', resourceId: created.id, after: input, details });
  return getRole(ctx, created.id);
}

/**
 * Changes a custom role. What it grants from then on holds for every member with their next request.
 * @throws AppError conflict for a built-in one; forbidden for one that the caller holds; exceeds_own_permissions
 */
export async function updateRole(
  ctx: WriteContext<Actor>,
  id: string,
  changes: z.output<typeof updateRoleBody>,
  seenVersion?: number,
): Promise<RoleView> {
  const before = await roleToChange(ctx, id);
  assertVersion(seenVersion, before.version, 'role');
  const { permissions, ...fields } = changes;
  await ctx.db.role.update({ where: { id }, data: { ...fields, version: { increment: 1 } } });
  if (permissions) await replaceGrants(ctx, before, permissions);
  const { name, description, permissions: granted } = before;
  const after = { ...fields, ...(permissions && { permissions: permissions.toSorted() }) };
  ctx.audit({ resource: 'role', resourceId: id, before: { name, description, permissions: granted }, after });
  return getRole(ctx, id);
}

async function replaceGrants(ctx: WriteContext<Actor>, role: queries.LockedRole, wanted: Permission[]): Promise<void> {
  assertFitsHolders(role.userType, wanted);
  const added = wanted.filter((code) => !role.permissions.includes(code));
  await assertMayHandOn(ctx, added, 'The role');
  await ctx.db.rolePermission.deleteMany({ where: { roleId: role.id, permissionCode: { notIn: wanted } } });
  await ctx.db.rolePermission.createMany({
    data: added.map((permissionCode) => ({ roleId: role.id, permissionCode })),
  });
  await bumpHolders(ctx, role.id);
}

/**
 * Removes a custom role. Its members get another one in the same moment, for as long as they had this one or longer
 * if they had that one already.
 * @throws AppError conflict when it has members and none is named; forbidden; exceeds_own_permissions
 */
export async function deleteRole(ctx: WriteContext<Actor>, id: string, reassignTo?: string): Promise<void> {
  const role = await roleToChange(ctx, id);
  await ctx.db.roleAssignment.deleteMany({ where: { roleId: id, expiresAt: { lte: ctx.now } } });
  const members = await ctx.db.roleAssignment.count({ where: { roleId: id } });
  if (members > 0) {
    if (!reassignTo) {
      throw new AppError('conflict', 'The role has members. Name in reassignTo the role that they get instead.', {
        members,
      });
    }
    await moveMembers(ctx, role, reassignTo);
  }
  await ctx.db.role.delete({ where: { id } });
  const { code, name, permissions } = role;
  ctx.audit({ resource: 'role', resourceId: id, details: { code, name, permissions, members, reassignTo } });
}

async function moveMembers(ctx: WriteContext<Actor>, from: queries.LockedRole, toId: string): Promise<void> {
  const bad = (message: string) => invalidField('reassignTo', message, `reassignTo ${message}.`, 'query');
  if (toId === from.id) throw bad('must be another role');
  const to = await ctx.sql.one<queries.LockedRole>(queries.lockRole(toId));
  if (!to) throw bad('is no role that there is');
  if (to.userType !== from.userType) throw bad('must be a role for the same kind of people');
  await assertMayHandOn(ctx, to.permissions.filter(isPermission), 'That role');
  const held = await ctx.sql.many<{ code: string }>(queries.permissionsOfMembers(from.id));
  assertCovers(ctx.actor, held.map(({ code }) => code).filter(isPermission), 'A member of the role');

  await bumpHolders(ctx, from.id);
  // Who holds both keeps that one, until the later of the two ends.
  await ctx.db.$executeRaw`
    update role_assignments kept
       set expires_at = case when kept.expires_at is null or moved.expires_at is null then null
                             else greatest(kept.expires_at, moved.expires_at) end
      from role_assignments moved
     where kept.role_id = ${to.id} and moved.role_id = ${from.id} and moved.user_id = kept.user_id`;
  await ctx.db.$executeRaw`
    delete from role_assignments a where a.role_id = ${from.id}
       and exists (select from role_assignments kept where kept.role_id = ${to.id} and kept.user_id = a.user_id)`;
  await ctx.db.roleAssignment.updateMany({
    where: { roleId: from.id },
    data: { roleId: to.id, assignedById: actingPerson(ctx.actor) },
  });
}

/** Who would gain or lose what if the role granted these, before anybody saves it. */
export async function impactOf(
  ctx: Pick<ReadContext, 'sql'>,
  id: string,
  proposed: Permission[],
): Promise<z.input<typeof impact>> {
  const { userType } = await getRole(ctx, id);
  assertFitsHolders(userType, proposed);
  type Counts = Omit<z.input<typeof impact>, 'people'>;
  const [[counts], people] = await ctx.sql.batch<[Counts[], z.input<typeof impact>['people']]>(
    queries.impactCounts(id, proposed),
    queries.impactPeople(id, proposed, MOST_NAMED),
  );
  return { ...orNotFound(counts, 'role'), people };
}

/** A custom role, locked together with everything else that decides who may do what; once it is clear that the caller may change it. */
async function roleToChange(ctx: WriteContext<Actor>, id: string): Promise<queries.LockedRole> {
  if (ctx.tenantId !== null) {
    await getRole(ctx, id);
    assertOutsideTenants(ctx);
  }
  await lockAccess(ctx, 'many');
  const role = orNotFound(await ctx.sql.one<queries.LockedRole>(queries.lockRole(id)), 'role');
  if (role.builtIn) throw new AppError('conflict', 'Built-in roles cannot be changed. Clone it and change the clone.');
  const own = { roleId: id, userId: actingPerson(ctx.actor) };
  if ((await ctx.db.roleAssignment.count({ where: own })) > 0) {
    throw new AppError('forbidden', 'You hold this role yourself and cannot change it. Ask another admin.');
  }
  assertCovers(ctx.actor, role.permissions.filter(isPermission), 'The role');
  return role;
}

/** People of tenants hold only what is open to tenants. @throws AppError validation_failed */
function assertFitsHolders(userType: UserType, permissions: readonly Permission[]): void {
  if (userType === 'ADMIN_USER') return;
  const closed = permissions.filter((code) => permissionDefinition(code).tenants !== true);
  if (closed.length === 0) return;
  const message = `must hold for people of tenants only what is open to them, and not ${closed.slice(0, 5).join(', ')}`;
  throw invalidField('permissions', message, `permissions ${message}.`);
}

/** `Night support (Kota)` → `night_support_kota`. @throws AppError validation_failed when nothing is left of it */
function codeOf(name: string): string {
  const code = name
    .normalize('NFKD')
    .replace(/\p{Mark}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^[^a-z]+|_+$/g, '')
    .slice(0, 60);
  if (code.length >= 3) return code;
  const message = 'is needed, since the name has too few Latin letters to make one';
  throw invalidField('code', message, `code ${message}.`);
}
