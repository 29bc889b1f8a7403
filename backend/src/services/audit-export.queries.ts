import { sql, type Sql } from '../utils/sql.ts';
import { linkColumns } from './audit-chains.queries.ts';
import { passes, type AuditFilter } from './audit.queries.ts';

/** For each of these chains that has any: the first and the last row that the filter lets pass. */
export const matchingRange = (chains: string[], filter: AuditFilter): Sql => sql`
  select wanted.chain, range.first, range.last
    from jsonb_array_elements_text(${JSON.stringify(chains)}::jsonb) as wanted (chain)
    join lateral (select min(sequence) as first, max(sequence) as last from audit_logs
                   where chain = wanted.chain and ${passes(filter)}) range on range.first is not null
   order by wanted.chain`;

/** Rows of a chain in order, each with whether the filter lets it pass. */
export const rowsOfExport = (chain: string, after: number, upTo: number, filter: AuditFilter, most: number): Sql => sql`
  select ${linkColumns}, ${passes(filter)} as passes
    from audit_logs where chain = ${chain} and sequence > ${after} and sequence <= ${upTo}
   order by sequence limit ${most}`;

const exportColumns = sql`
  id, tenant_id as "tenantId", status, format, filter, rows, size_bytes::float8 as "sizeBytes", sha256, error,
  requested_by_id as "requestedById", storage_key as "storageKey", created_at as "createdAt",
  finished_at as "finishedAt", expires_at as "expiresAt"`;

export const exportRow = (id: string): Sql => sql`select ${exportColumns} from audit_exports where id = ${id}`;
export const lockedExport = (id: string): Sql => sql`${exportRow(id)} for update`;

export const expiredExports = (now: Date, most: number): Sql => sql`
  select id, storage_key as "storageKey" from audit_exports
   where expires_at < ${now} and status <> 'EXPIRED' order by expires_at limit ${most}`;

export const personName = (id: string): Sql => sql`select name from users where id = ${id}`;
