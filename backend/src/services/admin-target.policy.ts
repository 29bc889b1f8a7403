import type { Actor, WriteContext } from '../types/context.ts';
import { orNotFound } from '../utils/errors.ts';
import { lockAdmin, type LockedAdmin } from './admin-users.queries.ts';
import { assertCoversPerson, assertNotSelf, lockAccess } from './privilege.policy.ts';

/**
 * The admin that a change is about, locked until the end of it, once it is clear that the caller may change them
 * (rule 5).
 * @param own what of their own the caller would change, where nobody may do that
 * @throws AppError not_found, forbidden, exceeds_own_permissions
 */
export async function adminToChange(ctx: WriteContext<Actor>, id: string, own?: string): Promise<LockedAdmin> {
  await lockAccess(ctx, 'one');
  const admin = orNotFound(await ctx.sql.one<LockedAdmin>(lockAdmin(id)), 'admin');
  if (own !== undefined) assertNotSelf(ctx.actor, id, own);
  await assertCoversPerson(ctx, id);
  return admin;
}
