import type { z } from 'zod';
import type { Actor, ManualContext, ReadContext, WriteContext } from '../types/context.ts';
import { cursorPage } from '../utils/cursor-page.ts';
import { AppError, orNotFound } from '../utils/errors.ts';
import { page } from '../utils/page.ts';
import type { lockout, loginAttempt, securityEvent } from '../validators/security.validator.ts';
import { actingPerson } from './privilege.policy.ts';
import * as queries from './security-lists.queries.ts';
import { liftThrottle } from './sign-in-throttle.service.ts';

type LoginAttemptView = z.input<typeof loginAttempt> & { createdAt: string };
type LockoutView = z.input<typeof lockout>;
type SecurityEventView = z.input<typeof securityEvent> & { createdAt: string };

export const listLoginAttempts = (ctx: ReadContext, filter: queries.LoginAttemptFilter) =>
  cursorPage<LoginAttemptView>(ctx, filter, queries.loginAttemptRows(filter));

/** Those that hold; with `history` also those that are over. */
export const listLockouts = (ctx: ReadContext, filter: queries.LockoutFilter) =>
  page<LockoutView>(ctx, filter, queries.lockoutRows(filter));

/**
 * Lets the account try again from there. The counters go first: should the process end in between, the row still
 * stands and can be lifted again.
 * @throws AppError conflict for one that no longer holds
 */
export async function liftLockout(ctx: ManualContext<Actor>, id: string): Promise<LockoutView> {
  const held = orNotFound(await ctx.sql.one<queries.ThrottledRow>(queries.lockoutKey(id)), 'lock-out');
  if (!held.current) throw alreadyOver();
  await liftThrottle(held.throttleKey);
  return ctx.transact(async (tx) => {
    const { count } = await tx.db.lockout.updateMany({
      where: { id, liftedAt: null },
      data: { liftedAt: tx.now, liftedById: actingPerson(tx.actor) },
    });
    if (count === 0) throw alreadyOver();
    tx.audit({ resource: 'lockout', resourceId: id, tenantId: held.tenantId, details: { userId: held.userId } });
    return orNotFound(await tx.sql.one<LockoutView>(queries.lockoutById(id)), 'lock-out');
  });
}

const alreadyOver = () => new AppError('conflict', 'This lock-out is over already.');

export const listSecurityEvents = (ctx: ReadContext, filter: queries.SecurityEventFilter) =>
  cursorPage<SecurityEventView>(ctx, filter, queries.securityEventRows(filter));

/** Takes an event off the list. @throws AppError conflict when somebody has resolved it already */
export async function resolveSecurityEvent(ctx: WriteContext<Actor>, id: string, resolution: string) {
  const event = orNotFound(await ctx.sql.one<SecurityEventView>(queries.securityEventById(id)), 'security event');
  const { count } = await ctx.db.securityEvent.updateMany({
    where: { id, resolvedAt: null },
    data: { resolvedAt: ctx.now, resolvedById: actingPerson(ctx.actor), resolution },
  });
  if (count === 0) throw new AppError('conflict', 'Somebody has resolved this event already.');
  ctx.audit({
    resource: 'security_event',
    resourceId: id,
    tenantId: event.tenantId,
    details: { type: event.type, resolution },
  });
  return orNotFound(await ctx.sql.one<SecurityEventView>(queries.securityEventById(id)), 'security event');
}
