import { sql, type Sql } from '../utils/sql.ts';
import { bucketOf } from './revenue-metrics.queries.ts';
import type { Bucket } from './revenue-periods.policy.ts';

// What was invoiced, credited and collected. Each day is summed up along its index first, and only then put into its
// bucket: half a million documents are read, and a few hundred days are worked on. Money is text, in rupees.

type Range = { from: string; to: string };

/** Rupees without tax and with it. */
export type SumRow = { start: string; taxable: string; total: string };

/** Invoices by the day of their issue; void ones are none. */
export const invoicedBy = (bucket: Bucket, { from, to }: Range): Sql => sql`
  select ${bucketOf(sql`d.issue_date`, bucket)} as start, sum(d.taxable)::text as taxable, sum(d.total)::text as total
    from (select i.issue_date, sum(i.taxable) as taxable, sum(i.total) as total from invoices i
           where i.number is not null and i.status <> 'VOID' and i.issue_date >= ${from}::date and i.issue_date <= ${to}::date
           group by i.issue_date) d
   group by 1 order by 1`;

/** Credit notes by the day of their issue; void ones are none. */
export const creditedBy = (bucket: Bucket, { from, to }: Range): Sql => sql`
  select ${bucketOf(sql`n.issue_date`, bucket)} as start, sum(n.taxable)::text as taxable, sum(n.total)::text as total
    from credit_notes n
   where n.status = 'ISSUED' and n.issue_date >= ${from}::date and n.issue_date <= ${to}::date
   group by 1 order by 1`;

export type CollectedRow = { start: string; amount: string };

/** Payments by the day on which the money came. What is paid from a credit balance came before. */
export const collectedBy = (bucket: Bucket, { from, to }: Range): Sql => sql`
  select ${bucketOf(sql`d.received_on`, bucket)} as start, coalesce(sum(d.amount), 0)::text as amount
    from (select p.received_on, sum(p.amount) filter (where p.method <> 'CREDIT_BALANCE') as amount from payments p
           where p.status = 'SUCCEEDED' and p.received_on >= ${from}::date and p.received_on <= ${to}::date
           group by p.received_on) d
   group by 1 order by 1`;

/** How many days of the period of a line come after a day, and how many it has. */
const daysLeft = (day: string): Sql => sql`(t.period_end - greatest(t.period_start, ${day}::date + 1))`;
const daysOfPeriod = sql`(t.period_end - t.period_start)`;

/** What of a line was taken back by that day, rupees without tax. */
const creditedOf = (day: string): Sql => sql`
  coalesce((select sum(m.taxable) from credit_note_items m join credit_notes n on n.id = m.credit_note_id
             where m.invoice_item_id = t.id and n.status = 'ISSUED' and n.issue_date <= ${day}::date), 0)`;

/**
 * Lines whose period goes on after a day, of invoices that were issued by then, each with what of it is not earned yet:
 * in proportion to the days, less what was credited, to the paisa.
 */
export const unearnedLines = (day: string): Sql => sql`
  select t.id, t.tenant_id, t.invoice_id, t.description, t.taxable, t.period_start, t.period_end, i.number, i.issue_date,
         i.buyer_name, ${daysLeft(day)} as days_left, ${daysOfPeriod} as days, c.credited,
         round((t.taxable - c.credited) * ${daysLeft(day)} / ${daysOfPeriod}, 2) as unearned
    from invoice_items t join invoices i on i.id = t.invoice_id
    cross join lateral (select ${creditedOf(day)} as credited) c
   where t.period_end > ${day}::date + 1 and t.period_end > t.period_start
     and i.status in ('OPEN', 'PAID', 'UNCOLLECTIBLE') and i.issue_date <= ${day}::date`;

/** Deferred revenue: what was invoiced by a day and is earned after it. */
export const deferredOn = (day: string): Sql => sql`
  select coalesce(sum(l.unearned), 0)::numeric(14, 2)::text as amount, count(*)::int as lines from (${unearnedLines(day)}) l`;
