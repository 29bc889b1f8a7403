import type { z } from 'zod';
import { sql, where, type Sql } from '../utils/sql.ts';
import type { listImpersonationsQuery } from '../validators/impersonations.validator.ts';

export type ImpersonationFilter = z.output<typeof listImpersonationsQuery>;

const goesOn = sql`(i.ended_at is null and i.expires_at > now())`;

const columns = sql`
  i.id, i.tenant_id as "tenantId", i.admin_id as "adminId", i.admin_name as "adminName", i.user_id as "userId",
  i.user_name as "userName", i.reason, i.ticket, i.mode, ${goesOn} as live, i.started_at as "startedAt",
  i.expires_at as "expiresAt", coalesce(i.ended_at, case when i.expires_at <= now() then i.expires_at end) as "endedAt",
  coalesce(i.end_reason, case when i.expires_at <= now() then 'EXPIRED' end) as "endReason"`;

export function impersonationRows(filter: Partial<ImpersonationFilter>): { rows: Sql; count: Sql } {
  const { adminId, userId, tenantId, live } = filter;
  const conditions = where(
    adminId && sql`i.admin_id = ${adminId}`,
    userId && sql`i.user_id = ${userId}`,
    tenantId && sql`i.tenant_id = ${tenantId}`,
    live && (live === 'true' ? goesOn : sql`not ${goesOn}`),
  );
  return {
    rows: sql`select ${columns} from impersonations i ${conditions} order by i.started_at desc, i.id desc`,
    count: sql`select count(*)::int as total from impersonations i ${conditions}`,
  };
}

export const impersonationById = (id: string): Sql => sql`select ${columns} from impersonations i where i.id = ${id}`;

/** One beginning at a time for each admin, till the end of the transaction. */
export const lockImpersonationsOf = (adminId: string): Sql =>
  sql`select pg_advisory_xact_lock(hashtextextended('impersonations:' || ${adminId}, 0))::text as locked`;

export type Target = {
  id: string;
  name: string;
  email: string | null;
  type: 'ADMIN_USER' | 'PLATFORM_USER';
  status: string;
  tenantId: string | null;
  tenantStatus: string | null;
  permissionVersion: number;
};

export const targetById = (userId: string): Sql => sql`
  select u.id, u.name, u.email, u.type, u.status, u.tenant_id as "tenantId", t.status as "tenantStatus",
         u.permission_version as "permissionVersion"
    from users u left join tenants t on t.id = u.tenant_id where u.id = ${userId} and u.deleted_at is null`;

export type Ended = { id: string; tenantId: string; userId: string };

/** Ends those that go on, and by the sessions that serve them, in two statements that go together. */
export const endRows = (which: { id: string } | { adminId: string } | { tenantId: string }, reason: string): Sql => sql`
  update impersonations i set ended_at = now(), end_reason = ${reason}
   where ${'id' in which ? sql`i.id = ${which.id}` : 'adminId' in which ? sql`i.admin_id = ${which.adminId}` : sql`i.tenant_id = ${which.tenantId}`}
     and ${goesOn}
  returning i.id, i.tenant_id as "tenantId", i.user_id as "userId"`;
