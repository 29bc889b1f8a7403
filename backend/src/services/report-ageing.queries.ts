import { PLATFORM_TIME_ZONE } from '../config/constants.ts';
import { addDays, startOfDay } from '../utils/india-day.ts';
import { sql, type Sql } from '../utils/sql.ts';
import { ageOf, type AGES } from './revenue-dashboard.queries.ts';

export type AgeingRow = Record<(typeof AGES)[number], string> & {
  tenantId: string;
  name: string;
  gstin: string | null;
  invoices: number;
  /** Rupees. */
  total: string;
  oldestDue: string;
};

/** The day in India of a moment. */
const dayOf = (moment: Sql): Sql => sql`(${moment} at time zone ${PLATFORM_TIME_ZONE})::date`;

/**
 * What of an invoice was settled by the end of a day: payments by the day on which they came, what was taken back of
 * them by the day on which that was done, and credit notes that were set off and not voided by then.
 */
const settledBy = (day: string): Sql => sql`
  coalesce((select sum(a.amount) from payment_allocations a join payments p on p.id = a.payment_id
             where a.invoice_id = i.id
               and case when a.amount > 0 then p.received_on else ${dayOf(sql`a.created_at`)} end <= ${day}::date), 0)
  + coalesce((select sum(n.offset_amount) from credit_notes n
               where n.invoice_id = i.id and n.issue_date <= ${day}::date
                 and (n.voided_at is null or n.voided_at >= ${startOfDay(addDays(day, 1))})), 0)`;

/**
 * Invoices that were to be paid at the end of a day, with what was due of each then. An invoice that was voided or
 * written off since was to be paid still.
 */
const dueAt = (day: string, tenants: { after: string; upTo: string }): Sql => {
  const after = startOfDay(addDays(day, 1));
  return sql`
  select i.id, i.tenant_id, i.due_date, i.total - (${settledBy(day)}) as due
    from invoices i
   where i.tenant_id > ${tenants.after} and i.tenant_id <= ${tenants.upTo}
     and i.number is not null and i.issue_date <= ${day}::date
     and (i.status = 'OPEN' or i.paid_at >= ${after} or i.voided_at >= ${after} or i.uncollectible_at >= ${after})
     and (i.voided_at is null or i.voided_at >= ${after}) and (i.uncollectible_at is null or i.uncollectible_at >= ${after})`;
};

const sumOfAge = (age: (typeof AGES)[number], day: string): Sql =>
  sql`coalesce(sum(d.due) filter (where ${ageOf(sql`d.due_date`, day)} = ${age}), 0)::numeric(14, 2)::text`;

/** The last of the next tenants by their id: a report goes on from one to the other, whoever of them owes something. */
export const nextTenants = (after: string, most: number): Sql => sql`
  select max(id) as last from (select id from tenants where id > ${after} order by id limit ${most}) t`;

/** Who of some tenants owed what since when, by their id. @param tenants those after one id, up to another */
export const ageingRows = (day: string, tenants: { after: string; upTo: string }): Sql => sql`
  select d.tenant_id as "tenantId", t.name, coalesce(b.gstin, t.gstin) as gstin, count(*)::int as invoices,
         sum(d.due)::text as total, to_char(min(d.due_date), 'YYYY-MM-DD') as "oldestDue",
         ${sumOfAge('NOT_DUE', day)} as "NOT_DUE", ${sumOfAge('DAYS_0_30', day)} as "DAYS_0_30",
         ${sumOfAge('DAYS_31_60', day)} as "DAYS_31_60", ${sumOfAge('DAYS_61_90', day)} as "DAYS_61_90",
         ${sumOfAge('DAYS_OVER_90', day)} as "DAYS_OVER_90"
    from (${dueAt(day, tenants)}) d join tenants t on t.id = d.tenant_id left join billing_profiles b on b.tenant_id = t.id
   where d.due > 0 group by d.tenant_id, t.name, b.gstin, t.gstin order by d.tenant_id`;
