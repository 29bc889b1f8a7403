import type { ReadContext, Reader } from '../types/context.ts';
import { cacheKey, PLATFORM_SPACE } from '../utils/cache-key.ts';
import { invalidField, type AppError } from '../utils/errors.ts';
import { dayInIndia } from '../utils/india-time.ts';
import { monthOf } from '../utils/india-day.ts';
import { cached, forgetNow, type Cacheable } from './cache.service.ts';
import { assertOutsideTenants } from './platform-space.policy.ts';
import { monthsAfter, monthsApart, monthsBetween } from './revenue-periods.policy.ts';

/** Figures go back this far at most, in months. */
export const MOST_MONTHS = 36;
const USUAL_MONTHS = 12;

type Wanted = {
  /** Which figures, and of what. */
  of: string;
  /** Computes them anew, whatever is kept. */
  refresh?: boolean | undefined;
};

/**
 * Figures of the whole business, computed at most an hour ago: everything that is billed changes them, so that they are
 * not forgotten at every change but say `asOf`, and are computed anew for who asks for it (ADR 11).
 * @param load gets a reader that sees every tenant
 * @throws AppError tenant_mismatch for an admin who has narrowed themselves to a tenant
 */
export async function keptFigures<Value extends Cacheable>(
  ctx: ReadContext,
  { of, refresh }: Wanted,
  load: (sql: Reader) => Promise<Value>,
): Promise<Value> {
  assertOutsideTenants(ctx);
  const key = cacheKey.analytics(PLATFORM_SPACE, { date: dayInIndia(ctx.now), of: `revenue-${of}` });
  if (refresh) await forgetNow(key);
  return cached(ctx, key, load);
}

/** What is wrong with a parameter that had the right shape. */
export const invalidQuery = (field: string, message: string): AppError =>
  invalidField(field, message, `The query is not valid: ${field} ${message}`, 'query');

/**
 * The months that are asked for: the last twelve, unless said otherwise. `YYYY-MM`, both ends included.
 * @throws AppError validation_failed for months to come, none at all, or too many
 */
export function askedMonths(now: Date, asked: { from?: string | undefined; to?: string | undefined }): string[] {
  const thisMonth = monthOf(dayInIndia(now));
  const to = asked.to ?? thisMonth;
  const from = asked.from ?? monthsAfter(to, 1 - USUAL_MONTHS);
  if (to > thisMonth) throw invalidQuery('to', 'must not lie in the future');
  if (from > to) throw invalidQuery('from', 'must not come after `to`');
  if (monthsApart(from, to) >= MOST_MONTHS) {
    throw invalidQuery('from', `must leave ${MOST_MONTHS} months at most`);
  }
  return monthsBetween(from, to);
}
