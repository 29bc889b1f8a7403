import type { DunningConsequence } from '../generated/prisma/enums.ts';
import type { WriteContext } from '../types/context.ts';
import { sql } from '../utils/sql.ts';
import { lockBillingAccount } from './billing-account.service.ts';
import { DUNNING_REASON } from './dunning-close.service.ts';
import type { RunRow } from './dunning-run.queries.ts';
import type { LockedInvoice } from './invoice-settlement.service.ts';
import { endSessions } from './sessions.service.ts';
import { cancelSubscription } from './subscription-cancel.service.ts';
import { moveTenant } from './tenant-status.service.ts';

/** What a rung of the ladder does, beside telling people. @returns why nothing was done, if nothing was */
export async function carryOut(
  ctx: WriteContext,
  consequence: DunningConsequence,
  run: RunRow,
  invoice: LockedInvoice,
): Promise<string | null> {
  const reason = `${DUNNING_REASON} ${invoice.number ?? ''}`.trim();
  if (consequence === 'BLOCK') return suspend(ctx, run, reason);
  if (consequence === 'CANCEL') return cancel(ctx, run, reason);
  return null;
}

async function suspend(ctx: WriteContext, { id, tenantId }: RunRow, reason: string): Promise<string | null> {
  const tenant = await ctx.sql.one<{ status: string }>(sql`select status from tenants where id = ${tenantId}`);
  if (tenant?.status !== 'ACTIVE' && tenant?.status !== 'TRIAL') return `The tenant is ${tenant?.status ?? 'gone'}`;
  await moveTenant(ctx, tenantId, () => 'SUSPENDED', reason, { action: 'tenants.suspend' });
  await endSessions(ctx, { tenantId }, 'TENANT_SUSPENDED');
  await lockBillingAccount(ctx, tenantId);
  await ctx.db.billingAccount.update({ where: { tenantId }, data: { suspendedByRunId: id } });
  return null;
}

async function cancel(ctx: WriteContext, { subscriptionId }: RunRow, reason: string): Promise<string | null> {
  if (!subscriptionId) return 'The invoice is of no subscription';
  const live = await ctx.sql.one(
    sql`select 1 from subscriptions where id = ${subscriptionId} and status not in ('CANCELLED', 'EXPIRED')`,
  );
  if (!live) return 'The subscription has ended before';
  await cancelSubscription(ctx, subscriptionId, { at: 'NOW', reason });
  return null;
}
