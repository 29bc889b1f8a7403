import type { Permission } from '../config/permissions.ts';
import type { Actor, WriteContext } from '../types/context.ts';
import { AppError } from '../utils/errors.ts';
import type { Effective } from './effective-permissions.policy.ts';
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

/**
 * Nobody hands on what they do not hold themselves now, nor for longer than they hold it themselves.
 * @param end when what is handed on ends; null when it does not end by itself
 * @throws AppError exceeds_own_permissions
 */
export async function assertMayHandOn(
  ctx: WriteContext<Actor>,
  needed: readonly Permission[],
  what: string,
  end: (permission: Permission) => Date | null = () => null,
): Promise<void> {
  assertCovers(ctx.actor, needed, what);
  // Within the space of a tenant an admin's own roles are not to be seen.
  if (ctx.tenantId !== null || needed.length === 0) return;
  const { effective } = await grantsOf(ctx.sql, actingPerson(ctx.actor));
  const tooShort = needed.filter((permission) => !outlasts(effective.get(permission), end(permission)));
  if (tooShort.length === 0) return;
  throw new AppError(
    'exceeds_own_permissions',
    `You hold this for a time only, and cannot hand it on for longer: ${tooShort.slice(0, 5).join(', ')}.`,
    { missing: tooShort },
  );
}

const outlasts = (own: Effective | undefined, until: Date | null): boolean =>
  own?.granted === true &&
  own.sources.some(({ expiresAt }) => expiresAt === null || (until !== null && expiresAt.getTime() >= until.getTime()));

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
 * Puts changes of who may do what in order, till the end of the transaction: those of one person go side by side, one
 * that concerns many waits for them and holds up others. Without it, somebody who gets a role while it is edited would
 * be missed by the count of versions. Call it before anything is locked.
 */
export async function lockAccess(ctx: WriteContext, whom: 'one' | 'many'): Promise<void> {
  if (whom === 'one') await ctx.db.$executeRaw`select pg_advisory_xact_lock_shared(hashtextextended('access', 0))`;
  else await ctx.db.$executeRaw`select pg_advisory_xact_lock(hashtextextended('access', 0))`;
}

/**
 * Somebody stays who can do everything: an active super admin whose role does not end and to whom nothing is denied.
 * Call it in the transaction of the change and before it; the lock on the role makes a second one wait and see what
 * the first has done.
 * @param leaving who is to stop being one, or to be one until a date or with a denial only
 * @throws AppError last_super_admin
 */
export async function assertSuperAdminRemains(ctx: WriteContext, leaving: string): Promise<void> {
  await ctx.db.$queryRaw`select id from roles where code = 'super_admin' for update`;
  const [counted] = await ctx.db.$queryRaw<{ others: number; isOne: boolean }[]>`
    select count(*) filter (where u.id <> ${leaving})::int as others, coalesce(bool_or(u.id = ${leaving}), false) as "isOne"
      from role_assignments a join roles r on r.id = a.role_id join users u on u.id = a.user_id
     where r.code = 'super_admin' and u.status = 'ACTIVE' and u.deleted_at is null and a.expires_at is null
       and not exists (select from permission_overrides o
                        where o.user_id = u.id and o.effect = 'DENY' and (o.expires_at is null or o.expires_at > now()))`;
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

/** The same for everybody who holds a role, in one statement however many they are. */
export async function bumpHolders(ctx: WriteContext, roleId: string): Promise<void> {
  await ctx.db.$executeRaw`
    update users set permission_version = permission_version + 1
     where id in (select user_id from role_assignments where role_id = ${roleId})`;
}
