import type { WriteContext } from '../types/context.ts';
import { dayInIndia } from '../utils/india-time.ts';
import { sql } from '../utils/sql.ts';
import { changeSubscription, lockedSubscription } from './subscription-history.service.ts';

/** A subscription is past due as long as dunning is at one of its invoices. */
export async function recoverSubscription(ctx: WriteContext, id: string): Promise<void> {
  const isPastDue = await ctx.sql.one(sql`select 1 from subscriptions where id = ${id} and status = 'PAST_DUE'`);
  if (!isPastDue) return;
  const subscription = await lockedSubscription(ctx, id);
  const owing = await ctx.sql.one(sql`
    select 1 from dunning_runs where subscription_id = ${id} and status = 'ACTIVE' limit 1`);
  if (subscription.status !== 'PAST_DUE' || owing) return;
  await changeSubscription(
    ctx,
    subscription,
    { status: 'ACTIVE' },
    { type: 'RECOVERED', effectiveOn: dayInIndia(ctx.now) },
  );
}

/** Dunning has begun for an invoice of the subscription. */
export async function markPastDue(ctx: WriteContext, id: string): Promise<void> {
  const subscription = await lockedSubscription(ctx, id);
  if (subscription.status !== 'ACTIVE') return;
  await changeSubscription(
    ctx,
    subscription,
    { status: 'PAST_DUE' },
    { type: 'PAST_DUE', effectiveOn: dayInIndia(ctx.now) },
  );
}
