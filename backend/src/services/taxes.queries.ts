import { join, raw, sql, where, type Sql } from '../utils/sql.ts';

const MOST_RATES = 100;

const shown = sql`jsonb_build_object(
  'id', r.id, 'rate', r.rate::text, 'description', r.description, 'effectiveFrom', to_char(r.effective_from, 'YYYY-MM-DD'),
  'createdBy', case when r.created_by is not null
                    then jsonb_build_object('id', coalesce(r.created_by_id, ''), 'name', r.created_by) end,
  'createdAt', to_char(r.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))`;

const rateOf = (condition: Sql): Sql =>
  sql`select ${shown} from tax_rates r where r.sac_code = t.sac_code and ${condition}`;

/** @param today in India */
const taxes = (today: string, codes: readonly string[]): Sql => sql`
  select t.sac_code as "sacCode",
         (${rateOf(sql`r.effective_from <= ${today}::date order by r.effective_from desc limit 1`)}) as current,
         (${rateOf(sql`r.effective_from > ${today}::date order by r.effective_from limit 1`)}) as next,
         array(${rateOf(sql`true order by r.effective_from desc limit ${MOST_RATES}`)}) as history
    from (select distinct sac_code from tax_rates ${where(codes.length > 0 && sql`sac_code in (${join([...codes])})`)}) t`;

export const taxRows = (today: string, order: 'asc' | 'desc'): { rows: Sql; count: Sql } => ({
  rows: sql`${taxes(today, [])} order by t.sac_code ${raw(order)}`,
  count: sql`select count(distinct sac_code)::int as total from tax_rates`,
});

/** @param codes at least one */
export const taxesOf = (today: string, codes: readonly string[]): Sql =>
  sql`${taxes(today, codes)} order by t.sac_code`;

/** Whoever adds rates goes one after the other. */
export const lockTaxes = (): Sql =>
  sql`select pg_advisory_xact_lock(hashtextextended('tax_rates', 0)) is null as locked`;

export type KnownRate = { sacCode: string; effectiveFrom: string; rate: string };

/** @param codes at least one */
export const ratesOf = (codes: readonly string[]): Sql => sql`
  select sac_code as "sacCode", to_char(effective_from, 'YYYY-MM-DD') as "effectiveFrom", rate::text
    from tax_rates where sac_code in (${join([...codes])})`;
