import type { DocumentKind } from '../generated/prisma/enums.ts';
import { sql, where, type Sql } from '../utils/sql.ts';

/** The most serials and numbers that are named of one series. */
const MOST_NAMED = 100;
const MOST_SERIES = 500;

export type SeriesRow = {
  kind: DocumentKind;
  fiscalYear: string;
  prefix: string;
  first: number | null;
  last: number | null;
  lastGiven: number;
  count: number;
  missingCount: number;
  missing: number[];
  duplicates: string[];
  outOfOrder: { number: string; issueDate: string; after: string }[];
};

type Wanted = { kind?: DocumentKind | undefined; fiscalYear?: string | undefined };

const wanted = ({ kind, fiscalYear }: Wanted): Sql =>
  where(kind && sql`kind = ${kind}::document_kind`, fiscalYear && sql`fiscal_year = ${fiscalYear}`);

const documents = sql`
  select 'INVOICE'::document_kind as kind, fiscal_year, split_part(number, '/', 1) as prefix, serial, number, issue_date
    from invoices where number is not null
  union all
  select 'CREDIT_NOTE', fiscal_year, split_part(number, '/', 1), serial, number, issue_date from credit_notes`;

const one = sql`kind, fiscal_year, prefix`;

/**
 * Every series with what is wrong in it (rule 17): each document beside the one before it, and the highest serial beside
 * the last that was given. Of gaps the first hundred serials are named, and of numbers the first hundred.
 */
export const seriesRows = (of: Wanted): Sql => sql`
  with given as (select ${one}, last_serial from document_series ${wanted(of)}),
  numbered as (select * from (${documents}) d ${wanted(of)}),
  placed as (
    select *, coalesce(lag(serial) over series, 0) as previous, max(issue_date) over before as latest
      from numbered
    window series as (partition by ${one} order by serial, number), before as (series rows between unbounded preceding and 1 preceding)),
  found as (
    select ${one}, min(serial) as first, max(serial) as last, count(*)::int as count,
           array_agg(number order by serial, number) filter (where serial = previous) as doubles
      from placed group by ${one}),
  gaps as (
    select ${one}, previous + 1 as first, serial - 1 as last from placed where serial > previous + 1
    union all
    select ${one}, coalesce(last, 0) + 1, last_serial from given left join found using (${one}) where last_serial > coalesce(last, 0)),
  missing as (
    select ${one}, jsonb_agg(serial order by serial) as serials
      from (select ${one}, serial, row_number() over (partition by ${one} order by serial) as place
              from gaps, generate_series(first, least(last, first + ${MOST_NAMED}::int - 1)) serial) g
     where place <= ${MOST_NAMED} group by ${one}),
  early as (
    select ${one}, jsonb_agg(jsonb_build_object('number', number, 'issueDate', issue_date, 'after', latest) order by serial) as numbers
      from (select *, row_number() over (partition by ${one} order by serial) as place from placed where issue_date < latest) p
     where place <= ${MOST_NAMED} group by ${one})
  select kind, fiscal_year as "fiscalYear", prefix, first, last, coalesce(last_serial, 0) as "lastGiven",
         coalesce(count, 0) as count,
         (select coalesce(sum(g.last - g.first + 1), 0)::int from gaps g
           where g.kind = s.kind and g.fiscal_year = s.fiscal_year and g.prefix = s.prefix) as "missingCount",
         coalesce(serials, '[]') as missing, to_jsonb(coalesce(doubles[1:${MOST_NAMED}::int], '{}')) as duplicates,
         coalesce(numbers, '[]') as "outOfOrder"
    from (select * from found full join given using (${one})) s
    left join missing using (${one}) left join early using (${one})
   order by kind, fiscal_year desc, prefix limit ${MOST_SERIES}`;
