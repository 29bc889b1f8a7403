import { sql, where, type Sql } from '../utils/sql.ts';
import type { RevenueReportType } from '../generated/prisma/enums.ts';

/** `tenantId`: a report is of the whole business, and its file lies in the space of the platform. */
const reportColumns = sql`
  id, null::text as "tenantId", type, format, filter, status, rows, storage_key as "storageKey",
  size_bytes::float8 as "sizeBytes", sha256, error, requested_by_id as "requestedById",
  requested_by_name as "requestedByName", created_at as "createdAt", finished_at as "finishedAt",
  expires_at as "expiresAt"`;

export const revenueReportRow = (id: string): Sql => sql`select ${reportColumns} from revenue_reports where id = ${id}`;
export const lockedRevenueReport = (id: string): Sql => sql`${revenueReportRow(id)} for update`;

export const revenueReportRows = (
  type: RevenueReportType | undefined,
  order: 'asc' | 'desc',
): { rows: Sql; count: Sql } => {
  const matching = where(type && sql`type = ${type}::revenue_report_type`);
  const direction = order === 'asc' ? sql`order by created_at, id` : sql`order by created_at desc, id desc`;
  return {
    rows: sql`select ${reportColumns} from revenue_reports ${matching} ${direction}`,
    count: sql`select count(*)::int as total from revenue_reports ${matching}`,
  };
};

export const expiredRevenueReports = (now: Date, most: number): Sql => sql`
  select id, storage_key as "storageKey" from revenue_reports
   where expires_at < ${now} and status <> 'EXPIRED' order by expires_at limit ${most}`;
