import type { BillingCycle, PlanStatus } from '../generated/prisma/enums.ts';
import type { ReadContext } from '../types/context.ts';
import { AppError, orNotFound } from '../utils/errors.ts';
import { sql, type Sql } from '../utils/sql.ts';
import type { SubscriptionRow } from './subscription-row.queries.ts';

/** A version of a plan, as far as a subscription takes it over. Prices are rupees without tax, as text. */
export type Offer = {
  planId: string;
  planName: string;
  planVersionId: string;
  planVersionNumber: number;
  monthlyPrice: string;
  annualPrice: string;
  sacCode: string;
  limits: SubscriptionRow['limits'];
  trialDays: number;
};

const offerColumns = sql`
  p.id as "planId", p.name as "planName", v.id as "planVersionId", v.number as "planVersionNumber",
  v.monthly_price::text as "monthlyPrice", v.annual_price::text as "annualPrice", v.sac_code as "sacCode", v.limits,
  v.trial_days as "trialDays"`;

const currentOffer = (planId: string): Sql => sql`
  select ${offerColumns}, p.status from subscription_plans p
    join subscription_plan_versions v on v.plan_id = p.id and v.number = p.current_number
   where p.id = ${planId}`;

const pinnedOffer = (planVersionId: string): Sql => sql`
  select ${offerColumns} from subscription_plan_versions v join subscription_plans p on p.id = v.plan_id
   where v.id = ${planVersionId}`;

/**
 * What a plan is offered at now.
 * @throws AppError not_found; conflict for a plan that nobody new gets
 */
export async function offerOf(ctx: Pick<ReadContext, 'sql'>, planId: string): Promise<Offer> {
  const found = orNotFound(await ctx.sql.one<Offer & { status: PlanStatus }>(currentOffer(planId)), 'plan');
  const { status, ...offer } = found;
  if (status === 'ARCHIVED') {
    throw new AppError(
      'conflict',
      `${offer.planName} is archived: only those who have it keep it. Choose another plan.`,
    );
  }
  return offer;
}

/** A version as it was agreed on, also of a plan that was archived since. @throws AppError not_found */
export const pinnedOfferOf = async (ctx: Pick<ReadContext, 'sql'>, planVersionId: string): Promise<Offer> =>
  orNotFound(await ctx.sql.one<Offer>(pinnedOffer(planVersionId)), 'plan version');

/** The subscription as it would be on another plan or cycle. */
export const onOffer = (row: SubscriptionRow, offer: Offer, billingCycle: BillingCycle): SubscriptionRow => {
  const { trialDays: _, ...taken } = offer;
  return { ...row, ...taken, billingCycle };
};

/** What of the row changes with that. */
export const offerColumnsOf = ({ planId, planVersionId }: Offer, billingCycle: BillingCycle) => ({
  planId,
  planVersionId,
  billingCycle,
});
