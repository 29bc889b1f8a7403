import type { Permission } from '../config/permissions.ts';
import type { Actor, WriteContext } from '../types/context.ts';
import { AppError } from '../utils/errors.ts';
import { grantsOf } from './principal.service.ts';

// The four guards of rule 5. Every path by which somebody could come to more than they have passes here.

/**
 * Nobody hands on, takes over or resets what they do not hold themselves.
 * @param needed what the other one holds or would come to hold
 * @throws AppError exceeds_own_permissions, naming what is missing
 */
export function assertCovers(actor: Actor, needed: Iterable<Permission>, what: string): void {
  const missing = [...needed].filter((permission) => !actor.permissions.has(permission));
  if (missing.length === 0) return;
  throw new AppError(
    'exceeds_own_permissions',
    `${what} holds permissions that you do not hold: ${missing.slice(0, 5).join(', ')}${missing.length > 5 ? ' …' : ''}.`,
    { missing },
  );
}

/** @throws AppError exceeds_own_permissions when the person may do something now that the caller may not */
export async function assertCoversPerson(ctx: WriteContext<Actor>, userId: string): Promise<void> {
  const { permissions } = await grantsOf(ctx.sql, userId);
  assertCovers(ctx.actor, permissions, 'This person');
}

/** The person who really acts: behind a key its creator, behind an impersonation the admin. */
export const actingPerson = ({ id, creator, impersonation }: Actor): string =>
  creator?.id ?? impersonation?.adminId ?? id;

/** Nobody changes what they themselves may do. @throws AppError forbidden */
export function assertNotSelf(actor: Actor, userId: string, what: string): void {
  if (actingPerson(actor) === userId) {
    throw new AppError('forbidden', `You cannot change ${what} of your own. Ask another admin.`);
  }
}

/**
 * Somebody stays who can do everything: an active super admin whose role does not end. Call it in the transaction of
 * the change and before it; the lock on the role makes a second one wait and see what the first has done.
 * @param leaving who is to stop being one, or to be one until a date only
 * @throws AppError last_super_admin
 */
export async function assertSuperAdminRemains(ctx: WriteContext, leaving: string): Promise<void> {
  await ctx.db.$queryRaw`select id from roles where code = 'super_admin' for update`;
  const [counted] = await ctx.db.$queryRaw<{ others: number; isOne: boolean }[]>`
    select count(*) filter (where u.id <> ${leaving})::int as others, coalesce(bool_or(u.id = ${leaving}), false) as "isOne"
      from role_assignments a join roles r on r.id = a.role_id join users u on u.id = a.user_id
     where r.code = 'super_admin' and u.status = 'ACTIVE' and u.deleted_at is null and a.expires_at is null`;
  if (counted?.isOne && counted.others === 0) {
    throw new AppError(
      'last_super_admin',
      'This is the last active super admin. Make somebody else one first, without an end date.',
    );
  }
}

/** Whatever was decided about this person's permissions on earlier requests is asked again on the next (rule 6). */
export async function bumpPermissionVersion(ctx: WriteContext, userIds: readonly string[]): Promise<void> {
  if (userIds.length === 0) return;
  await ctx.db.user.updateMany({ where: { id: { in: [...userIds] } }, data: { permissionVersion: { increment: 1 } } });
}
