import { empty, raw, sql, type Sql } from '../utils/sql.ts';
import { TENANT_DATA, tenantColumn, type TenantTable } from './tenant-data.policy.ts';

const ofTenant = (table: string, tenantId: string): Sql => sql`${raw(tenantColumn(table))} = ${tenantId}`;

/** Removes some rows of a table. By their place, since not every table has a key of one column. */
export const removeRows = (table: string, which: Sql, most: number): Sql => sql`
  delete from ${raw(table)} where ctid = any (array(select ctid from ${raw(table)} where ${which} limit ${most}))`;

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
};

/** The off-boarding while its purge may go on, locked: two workers take turns. */
export const lockedPurge = (id: string): Sql => sql`
  select o.id, o.purged, o.requested_by_id as "requestedById", o.requested_by_name as "requestedByName",
         o.requested_at as "requestedAt", o.grace_ends_at as "graceEndsAt", o.notice_sent_at as "noticeSentAt",
         o.purge_started_at as "purgeStartedAt", t.slug,
         exists (select from legal_holds h where h.tenant_id = o.tenant_id and h.lifted_at is null) as held
    from offboardings o join tenants t on t.id = o.tenant_id
   where o.id = ${id} and o.cancelled_at is null and o.purged_at is null
     for update of o`;

/** Whether a table that is to be empty has a row of the tenant. */
export const anythingLeft = (tenantId: string): Sql => sql`
  select ${TENANT_DATA.filter(({ purge }) => purge.does === 'delete')
    .flatMap((entry) =>
      theirRows(entry, tenantId).map((which) => sql`exists (select from ${raw(entry.table)} where ${which})`),
    )
    .reduce((all, one) => (all === empty ? one : sql`${all} or ${one}`), empty)} as "isLeft"`;

export const countRows = (table: string, tenantId: string): Sql =>
  sql`select count(*)::int as rows from ${raw(table)} where ${ofTenant(table, tenantId)}`;

/** Which of these addresses, phones and ids are of somebody of the tenant. */
export const theirPeople = (tenantId: string, named: readonly string[]): Sql => sql`
  select id, email, phone from users
   where tenant_id = ${tenantId}
     and (id in (select jsonb_array_elements_text(${JSON.stringify(named)}::jsonb))
          or email in (select jsonb_array_elements_text(${JSON.stringify(named)}::jsonb))
          or phone in (select jsonb_array_elements_text(${JSON.stringify(named)}::jsonb)))`;
