import { sql, type Sql } from '../utils/sql.ts';
import type { Bucket } from './revenue-periods.policy.ts';

// What subscriptions bring, from their history (rule 28). A change counts from the day in India on which it takes
// effect; what the MRR was on a day is the sum of all changes up to it. Money is text, in rupees without tax.

const DELTA = sql`(c.mrr_after - c.mrr_before)`;

/** The first day of the bucket that a day lies in. @param day a column of type `date` */
export const bucketOf = (day: Sql, bucket: Bucket): Sql =>
  sql`to_char(date_trunc(${bucket}, ${day}::timestamp), 'YYYY-MM-DD')`;

/** What the MRR was at the end of the day before. */
export const mrrBefore = (day: string): Sql => sql`
  select coalesce(sum(${DELTA}), 0)::numeric(14, 2)::text as mrr
    from subscription_changes c where c.movement is not null and c.effective_on < ${day}::date`;

/** What each kind of movement came to, by bucket. */
export const movementsBy = (bucket: Bucket, { from, to }: { from: string; to: string }): Sql => sql`
  select ${bucketOf(sql`m.effective_on`, bucket)} as start, m.movement, sum(m.amount)::text as amount,
         sum(m.changes)::int as changes
    from (select c.effective_on, c.movement, sum(${DELTA}) as amount, count(*) as changes
            from subscription_changes c
           where c.movement is not null and c.effective_on >= ${from}::date and c.effective_on <= ${to}::date
           group by c.effective_on, c.movement) m
   group by 1, 2 order by 1, 2`;

/** What subscriptions bring as they stand, and of how many tenants. */
export const mrrNow = (): Sql => sql`
  select coalesce(sum(s.mrr), 0)::numeric(14, 2)::text as mrr, count(*)::int as paying from subscriptions s where s.mrr > 0`;

export type BalanceRow = {
  /** At the end of the last day: all tenants. */
  mrr: string;
  paying: number;
  startMrr: string;
  payingAtStart: number;
  churned: number;
  lost: string;
  moved: string;
};

/** What became, by the end of a day, of the tenants that paid at the end of an earlier one. */
export const balancesBetween = (start: string, end: string): Sql => sql`
  with balances as (
    select c.tenant_id, coalesce(sum(${DELTA}) filter (where c.effective_on <= ${start}::date), 0) as before,
           sum(${DELTA}) as after
      from subscription_changes c where c.movement is not null and c.effective_on <= ${end}::date group by c.tenant_id
  )
  select coalesce(sum(after), 0)::numeric(14, 2)::text as mrr, count(*) filter (where after > 0)::int as paying,
         coalesce(sum(before), 0)::numeric(14, 2)::text as "startMrr", count(*) filter (where before > 0)::int as "payingAtStart",
         count(*) filter (where before > 0 and after <= 0)::int as churned,
         coalesce(sum(greatest(before - after, 0)) filter (where before > 0), 0)::text as lost,
         coalesce(sum(after - before) filter (where before > 0), 0)::text as moved
    from balances`;

/** What changed for tenants, by month: every month up to a day in which something did. */
export const monthsOfTenants = (until: string): Sql => sql`
  with moves as (
    select c.tenant_id, date_trunc('month', c.effective_on::timestamp) as month, sum(${DELTA}) as moved
      from subscription_changes c where c.movement is not null and c.effective_on <= ${until}::date group by 1, 2
  ), steps as (
    select month, moved, sum(moved) over (partition by tenant_id order by month) - moved as before from moves
  )
  select to_char(month, 'YYYY-MM') as month, sum(moved)::text as moved,
         coalesce(sum(moved) filter (where before > 0), 0)::text as "movedOfPaying",
         coalesce(sum(greatest(-moved, 0)) filter (where before > 0), 0)::text as lost,
         count(*) filter (where before <= 0 and before + moved > 0)::int as won,
         count(*) filter (where before > 0 and before + moved <= 0)::int as churned
    from steps group by month order by month`;

export type CohortRow = {
  cohort: string;
  month: string;
  /** What the month changed: tenants that pay, and what they bring. */
  tenants: number;
  mrr: string;
  /** In the first month: how many began, and with what. */
  began: number;
  beganWith: string;
};

/**
 * Tenants by the month in which they first brought something, and what each month changed of them. Only months in
 * which something did are told.
 * @param since the first month of a cohort, as its first day
 */
export const cohortSteps = (since: string, until: string): Sql => sql`
  with firsts as (
    select distinct on (c.tenant_id) c.tenant_id, date_trunc('month', c.effective_on::timestamp) as cohort, c.mrr_after as mrr
      from subscription_changes c where c.movement = 'NEW' and c.effective_on <= ${until}::date
     order by c.tenant_id, c.effective_on
  ), moves as (
    select c.tenant_id, f.cohort, date_trunc('month', c.effective_on::timestamp) as month, sum(${DELTA}) as moved
      from firsts f join subscription_changes c on c.tenant_id = f.tenant_id
     where f.cohort >= ${since}::timestamp and c.movement is not null and c.effective_on <= ${until}::date group by 1, 2, 3
  ), steps as (
    select cohort, month, moved, sum(moved) over (partition by tenant_id order by month) as after from moves
  ), sizes as (
    select cohort, count(*)::int as began, sum(mrr)::text as began_with from firsts group by cohort
  )
  select to_char(s.cohort, 'YYYY-MM') as cohort, to_char(s.month, 'YYYY-MM') as month, sum(s.moved)::text as mrr,
         (count(*) filter (where s.after > 0 and s.after - s.moved <= 0)
          - count(*) filter (where s.after <= 0 and s.after - s.moved > 0))::int as tenants,
         z.began, z.began_with as "beganWith"
    from steps s join sizes z on z.cohort = s.cohort group by s.cohort, s.month, z.began, z.began_with order by 1, 2`;
