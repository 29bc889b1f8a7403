import type { JobContext } from '../queues/job-context.ts';
import type { ReadContext, WriteContext } from '../types/context.ts';
import { anchorMonth, dropMonth, ensureMonth, monthNames, oldestMonth } from './audit-anchors.queries.ts';
import { setSetting, settingOf } from './settings.service.ts';

const MONTHS_AHEAD = 3;

type Month = { month: string };

export async function getRetention(ctx: Pick<ReadContext, 'sql' | 'tenantId' | 'log'>) {
  const months = await settingOf(ctx, 'audit.retention_months');
  const oldest = await ctx.sql.one<{ month: string | null }>(oldestMonth());
  return { months, oldestMonth: oldest?.month?.slice(0, 7) ?? null };
}

/** The rows that are too old by the new value go in the following night. */
export async function updateRetention(ctx: WriteContext, { months }: { months: number }) {
  await setSetting(ctx, 'audit.retention_months', months, { tenantId: null });
  return getRetention(ctx);
}

/** The first day of a month, so many after the one of `moment`, in UTC. */
export const monthAfter = (moment: Date, months: number): string =>
  new Date(Date.UTC(moment.getUTCFullYear(), moment.getUTCMonth() + months, 1)).toISOString().slice(0, 10);

/** Makes the months that are to come, and one for the oldest rows where they have none. @returns those that were made */
export async function ensureAuditMonths(ctx: JobContext): Promise<string[]> {
  const wanted = Array.from({ length: MONTHS_AHEAD + 1 }, (_, ahead) => monthAfter(ctx.now, ahead));
  const oldest = await ctx.sql.one<{ month: string | null }>(oldestMonth());
  if (oldest?.month && oldest.month < (wanted[0] as string)) wanted.unshift(oldest.month);
  const made: string[] = [];
  for (const month of wanted) {
    ctx.job.signal.throwIfAborted();
    const [done] = await ctx.transact(({ sql }) => sql.many<{ made: boolean }>(ensureMonth(month)));
    if (done?.made) made.push(month);
  }
  return made;
}

/**
 * Drops the months that are older than the trail is kept, oldest first: each is anchored, then goes as a whole. Safe to
 * repeat, also after it died between the two.
 */
export async function dropExpiredMonths(ctx: JobContext): Promise<{ month: string; rows: number }[]> {
  const keep = await settingOf(ctx, 'audit.retention_months');
  const firstKept = monthAfter(ctx.now, -keep);
  const months = await ctx.sql.many<Month>(monthNames());
  const dropped: { month: string; rows: number }[] = [];
  for (const { month } of months.filter((one) => one.month < firstKept)) {
    ctx.job.signal.throwIfAborted();
    const chains = await ctx.transact(({ db }) => db.$executeRaw(anchorMonth(month)));
    const rows = await ctx.transact(async ({ sql, audit }) => {
      const gone = await sql.one<{ rows: number }>(dropMonth(month));
      const details = { month: month.slice(0, 7), rows: gone?.rows ?? 0, chains };
      audit({
        action: 'audit.drop_month',
        resource: 'audit_month',
        resourceId: details.month,
        tenantId: null,
        details,
      });
      return details.rows;
    });
    dropped.push({ month: month.slice(0, 7), rows });
  }
  return dropped;
}
