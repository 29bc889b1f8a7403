import type { Actor, WriteContext } from '../types/context.ts';
import { AppError, orNotFound } from '../utils/errors.ts';
import { lockOwners, lockPerson, otherOwners, type LockedPerson } from './platform-users.queries.ts';
import { assertCoversPerson, assertNotSelf, lockAccess } from './privilege.policy.ts';

/**
 * The person that a change is about, locked until the end of it.
 * @throws AppError not_found, also for a portal admin, for who has left, and outside the space
 */
export async function lockedPerson(ctx: WriteContext<Actor>, id: string): Promise<LockedPerson> {
  await lockAccess(ctx, 'one');
  return orNotFound(await ctx.sql.one<LockedPerson>(lockPerson(id, ctx.tenantId)), 'person');
}

/**
 * The same, once it is clear that the caller may change the account of this person (rule 5).
 * @param own what of their own the caller would change, where nobody may do that
 * @throws AppError not_found, forbidden, exceeds_own_permissions
 */
export async function personToChange(ctx: WriteContext<Actor>, id: string, own?: string): Promise<LockedPerson> {
  const person = await lockedPerson(ctx, id);
  if (own !== undefined) assertNotSelf(ctx.actor, id, own);
  await assertCoversPerson(ctx, id);
  return person;
}

/**
 * Who acts in another's name comes to no credentials by it, nor leaves somebody behind who may do something (rule 9).
 * @throws AppError impersonation_restricted
 */
export function assertInOwnName({ impersonation }: Actor, what: string): void {
  if (!impersonation) return;
  throw new AppError('impersonation_restricted', `${what} in another's name. End it and use your own account.`);
}

/**
 * A tenant keeps an owner who can act for it: of two owners who are to leave at once the second stays.
 * @throws AppError conflict when this is the last active one, or the last who may yet become active
 */
export async function assertOwnerRemains(ctx: WriteContext, leaving: LockedPerson): Promise<void> {
  if (leaving.kind !== 'OWNER') return;
  await ctx.sql.one(lockOwners(leaving.tenantId));
  const others = await ctx.sql.one<{ active: number; invited: number }>(otherOwners(leaving.tenantId, leaving.id));
  const { active = 0, invited = 0 } = others ?? {};
  if (active > 0 || (leaving.status !== 'ACTIVE' && invited > 0)) return;
  throw new AppError('conflict', 'This is the last active owner of the library. Add or activate another one first.');
}
