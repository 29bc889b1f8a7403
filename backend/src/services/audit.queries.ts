import type { z } from 'zod';
import { join, sql, where, type Sql } from '../utils/sql.ts';
import { afterCursor, cursorTime } from '../utils/cursor-page.ts';
import type { Cursor } from '../utils/page.ts';
import type { auditFilter } from '../validators/audit.validator.ts';

export type AuditFilter = z.output<typeof auditFilter>;

/** As hashed: with microseconds, which a Date would lose. */
export const createdAt = sql`${cursorTime(sql`created_at`)} as "createdAt"`;

const entryColumns = sql`
  id, tenant_id as "tenantId", action, resource, resource_id as "resourceId", outcome, ip_address as "ipAddress",
  request_id as "requestId", ${createdAt},
  jsonb_build_object('type', actor_type, 'id', actor_id, 'name', actor_name) as actor,
  case when on_behalf_of_id is not null
       then jsonb_build_object('id', on_behalf_of_id, 'name', on_behalf_of_name) end as "onBehalfOf"`;

const conditionsOf = (filter: AuditFilter): (Sql | '' | undefined)[] => [
  filter.actorId && sql`actor_id = ${filter.actorId}`,
  filter.actorType && sql`actor_type = ${filter.actorType}::actor_type`,
  filter.onBehalfOfId && sql`on_behalf_of_id = ${filter.onBehalfOfId}`,
  filter.action && sql`action = ${filter.action}`,
  filter.resource && sql`resource = ${filter.resource}`,
  filter.resourceId && sql`resource_id = ${filter.resourceId}`,
  filter.tenantId && sql`tenant_id = ${filter.tenantId}`,
  filter.outcome && sql`outcome = ${filter.outcome}::audit_outcome`,
  filter.ipAddress && sql`ip_address = ${filter.ipAddress}`,
  filter.from && sql`created_at >= ${filter.from}`,
  filter.to && sql`created_at < ${filter.to}`,
];

/** One condition that holds for the rows that a filter lets pass. */
export function passes(filter: AuditFilter): Sql {
  const conditions = conditionsOf(filter).filter((condition) => typeof condition === 'object');
  return conditions.length > 0 ? sql`(${join(conditions, ' and ')}) is true` : sql`true`;
}

const matching = (filter: AuditFilter & { cursor?: Cursor | undefined }): Sql =>
  where(...conditionsOf(filter), afterCursor(sql`created_at, id`, filter.cursor));

export const auditRows = (filter: AuditFilter & { cursor?: Cursor | undefined }): { rows: Sql; count: Sql } => ({
  rows: sql`select ${entryColumns} from audit_logs ${matching(filter)} order by created_at desc, id desc`,
  count: sql`select count(*)::int as total from audit_logs ${matching(filter)}`,
});

export const auditRow = (id: string): Sql => sql`
  select ${entryColumns}, changes, user_agent as "userAgent", chain, sequence, previous_hash as "previousHash", hash
    from audit_logs where id = ${id}`;
