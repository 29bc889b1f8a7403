import { clockNow, clockOffset, setClockOffset } from '../config/clock.ts';
import { environment } from '../config/environment.ts';
import type { Actor, ManualContext } from '../types/context.ts';
import { AppError, invalidField } from '../utils/errors.ts';

/** What runs by the calendar, and is due when the clock is set ahead. */
const CALENDAR_JOBS = ['invoice.billing-run', 'invoice.collection-run', 'dunning.run'] as const;

export const getClock = () => ({ now: clockNow().toISOString(), offsetSeconds: Math.round(clockOffset() / 1000) });

/**
 * Sets the clock ahead for all processes, and has what is due by then done. It never goes back: what was written down in
 * the meantime would lie in the future.
 * @throws AppError validation_failed for a moment that lies behind
 */
export async function advanceClock(
  ctx: ManualContext<Actor>,
  by: { seconds?: number | undefined; to?: Date | undefined },
): Promise<{ now: string; offsetSeconds: number }> {
  if (environment().NODE_ENV === 'production') throw new AppError('not_found', 'There is no such clock.');
  const seconds = by.to ? Math.ceil((by.to.getTime() - clockNow().getTime()) / 1000) : (by.seconds ?? 0);
  if (seconds <= 0) throw invalidField('to', 'must lie ahead of the clock: it never goes back');
  const offsetSeconds = Math.round(clockOffset() / 1000) + seconds;
  await ctx.transact(async (tx) => {
    await tx.db.testClock.upsert({ where: { id: 1 }, create: { id: 1, offsetSeconds }, update: { offsetSeconds } });
    for (const job of CALENDAR_JOBS) tx.enqueue(job, {}, { tenantId: null });
    tx.audit({ resource: 'clock', resourceId: null, details: { seconds, offsetSeconds, jobs: CALENDAR_JOBS } });
  });
  setClockOffset(offsetSeconds * 1000);
  return getClock();
}
