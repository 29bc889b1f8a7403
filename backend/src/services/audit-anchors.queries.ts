import { sql, type Sql } from '../utils/sql.ts';

/** An id of the shape of all others, for rows that are made in one statement. */
const newRowId = sql`'c' || substr(md5(gen_random_uuid()::text), 1, 24)`;

/** Anchors the heads of all chains as of one moment. The digest: SHA-256 over lines of chain, sequence and hash. */
export const anchorAllChains = (): Sql => sql`
  with heads as materialized (select chain, tenant_id, sequence, hash from audit_chains),
  taken as (
    insert into audit_anchors (id, tenant_id, chain, sequence, hash, reason)
    select ${newRowId}, tenant_id, chain, sequence, hash, 'NIGHTLY' from heads
    on conflict (chain, sequence, reason) do nothing
  )
  select count(*)::int as chains,
         encode(sha256(convert_to(string_agg(chain || ' ' || sequence || ' ' || hash, E'\\n' order by chain collate "C"), 'UTF8')), 'hex') as digest
    from heads`;

/** Anchors the last row that each chain has in the month that begins on this day. */
export const anchorMonth = (month: string): Sql => sql`
  insert into audit_anchors (id, tenant_id, chain, sequence, hash, reason)
  select ${newRowId}, tenant_id, chain, sequence, hash, 'RETENTION'
    from (select distinct on (chain) chain, tenant_id, sequence, hash from audit_logs
           where created_at >= (${month}::date)::timestamp at time zone 'UTC'
             and created_at < (${month}::date + interval '1 month')::timestamp at time zone 'UTC'
           order by chain, sequence desc) last
  on conflict (chain, sequence, reason) do nothing`;

/** The months that the trail is divided into, oldest first, such as 2026-11-01. */
export const monthNames = (): Sql => sql`select month::text as month from app.audit_months() as month`;

/** The month of the oldest row; null without rows. */
export const oldestMonth = (): Sql =>
  sql`select date_trunc('month', min(created_at) at time zone 'UTC')::date::text as month from audit_logs`;

export const ensureMonth = (month: string): Sql => sql`select app.ensure_audit_month(${month}::date) as made`;
export const dropMonth = (month: string): Sql => sql`select app.drop_audit_month(${month}::date)::int as rows`;
