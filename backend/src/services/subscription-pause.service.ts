import type { WriteContext } from '../types/context.ts';
import { AppError, invalidField } from '../utils/errors.ts';
import { dateColumn } from '../utils/india-day.ts';
import { dayInIndia } from '../utils/india-time.ts';
import { changeSubscription } from './subscription-history.service.ts';
import { upToDateSubscription } from './subscription-renewal.service.ts';
import { resumePaused } from './subscription-resumption.service.ts';
import type { SubscriptionRow } from './subscription-row.queries.ts';
import { assertSubscriptionTransition } from './subscription-status.policy.ts';

/**
 * Stops a subscription for a while, from today: it brings nothing (its MRR goes as churn, and comes back as reactivation),
 * and its period does not go on.
 * @param resumeOn a day in India; without one somebody resumes it
 * @throws AppError not_found; invalid_transition unless it is ACTIVE; conflict where it is to end with its period
 */
export async function pauseSubscription(
  ctx: WriteContext,
  id: string,
  { resumeOn, reason }: { resumeOn?: string | undefined; reason?: string | undefined },
): Promise<SubscriptionRow> {
  const row = await upToDateSubscription(ctx, id);
  const today = dayInIndia(ctx.now);
  assertSubscriptionTransition(row.status, 'PAUSED');
  if (row.cancelAtPeriodEnd) {
    const told = `The subscription ends on ${row.currentPeriodEnd}. Call that off first: POST /api/subscriptions/:id/uncancel.`;
    throw new AppError('conflict', told);
  }
  if (resumeOn !== undefined && resumeOn <= today) throw invalidField('resumeOn', 'must lie after today');
  const until = resumeOn === undefined ? null : dateColumn(resumeOn);
  return changeSubscription(
    ctx,
    row,
    { status: 'PAUSED', pausedOn: dateColumn(today), resumeOn: until, nextEventOn: until },
    { type: 'PAUSED', effectiveOn: today, reason: reason ?? null, details: { resumeOn: resumeOn ?? null } },
  );
}

/** Goes on with it from today. @throws AppError not_found; conflict where it is not paused */
export async function resumeSubscription(ctx: WriteContext, id: string): Promise<SubscriptionRow> {
  const row = await upToDateSubscription(ctx, id);
  if (row.status !== 'PAUSED') throw new AppError('conflict', `The subscription is ${row.status}, not paused.`);
  return resumePaused(ctx, row, dayInIndia(ctx.now));
}
