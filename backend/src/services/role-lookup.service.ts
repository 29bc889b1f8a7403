import { isPermission, type Permission } from '../config/permissions.ts';
import type { UserType } from '../generated/prisma/enums.ts';
import type { WriteContext } from '../types/context.ts';
import { invalidField } from '../utils/errors.ts';

export type KnownRole = {
  id: string;
  code: string;
  name: string;
  userType: UserType;
  /** Those that this version knows. */
  permissions: Permission[];
};

/**
 * The roles that a caller names by code or id, all at once.
 * @param userType who is to hold them
 * @param field of the body that names them
 * @throws AppError validation_failed for one that is not there or is for others
 */
export async function rolesNamed(
  ctx: WriteContext,
  names: readonly string[],
  userType: UserType,
  field = 'roles',
): Promise<KnownRole[]> {
  const found = await ctx.db.role.findMany({
    where: { OR: [{ code: { in: [...names] } }, { id: { in: [...names] } }] },
    select: { id: true, code: true, name: true, userType: true, permissions: { select: { permissionCode: true } } },
  });
  for (const [index, name] of names.entries()) {
    const role = found.find(({ id, code }) => id === name || code === name);
    const at = names.length > 1 ? `${field}.${index}` : field;
    if (!role) throw badRole(at, 'is no role that there is');
    if (role.userType !== userType) {
      throw badRole(at, userType === 'ADMIN_USER' ? 'is for people of tenants' : 'is for portal admins');
    }
  }
  return found.map(({ permissions, ...role }) => ({
    ...role,
    permissions: permissions.map(({ permissionCode }) => permissionCode).filter(isPermission),
  }));
}

const badRole = (field: string, message: string) => invalidField(field, message, `${field} ${message}.`);
