import type { z } from 'zod';
import type { Permission } from '../config/permissions.ts';
import type { PermissionEffect } from '../generated/prisma/enums.ts';
import type { Actor, WriteContext } from '../types/context.ts';
import { assertVersion } from '../utils/errors.ts';
import type { replacePermissionsBody } from '../validators/admin-users.validator.ts';
import { adminToChange } from './admin-target.policy.ts';
import { getAdmin } from './admin-users.service.ts';
import { assertFuture } from './assignment-end.policy.ts';
import { actingPerson, assertMayHandOn, assertSuperAdminRemains, bumpPermissionVersion } from './privilege.policy.ts';

type Wanted = { permission: Permission; effect: PermissionEffect; reason: string; expiresAt: Date | null };
type Held = Omit<Wanted, 'permission'> & { permission: string };

const isSame = (held: Held | undefined, wanted: Held | undefined): boolean =>
  held?.effect === wanted?.effect &&
  held?.reason === wanted?.reason &&
  held?.expiresAt?.getTime() === wanted?.expiresAt?.getTime();

/** As the audit trail shows them: one field for each permission. */
const shown = (all: readonly Held[]) =>
  Object.fromEntries(all.map(({ permission, ...rest }) => [permission, rest as unknown]));

/**
 * Makes these the direct grants and denials of an admin, and no others. Whatever begins or ends by that, a denial as
 * well as a grant, has to be among the caller's own permissions.
 * @throws AppError exceeds_own_permissions; last_super_admin where something would be denied to the last one
 */
export async function replacePermissions(
  ctx: WriteContext<Actor>,
  id: string,
  { permissions }: z.output<typeof replacePermissionsBody>,
  seenVersion?: number,
) {
  const { version } = await adminToChange(ctx, id, 'the permissions');
  assertVersion(seenVersion, version, 'admin');
  permissions.forEach(({ expiresAt }, index) => assertFuture(ctx, expiresAt, `permissions.${index}.expiresAt`));
  const wanted: Wanted[] = permissions.map((one) => ({ ...one, expiresAt: one.expiresAt ?? null }));
  const held = await heldNow(ctx, id);

  const changed = changedOnes(held, wanted);
  const codes = [...changed.keys()];
  await assertMayHandOn(ctx, codes, 'The list', (permission) => givenUntil(ctx.now, changed.get(permission)));
  if (wanted.some(({ effect }) => effect === 'DENY')) await assertSuperAdminRemains(ctx, id);

  await ctx.db.permissionOverride.deleteMany({
    where: { userId: id, OR: [{ permissionCode: { in: codes } }, { expiresAt: { lte: ctx.now } }] },
  });
  await ctx.db.permissionOverride.createMany({
    data: wanted
      .filter(({ permission }) => changed.has(permission))
      .map(({ permission, ...rest }) => ({
        ...rest,
        userId: id,
        permissionCode: permission,
        grantedById: actingPerson(ctx.actor),
        createdAt: ctx.now,
      })),
  });
  await ctx.db.user.update({ where: { id }, data: { version: { increment: 1 } } });
  await bumpPermissionVersion(ctx, [id]);
  const [before, after] = [shown(held), shown(wanted)];
  const ended = Object.fromEntries(Object.keys(before).map((code) => [code, null]));
  ctx.audit({ resource: 'admin', resourceId: id, before, after: { ...ended, ...after } });
  return getAdmin(ctx, id);
}

async function heldNow(ctx: WriteContext, userId: string): Promise<Held[]> {
  const rows = await ctx.db.permissionOverride.findMany({
    where: { userId, OR: [{ expiresAt: null }, { expiresAt: { gt: ctx.now } }] },
    select: { permissionCode: true, effect: true, reason: true, expiresAt: true },
  });
  return rows.map(({ permissionCode, ...rest }) => ({ ...rest, permission: permissionCode }));
}

type Change = { old: Held | undefined; fresh: Held | undefined };

/** The permissions of which something begins, ends or changes. */
function changedOnes(held: readonly Held[], wanted: readonly Wanted[]): Map<Permission, Change> {
  const changed = new Map<Permission, Change>();
  for (const code of new Set([...held, ...wanted].map(({ permission }) => permission))) {
    const [old, fresh] = [held, wanted].map((all: readonly Held[]) =>
      all.find(({ permission }) => permission === code),
    );
    if (!isSame(old, fresh)) changed.set(code as Permission, { old, fresh });
  }
  return changed;
}

/** Until when the person may come to hold it by the change. A denial that is lifted gives back what roles grant. */
function givenUntil(now: Date, change: Change | undefined): Date | null {
  if (change?.fresh?.effect === 'GRANT') return change.fresh.expiresAt;
  return change?.old?.effect === 'DENY' ? null : now;
}
