import type { z } from 'zod';
import { orderBy, sql, where, type Sql } from '../utils/sql.ts';
import type { listPrivacyRequestsQuery, privacySortColumns } from '../validators/tenant-privacy.validator.ts';

export type PrivacyFilter = z.output<typeof listPrivacyRequestsQuery>;

const isOverdue = (now: Date): Sql => sql`(due_at < ${now} and status in ('OPEN', 'IN_PROGRESS'))`;

const columns = (now: Date): Sql => sql`
  id, type, status, jsonb_build_object('id', subject_id, 'name', subject_name) as subject, details, due_at as "dueAt",
  ${isOverdue(now)} as overdue, resolution, export_id as "exportId",
  jsonb_build_object('id', requested_by_id, 'name', requested_by_name) as "requestedBy",
  handled_by_name as "handledByName", version, created_at as "createdAt", updated_at as "updatedAt",
  resolved_at as "resolvedAt"`;

const sortColumns: Record<(typeof privacySortColumns)[number], string> = { createdAt: 'created_at', dueAt: 'due_at' };

export function privacyRequestRows(
  tenantId: string,
  { type, status, overdue, sort, order }: PrivacyFilter,
  now: Date,
): { rows: Sql; count: Sql } {
  const conditions = where(
    sql`tenant_id = ${tenantId}`,
    type && sql`type = ${type}::privacy_request_type`,
    status && sql`status = ${status}::privacy_request_status`,
    overdue === true && isOverdue(now),
    overdue === false && sql`not ${isOverdue(now)}`,
  );
  return {
    rows: sql`select ${columns(now)} from privacy_requests ${conditions} ${orderBy(sortColumns, sort, order, 'id')}`,
    count: sql`select count(*)::int as total from privacy_requests ${conditions}`,
  };
}

export const privacyRequestById = (tenantId: string, id: string, now: Date): Sql =>
  sql`select ${columns(now)} from privacy_requests where tenant_id = ${tenantId} and id = ${id}`;

export const lockedPrivacyRequest = (tenantId: string, id: string): Sql => sql`
  select id, type, status, subject_id as "subjectId", version from privacy_requests
   where tenant_id = ${tenantId} and id = ${id} for update`;

/** Somebody of a tenant whose data is still there, locked: of two changes at once the second waits. */
export const lockedSubject = (tenantId: string, userId: string): Sql => sql`
  select id, name, kind, import_id as "importId" from users
   where tenant_id = ${tenantId} and id = ${userId} and type = 'PLATFORM_USER' and erased_at is null for update`;

export const openRequestOf = (tenantId: string, subjectId: string, type: string): Sql => sql`
  select id from privacy_requests
   where tenant_id = ${tenantId} and subject_id = ${subjectId} and type = ${type}::privacy_request_type
     and status in ('OPEN', 'IN_PROGRESS')`;
