import { sql, type Sql } from '../utils/sql.ts';
import { unearnedLines } from './revenue-sums.queries.ts';

export type DeferredRow = {
  id: string;
  tenantId: string;
  buyer: string;
  number: string;
  issuedOn: string;
  description: string;
  periodFrom: string;
  /** The day after the last. */
  periodEnd: string;
  lastDay: string;
  /** Rupees without tax. */
  taxable: string;
  credited: string;
  days: number;
  daysLeft: number;
  deferred: string;
};

/** A place in the order of the report. */
export type DeferredKey = { periodEnd: string; id: string };

/** Lines of invoices with what of each is not earned at the end of a day, those that are earned first at the beginning. */
export const deferredRows = (day: string, after: DeferredKey | undefined, most: number): Sql => sql`
  select l.id, l.tenant_id as "tenantId", l.buyer_name as buyer, l.number, to_char(l.issue_date, 'YYYY-MM-DD') as "issuedOn",
         l.description, to_char(l.period_start, 'YYYY-MM-DD') as "periodFrom", to_char(l.period_end, 'YYYY-MM-DD') as "periodEnd",
         to_char(l.period_end - 1, 'YYYY-MM-DD') as "lastDay", l.taxable::text, l.credited::numeric(14, 2)::text as credited, l.days,
         l.days_left as "daysLeft", l.unearned::text as deferred
    from (${unearnedLines(day)}) l
   ${after ? sql`where (l.period_end, l.id) > (${after.periodEnd}::date, ${after.id})` : sql``}
   order by l.period_end, l.id limit ${most}`;
