import type { SettingKey } from '../config/settings.ts';
import { sql, type Sql } from '../utils/sql.ts';

export type StoredSetting = { key: string; value: unknown; secret: boolean; tenantId: string | null };

/** A setting of one owner, also where it is not stored. */
export type SettingRow = {
  key: SettingKey;
  id: string | null;
  value: unknown;
  secret: boolean | null;
  updatedAt: Date | null;
  /** Counts every change, also those back to the default; 0 before the first. */
  version: number;
};

export type RevisionRow = { version: number; removed: boolean; value: unknown; secret: boolean };

/** Null is the platform. Written so that the indexes, which begin with the tenant, serve both. */
const ownedBy = (tenantId: string | null, column: Sql): Sql =>
  tenantId === null ? sql`${column} is null` : sql`${column} = ${tenantId}`;

const listed = (keys: readonly string[]): Sql => sql`unnest(string_to_array(${keys.join(',')}, ',')) as k(key)`;

/** The stored values that may hold for a tenant, or for the platform: its own first. */
export const storedFor = (keys: readonly SettingKey[], tenantId: string | null): Sql => sql`
  select s.key, s.value, s.secret, s.tenant_id as "tenantId"
    from ${listed(keys)} join settings s on s.key = k.key
   where s.tenant_id = ${tenantId} or s.tenant_id is null order by s.tenant_id nulls last`;

/** These settings of one owner, each with its version. */
export const settingRows = (keys: readonly SettingKey[], tenantId: string | null): Sql => sql`
  select k.key, s.id, s.value, s.secret, s.updated_at as "updatedAt",
         coalesce(s.version, (select max(h.version) from setting_revisions h
                               where h.key = k.key and ${ownedBy(tenantId, sql`h.tenant_id`)}), 0) as version
    from ${listed(keys)} left join settings s on s.key = k.key and ${ownedBy(tenantId, sql`s.tenant_id`)}
   order by k.key`;

/** Until the end of the transaction nobody else changes this setting, also where there is no row yet to lock. */
export const lockSetting = (key: SettingKey, tenantId: string | null): Sql => sql`
  select 1 as locked from pg_advisory_xact_lock(hashtextextended(${`setting:${tenantId ?? 'platform'}:${key}`}, 0))`;

export const revisionOf = (key: SettingKey, tenantId: string | null, version: number): Sql => sql`
  select h.version, h.removed, h.value, h.secret from setting_revisions h
   where h.key = ${key} and h.version = ${version} and ${ownedBy(tenantId, sql`h.tenant_id`)}`;

/** Who changed the setting, with what it was before and after. */
export const revisionRows = (key: SettingKey, tenantId: string | null, order: 'asc' | 'desc') => {
  const ofThis = sql`h.key = ${key} and ${ownedBy(tenantId, sql`h.tenant_id`)}`;
  return {
    rows: sql`
      select h.version, h.removed, h.secret, h.value as after, b.value as before, h.created_at as "createdAt",
             b.secret as "beforeSecret", h.changed_by_id as "changedById", h.changed_by as "changedBy"
        from setting_revisions h
        left join setting_revisions b on b.key = h.key and b.version = h.version - 1
                                     and ${ownedBy(tenantId, sql`b.tenant_id`)}
       where ${ofThis} order by h.version ${order === 'asc' ? sql`asc` : sql`desc`}`,
    count: sql`select count(*)::int as total from setting_revisions h where ${ofThis}`,
  };
};
