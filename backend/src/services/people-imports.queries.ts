import type { z } from 'zod';
import type { ImportRowStatus, ImportStatus } from '../generated/prisma/enums.ts';
import { sql, where, type Sql } from '../utils/sql.ts';
import type { peopleImport } from '../validators/people-imports.validator.ts';

/** What is answered of an import. */
export type ImportView = z.input<typeof peopleImport>;

// Half of a check is reading the file, the other half is trying its rows.
const percent = sql`
  case status
    when 'VALIDATING' then (50.0 * (read_rows + checked_rows)) / greatest(total_rows, 1)
    when 'COMMITTING' then (100.0 * created_rows) / greatest(valid_rows, 1)
    when 'UNDOING' then (100.0 * (undone_rows + kept_rows)) / greatest(created_rows, 1)
    else 100 end`;

const view = sql`
  select id, tenant_id as "tenantId", status, file_name as "fileName", format, size_bytes as "sizeBytes", columns, mapping,
         default_kind as kind, default_library as "libraryId", total_rows as "totalRows", read_rows as "readRows",
         checked_rows as "checkedRows", valid_rows as "validRows", invalid_rows as "invalidRows",
         created_rows as "createdRows", undone_rows as "undoneRows", kept_rows as "keptRows",
         floor(${percent})::int as percent, warnings, error,
         jsonb_build_object('id', requested_by_id, 'name', requested_by_name) as "requestedBy",
         created_at as "createdAt", validated_at as "validatedAt", committed_at as "committedAt", finished_at as "finishedAt"
    from people_imports`;

export const importView = (id: string): Sql => sql`${view} where id = ${id}`;

/** @param tenantId of the space, in which row security shows no others; or the one that a portal admin asks for */
export function importList(filter: { status?: ImportStatus | undefined; tenantId?: string | undefined }): {
  rows: Sql;
  count: Sql;
} {
  const matching = where(
    filter.status && sql`status = ${filter.status}::import_status`,
    filter.tenantId && sql`tenant_id = ${filter.tenantId}`,
  );
  return {
    rows: sql`${view} ${matching} order by created_at desc, id desc`,
    count: sql`select count(*)::int as total from people_imports ${matching}`,
  };
}

export type StoredRow = {
  number: number;
  status: ImportRowStatus;
  cells: string[];
  errors: { column: string; message: string }[] | null;
  userId: string | null;
};

const storedRow = sql`select number, status, cells, errors, user_id as "userId" from people_import_rows`;

export function rowList(importId: string, status: ImportRowStatus | undefined): { rows: Sql; count: Sql } {
  const matching = where(sql`import_id = ${importId}`, status && sql`status = ${status}::import_row_status`);
  return {
    rows: sql`${storedRow} ${matching} order by number`,
    count: sql`select count(*)::int as total from people_import_rows ${matching}`,
  };
}

/** Bad rows, on from a row of the file. */
export const badRowsAfter = (importId: string, after: number, most: number): Sql => sql`
  ${storedRow} where import_id = ${importId} and status = 'INVALID' and number > ${after} order by number limit ${most}`;

export const columnsOfImport = (id: string): Sql =>
  sql`select columns, read_rows as "readRows" from people_imports where id = ${id}`;

/** The newest import of the same file that went well so far. */
export const sameFile = (tenantId: string, sha256: string): Sql => sql`
  select status, requested_by_name as "by", created_at as "at" from people_imports
   where tenant_id = ${tenantId} and sha256 = ${sha256} and status <> 'FAILED'
   order by created_at desc limit 1`;
