import type { z } from 'zod';
import { permissionDefinition } from '../config/permissions.ts';
import type { Actor, WriteContext } from '../types/context.ts';
import { AppError, orNotFound } from '../utils/errors.ts';
import type { assignBody, assignment } from '../validators/rbac.validator.ts';
import { assertFuture } from './assignment-end.policy.ts';
import {
  actingPerson,
  assertCoversPerson,
  assertMayHandOn,
  assertNotSelf,
  assertSuperAdminRemains,
  bumpPermissionVersion,
  lockAccess,
} from './privilege.policy.ts';
import * as queries from './role-assignments.queries.ts';
import { rolesNamed, type KnownRole } from './role-lookup.service.ts';

type AssignmentView = z.input<typeof assignment>;

async function personToChange(ctx: WriteContext<Actor>, userId: string): Promise<queries.AccessTarget> {
  const person = orNotFound(await ctx.sql.one<queries.AccessTarget>(queries.lockPerson(userId)), 'user');
  assertNotSelf(ctx.actor, userId, 'the roles');
  await assertCoversPerson(ctx, userId);
  return person;
}

/**
 * Gives somebody a role, for good or until a date.
 * @throws AppError conflict when they have it; validation_failed when it is for others; exceeds_own_permissions
 */
export async function assignRole(
  ctx: WriteContext<Actor>,
  { userId, role: name, expiresAt }: z.output<typeof assignBody>,
): Promise<AssignmentView> {
  assertFuture(ctx, expiresAt, 'expiresAt');
  await lockAccess(ctx, 'one');
  const person = await personToChange(ctx, userId);
  const [role] = (await rolesNamed(ctx, [name], person.type, 'role')) as [KnownRole];
  if (person.type === 'PLATFORM_USER' && role.permissions.some((code) => permissionDefinition(code).tenants !== true)) {
    throw new AppError('conflict', 'This role grants what people of tenants cannot hold. Change the role first.');
  }
  await assertMayHandOn(ctx, role.permissions, 'The role', () => expiresAt ?? null);
  await makeRoom(ctx, userId, role);
  const created = await ctx.db.roleAssignment.create({
    data: {
      userId,
      tenantId: person.tenantId,
      roleId: role.id,
      assignedById: actingPerson(ctx.actor),
      createdAt: ctx.now,
      expiresAt: expiresAt ?? null,
    },
  });
  await bumpPermissionVersion(ctx, [userId]);
  ctx.audit({
    resource: 'user',
    resourceId: userId,
    tenantId: person.tenantId,
    details: { assignmentId: created.id, role: role.code, expiresAt: expiresAt ?? null },
  });
  return { ...created, role: role.code };
}

/** One whose time is over does not stand in the way, though the job has not come by yet. */
async function makeRoom(ctx: WriteContext, userId: string, role: KnownRole): Promise<void> {
  await ctx.db.roleAssignment.deleteMany({ where: { userId, roleId: role.id, expiresAt: { lte: ctx.now } } });
  const held = await ctx.db.roleAssignment.findUnique({
    where: { userId_roleId: { userId, roleId: role.id } },
    select: { id: true, expiresAt: true },
  });
  if (!held) return;
  const until = held.expiresAt ? ` until ${held.expiresAt.toISOString()}` : '';
  throw new AppError(
    'conflict',
    `They hold this role already${until}. To change its end, remove the assignment ${held.id} and give the role again.`,
    { assignmentId: held.id },
  );
}

/** Takes a role from somebody. @throws AppError last_super_admin, exceeds_own_permissions */
export async function unassignRole(ctx: WriteContext<Actor>, id: string): Promise<void> {
  await lockAccess(ctx, 'one');
  const found = orNotFound(
    await ctx.db.roleAssignment.findUnique({ where: { id }, select: { userId: true } }),
    'assignment',
  );
  const person = await personToChange(ctx, found.userId);
  // Again, now that nobody else can change the person: of two at once the second finds nothing.
  const held = orNotFound(
    await ctx.db.roleAssignment.findUnique({
      where: { id },
      select: { expiresAt: true, role: { select: { code: true } } },
    }),
    'assignment',
  );
  const { code } = held.role;
  const [role] = (await rolesNamed(ctx, [code], person.type, 'role')) as [KnownRole];
  await assertMayHandOn(ctx, role.permissions, 'The role', () => ctx.now);
  if (code === 'super_admin') await assertSuperAdminRemains(ctx, person.id);
  await ctx.db.roleAssignment.delete({ where: { id } });
  await bumpPermissionVersion(ctx, [person.id]);
  ctx.audit({
    resource: 'user',
    resourceId: person.id,
    tenantId: person.tenantId,
    details: { assignmentId: id, role: code, expiresAt: held.expiresAt },
  });
}

/**
 * Removes roles and direct grants whose time is over, of some people at once. They granted nothing any more: this only
 * tidies up and tells.
 * @param most people
 * @returns how many people it was
 */
export async function removeExpiredAccess(ctx: WriteContext, most: number): Promise<number> {
  await lockAccess(ctx, 'one');
  const people = await ctx.sql.many<queries.AccessTarget>(queries.lockPeopleWithExpired(most));
  const ids = people.map(({ id }) => id);
  if (ids.length === 0) return 0;
  const [roles, permissions] = await ctx.sql.batch<[queries.Ended[], queries.Ended[]]>(
    queries.removeExpiredAssignments(ids),
    queries.removeExpiredOverrides(ids),
  );
  const endedFor = (all: queries.Ended[], id: string) =>
    all.filter(({ userId }) => userId === id).map(({ what }) => what);
  await bumpPermissionVersion(ctx, ids);
  for (const { id, tenantId } of people) {
    const details = { roles: endedFor(roles, id), permissions: endedFor(permissions, id) };
    ctx.audit({ action: 'rbac.expire', resource: 'user', resourceId: id, tenantId, details });
  }
  return people.length;
}
