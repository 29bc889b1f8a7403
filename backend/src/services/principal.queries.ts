import { sql, type Sql } from '../utils/sql.ts';

export type PrincipalRow = {
  id: string;
  type: 'ADMIN_USER' | 'PLATFORM_USER';
  name: string;
  email: string | null;
  status: string;
  permission_version: number;
  tenant_id: string | null;
  tenant_status: string | null;
  live: boolean;
};

/** Three look-ups by primary key: asked on every request, so that a session that ended or a person who left is out. */
export const principalOfSession = (sessionId: string): Sql => sql`
  select u.id, u.type, u.name, u.email, u.status, u.permission_version, u.tenant_id, t.status as tenant_status,
         s.revoked_at is null and s.expires_at > now() as live
    from sessions s join users u on u.id = s.user_id left join tenants t on t.id = u.tenant_id
   where s.id = ${sessionId}`;

/** Every permission of a person, through their roles. */
export const permissionsOf = (userId: string): Sql => sql`
  select r.code as role, coalesce(array_agg(p.permission_code) filter (where p.permission_code is not null), '{}') as permissions
    from role_assignments a join roles r on r.id = a.role_id left join role_permissions p on p.role_id = r.id
   where a.user_id = ${userId}
   group by r.code order by count(p.permission_code) desc, r.code`;
