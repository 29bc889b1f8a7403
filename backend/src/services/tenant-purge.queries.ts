import { join, raw, sql, type Sql } from '../utils/sql.ts';
import { unsettled } from './offboarding.queries.ts';
import { TENANT_DATA, tenantColumn } from './tenant-data.policy.ts';
import type { TenantTable } from './tenant-table.policy.ts';

const ofTenant = (table: string, tenantId: string): Sql => sql`${raw(tenantColumn(table))} = ${tenantId}`;

/** Removes some rows of a table. By their place, since not every table has a key of one column. */
export const removeRows = (table: string, which: Sql, most: number): Sql => sql`
  delete from ${raw(table)} where ctid = any (array(select ctid from ${raw(table)} where ${which} limit ${most}))`;

type Blank = Readonly<Record<string, string | null>>;

/** Whether something personal still stands in a row that stays. */
const isToBlank = (blank: Blank): Sql =>
  sql`(${join(
    Object.entries(blank).map(([column, value]) => sql`${raw(column)} is distinct from ${value}`),
    ' or ',
  )})`;

/** Blanks what is personal in some rows of a table that stay. */
export const blankRows = (table: string, blank: Blank, tenantId: string, most: number): Sql => sql`
  update ${raw(table)} set ${join(Object.entries(blank).map(([column, value]) => sql`${raw(column)} = ${value}`))}
   where ctid = any (array(
           select ctid from ${raw(table)} where ${ofTenant(table, tenantId)} and ${isToBlank(blank)} limit ${most}))`;

/** Conditions by which the rows of a table are a tenant's, the usual one first. */
export const theirRows = ({ table, alsoTheirs }: TenantTable, tenantId: string): Sql[] => [
  ofTenant(table, tenantId),
  ...(alsoTheirs ? [alsoTheirs(tenantId)] : []),
];

/** Adds to what was removed so far. */
export const addPurged = (offboardingId: string, what: string, count: number): Sql => sql`
  update offboardings
     set purged = purged || jsonb_build_object(${what}::text, coalesce((purged->>${what})::bigint, 0) + ${count}::bigint)
   where id = ${offboardingId}`;

export type PurgeRow = {
  id: string;
  purged: Record<string, number>;
  requestedById: string;
  requestedByName: string;
  requestedAt: Date;
  graceEndsAt: Date;
  noticeSentAt: Date | null;
  purgeStartedAt: Date | null;
  slug: string;
  held: boolean;
  /** Whether something is owed, or a payment or refund is under way. */
  unsettled: boolean;
};

/** The off-boarding while its purge may go on, locked: two workers take turns. */
export const lockedPurge = (id: string): Sql => sql`
  select o.id, o.purged, o.requested_by_id as "requestedById", o.requested_by_name as "requestedByName",
         o.requested_at as "requestedAt", o.grace_ends_at as "graceEndsAt", o.notice_sent_at as "noticeSentAt",
         o.purge_started_at as "purgeStartedAt", t.slug,
         exists (select from legal_holds h where h.tenant_id = o.tenant_id and h.lifted_at is null) as held,
         ${unsettled(sql`o.tenant_id`)} as unsettled
    from offboardings o join tenants t on t.id = o.tenant_id
   where o.id = ${id} and o.cancelled_at is null and o.purged_at is null
     for update of o`;

/** Whether a table that is to be empty has a row of the tenant, or something personal stands in one that stays. */
export const anythingLeft = (tenantId: string): Sql =>
  sql`select ${join(
    TENANT_DATA.flatMap((entry) => leftIn(entry, tenantId)),
    ' or ',
  )} as "isLeft"`;

function leftIn(entry: TenantTable, tenantId: string): Sql[] {
  const { table, purge } = entry;
  const isThere = (which: Sql) => sql`exists (select from ${raw(table)} where ${which})`;
  if (purge.does === 'delete') return theirRows(entry, tenantId).map(isThere);
  return purge.blank ? [isThere(sql`${ofTenant(table, tenantId)} and ${isToBlank(purge.blank)}`)] : [];
}

export const countRows = (table: string, tenantId: string): Sql =>
  sql`select count(*)::int as rows from ${raw(table)} where ${ofTenant(table, tenantId)}`;

/** Which of these addresses, phones and ids are of somebody of the tenant. */
export const theirPeople = (tenantId: string, named: readonly string[]): Sql => sql`
  select id, email, phone from users
   where tenant_id = ${tenantId}
     and (id in (select jsonb_array_elements_text(${JSON.stringify(named)}::jsonb))
          or email in (select jsonb_array_elements_text(${JSON.stringify(named)}::jsonb))
          or phone in (select jsonb_array_elements_text(${JSON.stringify(named)}::jsonb)))`;
