import type { z } from 'zod';
import { PersonKind, type UserStatus } from '../generated/prisma/enums.ts';
import type { ReadContext, Reader } from '../types/context.ts';
import { cacheKey, type CacheKey } from '../utils/cache-key.ts';
import { orNotFound } from '../utils/errors.ts';
import { dayInIndia } from '../utils/india-time.ts';
import type { tenantAnalytics } from '../validators/tenant-analytics.validator.ts';
import { cached } from './cache.service.ts';
import * as queries from './tenant-analytics.queries.ts';
import { tenantExists } from './tenants.queries.ts';

type Analytics = z.output<typeof tenantAnalytics>;

/** Where the figures of a tenant are kept on a day. */
export const analyticsKey = (tenantId: string, moment: Date): CacheKey =>
  cacheKey.analytics(tenantId, { date: dayInIndia(moment), of: 'tenant' });

/**
 * The figures of a tenant: counted at most an hour ago, and after every change of its people and libraries
 * (`cache-after-writes.policy.ts`). Whoever asks was found to see the tenant before they are looked for.
 * @throws AppError not_found, also for a tenant outside the scope
 */
export async function getTenantAnalytics(ctx: ReadContext, tenantId: string): Promise<Analytics> {
  orNotFound(await ctx.sql.one(tenantExists(tenantId)), 'tenant');
  return cached(ctx, analyticsKey(tenantId, ctx.now), (sql) => count(sql, tenantId));
}

/** All in one round trip. */
async function count(sql: Reader, tenantId: string): Promise<Analytics> {
  const now = new Date();
  const [people, growth, courses, libraries, [seats]] = await sql.batch<
    [queries.PeopleRow[], queries.GrowthRow[], queries.CourseRow[], queries.LibraryRow[], queries.SeatsRow[]]
  >(
    queries.peopleByKindAndStatus(tenantId, now),
    queries.growthByMonth(tenantId, now),
    queries.studentsByCourse(tenantId),
    queries.librariesWithStudents(tenantId),
    queries.seatsAndStudents(tenantId),
  );
  if (!seats) throw new Error('Counting seats gave no row');
  return {
    asOf: now.toISOString(),
    people: {
      total: sum(people.map((row) => row.people)),
      byKind: byKind(people),
      activeLast7Days: sum(people.map((row) => row.active7)),
      activeLast30Days: sum(people.map((row) => row.active30)),
    },
    growth,
    courses: {
      top: courses.flatMap(({ course, students }) => (course === null ? [] : [{ course, students }])),
      others: sum(courses.flatMap(({ students, others }) => (others ? [students] : []))),
      unknown: sum(courses.flatMap(({ course, students, others }) => (course === null && !others ? [students] : []))),
    },
    libraries,
    seats,
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/** Every kind and status, also those of which there is nobody. */
function byKind(rows: readonly queries.PeopleRow[]): Analytics['people']['byKind'] {
  const ofKind = (kind: PersonKind) => {
    const own = rows.filter((row) => row.kind === kind);
    const of = (status: UserStatus) => sum(own.filter((row) => row.status === status).map((row) => row.people));
    const total = sum(own.map((row) => row.people));
    return {
      total,
      ACTIVE: of('ACTIVE'),
      INACTIVE: of('INACTIVE'),
      SUSPENDED: of('SUSPENDED'),
      PENDING: of('PENDING'),
    };
  };
  const { OWNER, STAFF, STUDENT, PARENT } = PersonKind;
  return { OWNER: ofKind(OWNER), STAFF: ofKind(STAFF), STUDENT: ofKind(STUDENT), PARENT: ofKind(PARENT) };
}
