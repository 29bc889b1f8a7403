import type { z } from 'zod';
import { searching } from '../utils/search.ts';
import { orderBy, sql, where, type Sql } from '../utils/sql.ts';
import type { librarySortColumns, listLibrariesQuery } from '../validators/tenant-libraries.validator.ts';

export type LibraryFilter = z.output<typeof listLibrariesQuery>;

/** Those who are assigned are counted in the select list, which comes after sorting: for the rows of the page alone. */
const columns = sql`
  l.id, l.name, l.address_line as "addressLine", l.city, l.state, l.pincode, l.phone, l.seat_count as "seatCount",
  l.version, l.created_at as "createdAt", l.updated_at as "updatedAt",
  (select jsonb_build_object('students', count(*) filter (where u.kind = 'STUDENT'),
                             'staff', count(*) filter (where u.kind = 'STAFF'))
     from users u where u.tenant_id = l.tenant_id and u.library_id = l.id and u.deleted_at is null) as people`;

const sortColumns: Record<(typeof librarySortColumns)[number], string> = { createdAt: 'l.created_at', name: 'l.name' };
const searched = sql`lower(l.name || ' ' || l.address_line || ' ' || coalesce(l.phone, '')) || ' ' || app.name_key(l.name)`;

export function libraryRows(tenantId: string, { q, city, sort, order }: LibraryFilter): { rows: Sql; count: Sql } {
  const conditions = where(
    sql`l.tenant_id = ${tenantId}`,
    city && sql`lower(l.city) = ${city.toLowerCase()}`,
    q && searching(sql`(${searched})`, q),
  );
  return {
    rows: sql`select ${columns} from libraries l ${conditions} ${orderBy(sortColumns, sort, order, 'l.id')}`,
    count: sql`select count(*)::int as total from libraries l ${conditions}`,
  };
}

export const libraryById = (tenantId: string, id: string): Sql =>
  sql`select ${columns} from libraries l where l.id = ${id} and l.tenant_id = ${tenantId}`;

export const lockLibrary = (tenantId: string, id: string): Sql =>
  sql`select version from libraries where id = ${id} and tenant_id = ${tenantId} for update`;

export const assignedTo = (tenantId: string, libraryId: string): Sql => sql`
  select count(*)::int as people from users
   where tenant_id = ${tenantId} and library_id = ${libraryId} and deleted_at is null`;
