import { clockNow } from '../config/clock.ts';
import type { TenantStatus } from '../generated/prisma/enums.ts';
import type { AuditEntry, WriteContext } from '../types/context.ts';
import { AppError, orNotFound } from '../utils/errors.ts';
import { sql } from '../utils/sql.ts';
import { forgetTenant } from './cache.service.ts';
import { assertTransition } from './tenant-status.policy.ts';
import { lockTenant } from './tenants.queries.ts';

export type LockedTenant = { id: string; status: TenantStatus; trialEndsAt: Date | null; version: number };

/** The tenant, which nobody else changes until the end of the transaction. @throws AppError not_found */
export const lockedTenant = async (ctx: WriteContext, id: string): Promise<LockedTenant> =>
  orNotFound(await ctx.sql.one<LockedTenant>(lockTenant(id)), 'tenant');

/**
 * Moves a tenant by the table of transitions, and writes down who did it and why (rule 11). The row is locked first: of
 * two changes at once the second sees what the first has done.
 * @param next where to, given what it is
 * @param audited what the audit row says besides; its action where it is not the declared one
 * @throws AppError not_found, invalid_transition
 */
export async function moveTenant(
  ctx: WriteContext,
  id: string,
  next: (tenant: LockedTenant) => TenantStatus | Promise<TenantStatus>,
  reason?: string,
  audited: Pick<AuditEntry, 'action'> & { details?: Record<string, unknown> } = {},
): Promise<void> {
  const tenant = await lockedTenant(ctx, id);
  const status = await next(tenant);
  assertTransition(tenant.status, status);
  await ctx.db.tenant.update({ where: { id }, data: { status, version: { increment: 1 } } });
  forgetTenant(ctx, id);
  // Now, and not when the request began: the history is in the order in which changes got the lock.
  await recordTransition(ctx, id, { from: tenant.status, to: status, reason, createdAt: clockNow() });
  const details = { ...audited.details, ...(reason && { reason }) };
  ctx.audit({
    ...(audited.action && { action: audited.action }),
    resource: 'tenant',
    resourceId: id,
    tenantId: id,
    before: { status: tenant.status },
    after: { status },
    ...(Object.keys(details).length > 0 && { details }),
  });
}

type Transition = { from: TenantStatus | null; to: TenantStatus; reason?: string | undefined; createdAt: Date };

/** One row of the history; without an actor the system did it. */
export async function recordTransition(ctx: WriteContext, tenantId: string, transition: Transition): Promise<void> {
  const actor = { actorId: ctx.actor?.id ?? null, actorName: ctx.actor?.name ?? null };
  await ctx.db.tenantTransition.create({ data: { tenantId, ...transition, ...actor } });
}

/**
 * A tenant that is on its way out gets back by calling that off alone: anything else would leave its purge behind.
 * @throws AppError invalid_transition
 */
export async function assertNotLeaving(ctx: WriteContext, { id, status }: LockedTenant): Promise<void> {
  if (status !== 'OFFBOARDING') return;
  const open = await ctx.sql.one(
    sql`select id from offboardings where tenant_id = ${id} and cancelled_at is null and purged_at is null`,
  );
  if (!open) return;
  throw new AppError(
    'invalid_transition',
    'The tenant is being off-boarded. Call that off first: POST /api/tenants/:id/offboard/cancel.',
    { from: status },
  );
}
