import { sql, type Sql } from '../utils/sql.ts';

/** What the MRR of one tenant did in one month; contraction and churn are negative. Rupees without tax. */
export type TenantMovementsRow = {
  tenantId: string;
  name: string;
  opening: string;
  new: string;
  expansion: string;
  contraction: string;
  churn: string;
  reactivation: string;
  closing: string;
};

const sumOf = (movement: string, from: string): Sql => sql`
  coalesce(sum(c.mrr_after - c.mrr_before) filter (where c.effective_on >= ${from}::date
    and c.movement = ${movement}::mrr_movement), 0)::numeric(14, 2)::text`;

/** The tenants that brought something before, in or after a month, some at a time by their id. */
export const tenantMovements = (
  { from, to }: { from: string; to: string },
  after: string | undefined,
  most: number,
): Sql => sql`
  select m.*, t.name from (
    select c.tenant_id as "tenantId",
           coalesce(sum(c.mrr_after - c.mrr_before) filter (where c.effective_on < ${from}::date), 0)::numeric(14, 2)::text as opening,
           ${sumOf('NEW', from)} as new, ${sumOf('EXPANSION', from)} as expansion, ${sumOf('CONTRACTION', from)} as contraction,
           ${sumOf('CHURN', from)} as churn, ${sumOf('REACTIVATION', from)} as reactivation,
           sum(c.mrr_after - c.mrr_before)::numeric(14, 2)::text as closing
      from subscription_changes c
     where c.movement is not null and c.effective_on <= ${to}::date
       ${after === undefined ? sql`` : sql`and c.tenant_id > ${after}`}
     group by c.tenant_id
    having sum(c.mrr_after - c.mrr_before) <> 0 or bool_or(c.effective_on >= ${from}::date)
     order by c.tenant_id limit ${most}) m
    join tenants t on t.id = m."tenantId" order by m."tenantId"`;
