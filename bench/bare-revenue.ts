import { InvoiceStatus } from '../backend/src/generated/prisma/enums.ts';
import { invoiceRows, type InvoiceFilter } from '../backend/src/services/invoices.queries.ts';
import { dayInIndia } from '../backend/src/utils/india-time.ts';
import { sql, type Sql } from '../backend/src/utils/sql.ts';

// The bare handler of invoices: the SQL of the API, one statement after the other.

const isStatus = (text: string): text is InvoiceStatus => Object.hasOwn(InvoiceStatus, text);

/** The statements of `GET /api/revenue/invoices`. @param url path and query */
export function invoiceQueries(url: string): { name: string; query: Sql }[] {
  const { searchParams } = new URL(url, 'http://bare');
  const [tenantId, status] = [searchParams.get('tenantId') ?? undefined, searchParams.get('status') ?? ''];
  const filter: InvoiceFilter = {
    page: 1,
    limit: 20,
    sort: 'createdAt',
    order: 'desc',
    tenantId,
    status: isStatus(status) ? [status] : undefined,
  };
  const { rows, count } = invoiceRows(filter, { drafts: true, today: dayInIndia(new Date()) });
  const name = `invoices${tenantId ? '-of' : ''}${status}`;
  return [
    { name: `${name}-rows`, query: sql`${rows} limit ${20} offset ${0}` },
    { name: `${name}-count`, query: count },
  ];
}
