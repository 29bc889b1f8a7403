import type { z } from 'zod';
import { sql, where, type Sql } from '../utils/sql.ts';
import type { listApiKeysQuery } from '../validators/api-keys.validator.ts';

export type ApiKeyFilter = z.output<typeof listApiKeysQuery>;

const columns = sql`
  k.id, k.name, k.prefix, k.scopes, array(select abbrev(n) from unnest(k.allowed_networks) n) as "allowedNetworks",
  case when k.revoked_at is not null then 'REVOKED' when k.expires_at <= now() then 'EXPIRED' else 'ACTIVE' end as state,
  jsonb_build_object('id', k.created_by_id, 'name', u.name) as "createdBy", k.created_at as "createdAt",
  k.expires_at as "expiresAt", k.last_used_at as "lastUsedAt", k.last_used_ip as "lastUsedIp",
  k.rotated_at as "rotatedAt", case when k.previous_expires_at > now() then k.previous_expires_at end as "previousExpiresAt",
  k.revoked_at as "revokedAt"`;

const source = sql`from api_keys k join users u on u.id = k.created_by_id`;

const states: Record<NonNullable<ApiKeyFilter['state']>, Sql> = {
  ACTIVE: sql`k.revoked_at is null and k.expires_at > now()`,
  EXPIRED: sql`k.revoked_at is null and k.expires_at <= now()`,
  REVOKED: sql`k.revoked_at is not null`,
};

export function apiKeyRows({ state, createdById, order }: ApiKeyFilter): { rows: Sql; count: Sql } {
  const conditions = where(state && states[state], createdById && sql`k.created_by_id = ${createdById}`);
  const direction = order === 'asc' ? sql`order by k.created_at, k.id` : sql`order by k.created_at desc, k.id desc`;
  return {
    rows: sql`select ${columns} ${source} ${conditions} ${direction}`,
    count: sql`select count(*)::int as total from api_keys k ${conditions}`,
  };
}

export const apiKeyById = (id: string): Sql => sql`select ${columns} ${source} where k.id = ${id}`;

export type LockedKey = {
  id: string;
  tenantId: string | null;
  name: string;
  prefix: string;
  secretHash: string;
  createdById: string;
  expiresAt: Date;
  works: boolean;
  revoked: boolean;
  previousExpiresAt: Date | null;
  previousWorks: boolean;
};

export const lockApiKey = (id: string): Sql => sql`
  select id, tenant_id as "tenantId", name, prefix, secret_hash as "secretHash", created_by_id as "createdById",
         expires_at as "expiresAt", revoked_at is null and expires_at > now() as works, revoked_at is not null as revoked,
         previous_expires_at as "previousExpiresAt", coalesce(previous_expires_at > now(), false) as "previousWorks"
    from api_keys where id = ${id} for update`;

/** Prisma has no lists of networks. */
export const setAllowedNetworks = (id: string, networks: readonly string[]): Sql => sql`
  update api_keys set allowed_networks = string_to_array(${networks.join(',')}, ',')::inet[] where id = ${id}`;
