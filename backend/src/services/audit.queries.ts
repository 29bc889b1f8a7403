import type { z } from 'zod';
import { sql, where, type Sql } from '../utils/sql.ts';
import type { listAuditQuery } from '../validators/audit.validator.ts';

export type AuditFilter = z.output<typeof listAuditQuery>;

/** As hashed: with microseconds, which a Date would lose. */
const createdAt = sql`to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "createdAt"`;

const entryColumns = sql`
  id, tenant_id as "tenantId", action, resource, resource_id as "resourceId", outcome, ip_address as "ipAddress",
  request_id as "requestId", ${createdAt},
  jsonb_build_object('type', actor_type, 'id', actor_id, 'name', actor_name) as actor`;

const matching = ({ cursor, actorId, action, resource, resourceId, tenantId, outcome, from, to }: AuditFilter): Sql =>
  where(
    actorId && sql`actor_id = ${actorId}`,
    action && sql`action = ${action}`,
    resource && sql`resource = ${resource}`,
    resourceId && sql`resource_id = ${resourceId}`,
    tenantId && sql`tenant_id = ${tenantId}`,
    outcome && sql`outcome = ${outcome}::audit_outcome`,
    from && sql`created_at >= ${from}`,
    to && sql`created_at < ${to}`,
    cursor && sql`(created_at, id) < (${cursor.createdAt}::timestamptz, ${cursor.id})`,
  );

export const auditRows = (filter: AuditFilter): { rows: Sql; count: Sql } => ({
  rows: sql`select ${entryColumns} from audit_logs ${matching(filter)} order by created_at desc, id desc`,
  count: sql`select count(*)::int as total from audit_logs ${matching(filter)}`,
});

export const auditRow = (id: string): Sql => sql`
  select ${entryColumns}, changes, user_agent as "userAgent", chain, sequence, previous_hash as "previousHash", hash
    from audit_logs where id = ${id}`;

/** Every chain that has a head or a row, by skipping from one to the next on the index. */
export const chainNames = (): Sql => sql`
  with recursive seen as (
    (select chain from audit_logs order by chain limit 1)
    union all
    select (select chain from audit_logs where chain > seen.chain order by chain limit 1) from seen where seen.chain is not null
  )
  select chain from seen where chain is not null union select chain from audit_chains order by chain`;

/** `known`: there is a head or a row. */
export type ChainHead = { sequence: number; hash: string; lastSequence: number; known: boolean };

/** The head and the last row, as of one moment. */
export const chainHead = (chain: string): Sql => sql`
  select coalesce(head.sequence, 0) as sequence, coalesce(head.hash, '') as hash,
         coalesce(last.sequence, 0) as "lastSequence", head.sequence is not null or last.sequence is not null as known
    from (select) always
    left join audit_chains head on head.chain = ${chain}
    left join (select max(sequence) as sequence from audit_logs where chain = ${chain}) last on true`;

export const links = (chain: string, after: number, upTo: number, most: number): Sql => sql`
  select id, chain, sequence, tenant_id as "tenantId", actor_type as "actorType", actor_id as "actorId",
         actor_name as "actorName", on_behalf_of_id as "onBehalfOfId", on_behalf_of_name as "onBehalfOfName", action, resource, resource_id as "resourceId", outcome, changes,
         ip_address as "ipAddress", user_agent as "userAgent", request_id as "requestId", ${createdAt},
         previous_hash as "previousHash", hash
    from audit_logs where chain = ${chain} and sequence > ${after} and sequence <= ${upTo} order by sequence limit ${most}`;
