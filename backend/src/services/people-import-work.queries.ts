import type { ImportRowStatus, ImportStatus, PersonKind, SheetFormat } from '../generated/prisma/enums.ts';
import { sql, type Sql } from '../utils/sql.ts';
import type { Mapping } from './import-columns.policy.ts';
import type { RowError } from './import-drafts.service.ts';
import { sameName } from './people-intake.queries.ts';

// What the jobs of an import read and write, batch by batch, each behind the lock of the import's row: whichever worker
// holds it works, and the next one sees how far it came.

export type ImportState = {
  id: string;
  tenantId: string;
  status: ImportStatus;
  fileName: string;
  format: SheetFormat;
  storageKey: string | null;
  columns: string[];
  mapping: Mapping;
  defaultKind: PersonKind | null;
  defaultLibraryId: string | null;
  totalRows: number;
  readRows: number;
  validRows: number;
  createdRows: number;
  undoneRows: number;
  keptRows: number;
  validatedAt: Date | null;
};

const state = sql`
  select id, tenant_id as "tenantId", status, file_name as "fileName", format, storage_key as "storageKey", columns,
         mapping, default_kind as "defaultKind", default_library as "defaultLibraryId", total_rows as "totalRows",
         read_rows as "readRows", valid_rows as "validRows", created_rows as "createdRows", undone_rows as "undoneRows",
         kept_rows as "keptRows", validated_at as "validatedAt"
    from people_imports`;

export const importState = (id: string): Sql => sql`${state} where id = ${id}`;
export const lockedImport = (id: string): Sql => sql`${state} where id = ${id} for no key update`;

export const lastReadRow = (id: string): Sql =>
  sql`select coalesce(max(number), 0)::int as number from people_import_rows where import_id = ${id}`;

export const keepRows = (id: string, tenantId: string, rows: { number: number; cells: string[] }[]): Sql => sql`
  with kept as (
    insert into people_import_rows (import_id, number, tenant_id, cells)
    select ${id}, number, ${tenantId}, cells
      from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r (number int, cells jsonb)
    on conflict (import_id, number) do nothing
    returning 1)
  update people_imports set read_rows = read_rows + (select count(*) from kept)::int where id = ${id}
  returning read_rows as "readRows"`;

export type OpenRow = { number: number; cells: string[] };

export const rowsToDo = (id: string, status: 'READ' | 'VALID', most: number): Sql => sql`
  select number, cells from people_import_rows
   where import_id = ${id} and status = ${status}::import_row_status order by number limit ${most}`;

export const libraryNames = (tenantId: string): Sql =>
  sql`select id, lower(btrim(name)) as name from libraries where tenant_id = ${tenantId} limit 5000`;

export type RowOutcome = { number: number; status: ImportRowStatus; errors: RowError[] | null; userId: string | null };

export const settleRows = (id: string, outcomes: RowOutcome[]): Sql => sql`
  update people_import_rows r set status = o.status, errors = o.errors, user_id = o."userId"
    from jsonb_to_recordset(${JSON.stringify(outcomes)}::jsonb) as o (
         number int, status import_row_status, errors jsonb, "userId" text)
   where r.import_id = ${id} and r.number = o.number`;

export const countChecked = (id: string, valid: number, invalid: number): Sql => sql`
  update people_imports set checked_rows = checked_rows + ${valid + invalid}::int, valid_rows = valid_rows + ${valid}::int,
         invalid_rows = invalid_rows + ${invalid}::int
   where id = ${id}`;

/** A row that turns out bad only now counts as such. */
export const countCreated = (id: string, created: number, refused: number): Sql => sql`
  update people_imports set created_rows = created_rows + ${created}::int, valid_rows = valid_rows - ${refused}::int,
         invalid_rows = invalid_rows + ${refused}::int
   where id = ${id}`;

export const countUndone = (id: string, undone: number, kept: number): Sql => sql`
  update people_imports set undone_rows = undone_rows + ${undone}::int, kept_rows = kept_rows + ${kept}::int
   where id = ${id}`;

/** Somebody whom a row of the file is about, as far as it takes to find them again. */
export type Known = {
  number: number;
  kind: string;
  name: string;
  email: string | null;
  phone: string | null;
  memberNumber: string | null;
};

/** Whom this transaction would have added for the import. */
export const addedByImport = (tenantId: string, importId: string): Sql => sql`
  select u.id, coalesce(u.import_row, 0) as number, u.kind, u.name, u.email, u.phone, u.member_number as "memberNumber"
    from users u where u.tenant_id = ${tenantId} and u.import_id = ${importId}`;

export const keepNewcomers = (importId: string, tenantId: string, people: (Known & { id: string })[]): Sql => sql`
  insert into people_import_newcomers (id, import_id, tenant_id, number, kind, name, email, phone, member_number)
  select id, ${importId}, ${tenantId}, number, kind, name, email, phone, "memberNumber"
    from jsonb_to_recordset(${JSON.stringify(people)}::jsonb) as p (
         id text, number int, kind person_kind, name text, email text, phone text, "memberNumber" text)`;

export const forgetNewcomers = (importId: string): Sql =>
  sql`delete from people_import_newcomers where import_id = ${importId}`;

export type Clash = { index: number; field: 'email' | 'memberNumber' | 'phone' | 'guardians'; number: number };

/** Which people come twice in the file: earlier rows that were found good, with their guardians, have taken what is theirs. */
export const clashesWithin = (
  importId: string,
  wanted: (Known & { index: number; guardianEmails: string[] })[],
): Sql => sql`
  with wanted as materialized (
    select * from jsonb_to_recordset(${JSON.stringify(wanted)}::jsonb) as w (
           index int, kind person_kind, name text, email text, phone text, "memberNumber" text, "guardianEmails" jsonb))
  select w.index, 'email' as field, n.number
    from wanted w join people_import_newcomers n on n.import_id = ${importId} and n.email = w.email
  union all
  select w.index, 'memberNumber', n.number
    from wanted w join people_import_newcomers n on n.import_id = ${importId} and n.member_number = w."memberNumber"
  union all
  select w.index, 'phone', n.number
    from wanted w join people_import_newcomers n on n.import_id = ${importId} and n.phone = w.phone and n.kind = w.kind
     and ${sameName(sql`n.name`, sql`w.name`)}
  union all
  select w.index, 'guardians', n.number
    from wanted w cross join jsonb_array_elements_text(w."guardianEmails") as g (email)
    join people_import_newcomers n on n.import_id = ${importId} and n.email = g.email and n.kind <> 'PARENT'`;
