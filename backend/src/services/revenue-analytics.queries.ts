import { sql, type Sql } from '../utils/sql.ts';

export type PlanFigures = {
  planId: string;
  name: string;
  openingMrr: string;
  closingMrr: string;
  newSubscriptions: number;
  lostSubscriptions: number;
};

/**
 * What each plan brought before a range of days and at its end, and the subscriptions that it won and lost in between. A
 * change takes from one plan what it was before and gives to the other what it is after, also where both are the same.
 */
export const plansOver = ({ from, to }: { from: string; to: string }, most: number): Sql => sql`
  with changes as (
    select c.effective_on, c.movement, c.from_plan_version_id, c.to_plan_version_id, c.mrr_before, c.mrr_after
      from subscription_changes c where c.movement is not null and c.effective_on <= ${to}::date
    union all
    select c.effective_on, c.movement, c.from_plan_version_id, c.to_plan_version_id, c.mrr_before, c.mrr_after
      from subscription_changes c
     where c.movement is null and c.from_plan_version_id <> c.to_plan_version_id and c.effective_on <= ${to}::date
  ), parts as (
    select coalesce(from_plan_version_id, to_plan_version_id) as version, effective_on, -mrr_before as amount,
           0 as won, (movement = 'CHURN')::int as lost from changes
    union all
    select to_plan_version_id, effective_on, mrr_after, (movement in ('NEW', 'REACTIVATION'))::int, 0 from changes
  ), plans as (
    select v.plan_id, coalesce(sum(p.amount) filter (where p.effective_on < ${from}::date), 0) as opening,
           sum(p.amount) as closing, coalesce(sum(p.won) filter (where p.effective_on >= ${from}::date), 0)::int as won,
           coalesce(sum(p.lost) filter (where p.effective_on >= ${from}::date), 0)::int as lost
      from parts p join subscription_plan_versions v on v.id = p.version group by v.plan_id
  )
  select s.id as "planId", s.name, p.opening::numeric(14, 2)::text as "openingMrr",
         p.closing::text as "closingMrr",
         p.won as "newSubscriptions", p.lost as "lostSubscriptions"
    from plans p join subscription_plans s on s.id = p.plan_id
   where p.opening <> 0 or p.closing <> 0 or p.won > 0 or p.lost > 0
   order by p.closing desc, p.won desc, s.id limit ${most}`;
