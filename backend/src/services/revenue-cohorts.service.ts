import type { z } from 'zod';
import type { ReadContext } from '../types/context.ts';
import { monthOf } from '../utils/india-day.ts';
import { dayInIndia } from '../utils/india-time.ts';
import { rupees, ZERO } from '../utils/money.ts';
import type * as v from '../validators/revenue-metrics.validator.ts';
import { keptFigures } from './revenue-kept-figures.service.ts';
import { cohortSteps, type CohortRow } from './revenue-metrics.queries.ts';
import { monthPeriod, monthsAfter, monthsBetween } from './revenue-periods.policy.ts';
import { share } from './revenue-rates.policy.ts';

type Cohorts = z.output<typeof v.revenueCohorts>;

/**
 * Tenants by the month in which they first brought something, and what was left of them and of their MRR at the end of
 * that month and of each one after it (rule 28). The month that goes on is told as far as it has come.
 */
export async function getCohorts(ctx: ReadContext, query: z.output<typeof v.cohortsQuery>): Promise<Cohorts> {
  const { months, refresh } = query;
  return keptFigures(ctx, { of: `cohorts:${months}`, refresh }, async (sql) => {
    const today = dayInIndia(ctx.now);
    const thisMonth = monthOf(today);
    const first = monthsAfter(thisMonth, 1 - months);
    const rows = await sql.many<CohortRow>(cohortSteps(`${first}-01`, today));
    const cohorts = monthsBetween(first, thisMonth).map((cohort) =>
      cohortOf(
        cohort,
        rows.filter((row) => row.cohort === cohort),
        today,
      ),
    );
    return { asOf: ctx.now.toISOString(), cohorts };
  });
}

function cohortOf(cohort: string, rows: readonly CohortRow[], today: string): Cohorts['cohorts'][number] {
  const began = rows[0]?.began ?? 0;
  const beganWith = rows[0]?.beganWith ?? rupees(0);
  let [tenants, mrr] = [0, ZERO];
  const months = monthsBetween(cohort, monthOf(today)).map((month, after) => {
    const step = rows.find((row) => row.month === month);
    tenants += step?.tenants ?? 0;
    mrr = mrr.plus(step?.mrr ?? 0);
    return {
      after,
      month,
      complete: monthPeriod(month, today).complete,
      tenants,
      tenantShare: share(tenants, began),
      mrr: rupees(mrr),
      mrrShare: share(mrr, beganWith),
    };
  });
  return { cohort, complete: monthPeriod(cohort, today).complete, tenants: began, mrr: beganWith, months };
}
