import type { DunningClose } from '../generated/prisma/enums.ts';
import type { WriteContext } from '../types/context.ts';
import { sql } from '../utils/sql.ts';
import { moveTenant } from './tenant-status.service.ts';

type OpenRun = { id: string; tenantId: string };

/**
 * Ends the dunning of an invoice, if there is any, in the transaction of what ends it (rule 25). A tenant that this run has
 * suspended is open again.
 */
export async function closeDunningOf(ctx: WriteContext, invoiceId: string, reason: DunningClose): Promise<void> {
  const run = await ctx.sql.one<OpenRun>(sql`
    select id, tenant_id as "tenantId" from dunning_runs where invoice_id = ${invoiceId} and status = 'ACTIVE' for update`);
  if (run) await closeRun(ctx, run, reason);
}

/** Ends the dunning of all invoices of a subscription that has ended. */
export async function closeDunningOfSubscription(ctx: WriteContext, subscriptionId: string): Promise<void> {
  const runs = await ctx.sql.many<OpenRun>(sql`
    select id, tenant_id as "tenantId" from dunning_runs
     where subscription_id = ${subscriptionId} and status = 'ACTIVE' order by id for update`);
  for (const run of runs) await closeRun(ctx, run, 'CANCELLED');
}

/** Ends a run that is open. It is locked by the caller. */
export async function closeRun(ctx: WriteContext, { id, tenantId }: OpenRun, closeReason: DunningClose): Promise<void> {
  await ctx.db.dunningRun.update({
    where: { id },
    data: { status: 'CLOSED', closeReason, closedAt: ctx.now, nextOn: null },
    select: { id: true },
  });
  ctx.audit({
    action: 'revenue.dunning_step',
    resource: 'dunning_run',
    resourceId: id,
    tenantId,
    details: { closed: closeReason },
  });
  if (closeReason === 'PAID' || closeReason === 'SETTLED') await reopenTenant(ctx, tenantId, id);
}

/** Only what dunning itself has shut is opened by paying: not what somebody has suspended for another reason. */
async function reopenTenant(ctx: WriteContext, tenantId: string, runId: string): Promise<void> {
  const freed = await ctx.db.billingAccount.updateMany({
    where: { tenantId, suspendedByRunId: runId },
    data: { suspendedByRunId: null },
  });
  if (freed.count === 0) return;
  const tenant = await ctx.sql.one<{ status: string; by: string | null }>(sql`
    select t.status, (select reason from tenant_transitions where tenant_id = t.id order by created_at desc, id desc limit 1) as by
      from tenants t where t.id = ${tenantId}`);
  if (tenant?.status !== 'SUSPENDED' || !tenant.by?.startsWith(DUNNING_REASON)) return;
  await moveTenant(ctx, tenantId, () => 'ACTIVE', 'The overdue invoice is paid', { action: 'tenants.activate' });
}

/** What the reason of a suspension by dunning begins with. */
export const DUNNING_REASON = 'Unpaid invoice';
