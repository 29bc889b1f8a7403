import { sql, type Sql } from '../utils/sql.ts';
import type { ImpersonationMode, SessionRestriction } from '../generated/prisma/enums.ts';
import { addressAllowed } from './ip-rules.queries.ts';

export type PrincipalRow = {
  id: string;
  type: 'ADMIN_USER' | 'PLATFORM_USER';
  name: string;
  email: string | null;
  status: string;
  permissionVersion: number;
  tenantId: string | null;
  tenantStatus: string | null;
  live: boolean;
  elevatedUntil: Date | null;
  restriction: SessionRestriction | null;
  addressAllowed: boolean;
  isImpersonated: boolean;
  /** Null also when the impersonation is over. */
  impersonation: { id: string; adminId: string; adminName: string; mode: ImpersonationMode; expiresAt: string } | null;
};

/** Over at its end, when it was ended, when the admin has left, and when the tenant withdraws its consent (rule 9). */
const liveImpersonation = sql`
  select jsonb_build_object('id', i.id, 'adminId', i.admin_id, 'adminName', i.admin_name, 'mode', i.mode, 'expiresAt', i.expires_at)
    from impersonations i join users a on a.id = i.admin_id
   where i.id = s.impersonation_id and i.ended_at is null and i.expires_at > now() and a.status = 'ACTIVE'
     and not exists (select from settings c where c.tenant_id = i.tenant_id and c.key = 'support.access_allowed' and c.value = 'false')`;

/**
 * Who sends the request: a few look-ups by key, asked on every request, so that a session that ended, a person who
 * left and an address that is shut out are out at once.
 */
export const principalOfSession = (sessionId: string, ip: string | null): Sql => sql`
  select u.id, u.type, u.name, u.email, u.status, u.permission_version as "permissionVersion", u.tenant_id as "tenantId",
         t.status as "tenantStatus", s.revoked_at is null and s.expires_at > now() as live,
         s.elevated_until as "elevatedUntil", s.restriction, s.impersonation_id is not null as "isImpersonated",
         case when s.impersonation_id is not null then (${liveImpersonation}) end as impersonation,
         ${addressAllowed(ip, sql`(u.type = 'ADMIN_USER' or s.impersonation_id is not null)`)} as "addressAllowed"
    from sessions s join users u on u.id = s.user_id left join tenants t on t.id = u.tenant_id
   where s.id = ${sessionId}`;

/**
 * The roles of a person that hold now, the one that grants most first.
 * @param userId or SQL that gives it
 */
export const rolesOf = (userId: string | Sql): Sql => sql`
  select a.id as "assignmentId", r.id as "roleId", r.code as role, r.name as "roleName", a.expires_at as "expiresAt",
         coalesce(array_agg(p.permission_code) filter (where p.permission_code is not null), '{}') as permissions
    from role_assignments a join roles r on r.id = a.role_id left join role_permissions p on p.role_id = r.id
   where a.user_id = ${userId} and (a.expires_at is null or a.expires_at > now())
   group by a.id, r.id order by count(p.permission_code) desc, r.code`;

/** The direct grants and denials of a person that hold now. */
export const overridesOf = (userId: string | Sql): Sql => sql`
  select id, permission_code as permission, effect, reason, expires_at as "expiresAt"
    from permission_overrides where user_id = ${userId} and (expires_at is null or expires_at > now())
   order by permission_code`;
