import type { WriteContext } from '../types/context.ts';
import { dateColumn } from '../utils/india-day.ts';
import { newId } from '../utils/ids.ts';
import { decimal } from '../utils/money.ts';
import { sql } from '../utils/sql.ts';
import { nextDayOf, type DunningPlan } from './dunning-schedule.policy.ts';
import type { LockedInvoice } from './invoice-settlement.service.ts';
import { markPastDue } from './subscription-recovery.service.ts';

type CampaignRow = { id: string; attemptGaps: number[]; steps: DunningPlan['steps']; minimumAmount: string };

/** The tenant's own campaign, else the default one. */
const campaignOf = (tenantId: string) => sql`
  select c.id, c.attempt_gaps as "attemptGaps", c.steps, c.minimum_amount::text as "minimumAmount"
    from dunning_campaigns c
   where c.status = 'ACTIVE'
     and (c.is_default or c.id = (select a.dunning_campaign_id from billing_accounts a where a.tenant_id = ${tenantId}))
   order by c.is_default limit 1`;

export type DunningBegin = {
  /** The day in India that the days are counted from. */
  failedOn: string;
  /** The payment method will never work: there are no attempts. */
  hardDeclined: boolean;
  /** It is paid by transfer or link: nothing is charged by itself. */
  withoutAttempts?: boolean;
};

/**
 * Begins to dun for an invoice that could not be collected or is overdue, unless that is under way, or less is due than the
 * campaign bothers about (rule 25: thresholds count what is still due). The invoice is locked by the caller.
 * @returns the id of the run, if there is a new one
 */
export async function startDunning(
  ctx: WriteContext,
  invoice: Pick<LockedInvoice, 'id' | 'tenantId' | 'subscriptionId' | 'amountDue' | 'status'>,
  { failedOn, hardDeclined, withoutAttempts = false }: DunningBegin,
): Promise<string | null> {
  const { tenantId } = invoice;
  if (invoice.status !== 'OPEN') return null;
  const open = await ctx.sql.one(
    sql`select 1 from dunning_runs where invoice_id = ${invoice.id} and status = 'ACTIVE'`,
  );
  if (open) return null;
  const campaign = await ctx.sql.one<CampaignRow>(campaignOf(tenantId));
  if (!campaign || decimal(invoice.amountDue).lt(campaign.minimumAmount)) return null;
  const { steps, minimumAmount } = campaign;
  const plan = { attemptGaps: withoutAttempts ? [] : campaign.attemptGaps, steps, minimumAmount };
  const isToldNow = !hardDeclined && plan.attemptGaps.length > 0;
  const noticeFor = isToldNow ? 1 : 0;
  const progress = { startedOn: failedOn, plan, hardDeclined, attemptsMade: 0, stepsTaken: 0, noticeFor };
  const nextOn = nextDayOf(progress);
  const id = newId();
  await ctx.db.dunningRun.create({
    data: {
      id,
      tenantId,
      invoiceId: invoice.id,
      subscriptionId: invoice.subscriptionId,
      campaignId: campaign.id,
      plan: JSON.parse(JSON.stringify(plan)) as object,
      startedOn: dateColumn(failedOn),
      nextOn: nextOn ? dateColumn(nextOn) : null,
      hardDeclined,
      noticeFor,
      noticeAt: isToldNow ? ctx.now : null,
      createdAt: ctx.now,
    },
    select: { id: true },
  });
  if (isToldNow) {
    ctx.enqueue('email.debit-notice', { invoiceId: invoice.id }, { tenantId, dedupeKey: `debit-notice-${id}-1` });
  }
  ctx.audit({
    action: 'revenue.dunning_step',
    resource: 'dunning_run',
    resourceId: id,
    tenantId,
    details: { invoiceId: invoice.id, failedOn, hardDeclined },
  });
  if (invoice.subscriptionId) await markPastDue(ctx, invoice.subscriptionId);
  return id;
}
