import type { TenantStatus } from '../generated/prisma/enums.ts';
import type { WriteContext } from '../types/context.ts';
import { moveTenant, type LockedTenant } from './tenant-status.service.ts';
import { lockTenant } from './tenants.queries.ts';

// What a subscription means for the tenant itself. One that is suspended or on its way out stays that: others decide it.

/** A tenant whose subscription has begun is a customer. @param from which of those that are none it may be */
export const openTenant = (
  ctx: WriteContext,
  tenantId: string,
  reason: string,
  from: TenantStatus[] = ['TRIAL', 'INACTIVE'],
): Promise<void> => move(ctx, tenantId, { from, to: 'ACTIVE', reason });

/** A tenant whose subscription has ended is none any more: its people are shut out of everything but paying and export. */
export const closeTenant = (ctx: WriteContext, tenantId: string, reason: string): Promise<void> =>
  move(ctx, tenantId, { from: ['TRIAL', 'ACTIVE'], to: 'INACTIVE', reason });

async function move(
  ctx: WriteContext,
  tenantId: string,
  { from, to, reason }: { from: TenantStatus[]; to: 'ACTIVE' | 'INACTIVE'; reason: string },
): Promise<void> {
  // Of one that was purged there is nothing left to move.
  const tenant = await ctx.sql.one<LockedTenant>(lockTenant(tenantId));
  if (!tenant || !from.includes(tenant.status)) return;
  const action = to === 'ACTIVE' ? 'tenants.activate' : 'subscriptions.event';
  await moveTenant(ctx, tenantId, () => to, reason, { action });
}
