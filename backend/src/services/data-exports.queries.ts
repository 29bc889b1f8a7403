import type { ExportSubject } from '../generated/prisma/enums.ts';
import { sql, where, type Sql } from '../utils/sql.ts';

const exportColumns = sql`
  id, tenant_id as "tenantId", subject, format, filter, status, rows, storage_key as "storageKey",
  size_bytes::float8 as "sizeBytes", sha256, error, requested_by_id as "requestedById",
  requested_by_name as "requestedByName", created_at as "createdAt", finished_at as "finishedAt",
  expires_at as "expiresAt"`;

export const dataExportRow = (id: string): Sql => sql`select ${exportColumns} from data_exports where id = ${id}`;
export const lockedDataExport = (id: string): Sql => sql`${dataExportRow(id)} for update`;

/** One of this subject, and of this tenant where one is named: in the portal's scope every tenant's are to be seen. */
export const dataExportOf = (id: string, subject: ExportSubject, tenantId: string | undefined): Sql => sql`
  select ${exportColumns} from data_exports
   ${where(sql`id = ${id}`, sql`subject = ${subject}::export_subject`, tenantId !== undefined && sql`tenant_id = ${tenantId}`)}`;

export const expiredDataExports = (now: Date, most: number): Sql => sql`
  select id, storage_key as "storageKey" from data_exports
   where expires_at < ${now} and status <> 'EXPIRED' order by expires_at limit ${most}`;

/** The newest of these that a job is yet to finish. */
export const runningDataExport = (tenantId: string, subject: ExportSubject, now: Date): Sql => sql`
  select ${exportColumns} from data_exports
   where tenant_id = ${tenantId} and subject = ${subject}::export_subject and status in ('PENDING', 'RUNNING')
     and expires_at > ${now}
   order by created_at desc limit 1`;
