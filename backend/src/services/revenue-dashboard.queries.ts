import { sql, type Sql } from '../utils/sql.ts';

// What the dashboard shows as things stand. Money is text, in rupees.

export type StatusRow = { status: 'TRIAL' | 'ACTIVE' | 'PAST_DUE' | 'PAUSED'; subscriptions: number };

/** Live subscriptions by status. */
export const liveSubscriptions = (): Sql => sql`
  select s.status, count(*)::int as subscriptions from subscriptions s
   where s.status in ('TRIAL', 'ACTIVE', 'PAST_DUE', 'PAUSED') group by s.status`;

export type DueRow = { bucket: string; amount: string; invoices: number };

/** How long ago something was due, by the days since. */
export const AGES = ['NOT_DUE', 'DAYS_0_30', 'DAYS_31_60', 'DAYS_61_90', 'DAYS_OVER_90'] as const;

/** In which of these a day lies, seen from another. Due today is not overdue yet. @param due a column of type `date` */
export const ageOf = (due: Sql, day: string): Sql => sql`
  case when ${due} >= ${day}::date then 'NOT_DUE' when ${due} >= ${day}::date - 30 then 'DAYS_0_30'
       when ${due} >= ${day}::date - 60 then 'DAYS_31_60' when ${due} >= ${day}::date - 90 then 'DAYS_61_90'
       else 'DAYS_OVER_90' end`;

/** What is still to be paid, by how long ago it was due. */
export const dueByAge = (today: string): Sql => sql`
  select d.bucket, sum(d.amount)::text as amount, sum(d.invoices)::int as invoices
    from (select ${ageOf(sql`i.due_date`, today)} as bucket, sum(i.amount_due) as amount, count(*) as invoices
            from invoices i where i.status = 'OPEN' group by i.due_date) d
   group by d.bucket`;

export type PlanRow = { planId: string; name: string; mrr: string; subscriptions: number };

/** The plans that bring most. */
export const plansByMrr = (most: number): Sql => sql`
  select p.id as "planId", p.name, g.mrr::text, g.subscriptions
    from (select s.plan_id, sum(s.mrr) as mrr, count(*)::int as subscriptions from subscriptions s where s.mrr > 0
           group by s.plan_id order by sum(s.mrr) desc, s.plan_id limit ${most}) g
    join subscription_plans p on p.id = g.plan_id
   order by g.mrr desc, p.id`;

/** Runs of dunning that go on, and what is due of their invoices: what is to be paid is open. */
export const openDunning = (): Sql => sql`
  select count(*)::int as runs, coalesce(sum(i.amount_due), 0)::numeric(14, 2)::text as amount
    from dunning_runs d left join invoices i on i.id = d.invoice_id and i.status = 'OPEN' where d.status = 'ACTIVE'`;
