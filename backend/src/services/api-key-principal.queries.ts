import { sql, type Sql } from '../utils/sql.ts';
import { addressAllowed } from './ip-rules.queries.ts';

export type KeyRow = {
  id: string;
  name: string;
  secretHash: string;
  previousSecretHash: string | null;
  previousWorks: boolean;
  scopes: string[];
  revoked: boolean;
  expired: boolean;
  /** Its last use is not noted, or was noted a minute ago. */
  stale: boolean;
  networkAllowed: boolean;
  addressAllowed: boolean;
  tenantId: string | null;
  tenantStatus: string | null;
  creatorId: string;
  creatorName: string;
  creatorEmail: string | null;
  creatorType: 'ADMIN_USER' | 'PLATFORM_USER';
  creatorIsThere: boolean;
};

/** A key with its creator, and whether it may be used now and from this address. */
export const principalOfKey = (prefix: string, ip: string | null): Sql => sql`
  select k.id, k.name, k.secret_hash as "secretHash", k.previous_secret_hash as "previousSecretHash",
         coalesce(k.previous_expires_at > now(), false) as "previousWorks", k.scopes, k.revoked_at is not null as revoked,
         k.expires_at <= now() as expired,
         k.last_used_at is null or k.last_used_at < now() - interval '1 minute' as stale,
         cardinality(k.allowed_networks) = 0
           or exists (select from unnest(k.allowed_networks) as n (network) where n.network >>= ${ip}::inet) as "networkAllowed",
         ${addressAllowed(ip, sql`u.type = 'ADMIN_USER'`)} as "addressAllowed",
         u.tenant_id as "tenantId", t.status as "tenantStatus", u.id as "creatorId", u.name as "creatorName",
         u.email as "creatorEmail", u.type as "creatorType",
         u.status = 'ACTIVE' and u.deleted_at is null and coalesce(t.status <> 'PURGED', true) as "creatorIsThere"
    from api_keys k join users u on u.id = k.created_by_id left join tenants t on t.id = u.tenant_id
   where k.prefix = ${prefix}`;

export const creatorOfKey = (prefix: string): Sql => sql`(select created_by_id from api_keys where prefix = ${prefix})`;

/** Of two requests at once the second waits, and then sees what the first has noted. */
export const lockKey = (id: string): Sql => sql`select id from api_keys where id = ${id} for update`;

/** @returns how the statement ends, not whether anything changed: a minute has to pass between two notes */
export const noteLastUse = (id: string, ip: string | null): Sql => sql`
  update api_keys set last_used_at = now(), last_used_ip = ${ip}
   where id = ${id} and (last_used_at is null or last_used_at < now() - interval '1 minute')`;

/** Whether the trail knows already that this key was used today (in India) from this address. */
export const useIsKnown = (id: string, ip: string | null): Sql => sql`
  select 1 from audit_logs
   where resource = 'api_key' and resource_id = ${id} and action = 'security.api_key_use'
     and ip_address is not distinct from ${ip}
     and created_at >= date_trunc('day', now(), 'Asia/Kolkata') limit 1`;

/** Whether the trail knows of a refusal of this key within ten minutes. */
export const refusalIsKnown = (id: string, reason: string): Sql => sql`
  select 1 from audit_logs
   where resource = 'api_key' and resource_id = ${id} and action = 'security.api_key_refused'
     and changes ->> 'reason' = ${reason} and created_at > now() - interval '10 minutes' limit 1`;
