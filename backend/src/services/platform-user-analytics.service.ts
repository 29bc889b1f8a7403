import type { z } from 'zod';
import type { Reader, ReadContext } from '../types/context.ts';
import { cacheKey, PLATFORM_SPACE } from '../utils/cache-key.ts';
import { orNotFound } from '../utils/errors.ts';
import { dayInIndia } from '../utils/india-time.ts';
import type { peopleAnalytics } from '../validators/platform-users-extras.validator.ts';
import { cached } from './cache.service.ts';
import { minorsBornAfter } from './minor.policy.ts';
import { peopleCounts, peopleGrowth, tenantExists } from './platform-user-analytics.queries.ts';

type Analytics = z.input<typeof peopleAnalytics> & { countedAt: string };
type Counts = Omit<Analytics, 'growth' | 'countedAt'>;

/**
 * The figures of the people of a space, at most an hour old; nobody who has left.
 * @param tenantId for portal admins: this tenant alone
 * @throws AppError not_found for a tenant that is not there, or not the caller's own
 */
export async function getPeopleAnalytics(ctx: ReadContext, tenantId?: string): Promise<Analytics> {
  if (tenantId !== undefined && tenantId !== ctx.tenantId) await assertMaySee(ctx, tenantId);
  const whose = tenantId ?? ctx.tenantId;
  const key = cacheKey.analytics(whose ?? PLATFORM_SPACE, { date: dayInIndia(ctx.now), of: 'people' });
  return cached(ctx, key, (sql) => countPeople(sql, whose, ctx.now));
}

/** What is kept in the cache asks nobody who they are: it is asked before. */
async function assertMaySee(ctx: ReadContext, tenantId: string): Promise<void> {
  orNotFound(ctx.tenantId === null ? await ctx.sql.one(tenantExists(tenantId)) : null, 'tenant');
}

/** Everything in one round trip. @param whose null: of all tenants */
async function countPeople(sql: Reader, whose: string | null, now: Date): Promise<Analytics> {
  const viewpoint = { tenantId: whose, bornAfter: minorsBornAfter(now) };
  const [[found], growth] = await sql.batch<[Counts[], Analytics['growth']]>(
    peopleCounts(viewpoint, now),
    peopleGrowth(whose, now),
  );
  const { topTenants, ...counts } = orNotFound(found, 'count of people');
  return { ...counts, topTenants: whose ? null : topTenants, growth, countedAt: now.toISOString() };
}
