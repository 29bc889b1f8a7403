import type { z } from 'zod';
import type { UserStatus } from '../generated/prisma/enums.ts';
import { afterCursor, cursorTime } from '../utils/cursor-page.ts';
import type { Cursor } from '../utils/page.ts';
import { containing, orderBy, sql, where, type Sql } from '../utils/sql.ts';
import type { adminSortColumns, listAdminsQuery } from '../validators/admin-users.validator.ts';

export type AdminFilter = z.output<typeof listAdminsQuery>;

const isAdmin = sql`u.type = 'ADMIN_USER' and u.deleted_at is null`;
const holdsNow = sql`(a.expires_at is null or a.expires_at > now())`;

/**
 * A factor that takes part in every sign-in. Not `exists`: PostgreSQL would read the factors of everybody to have them
 * at hand for each row, though a page has few.
 */
const hasMfa = sql`coalesce(
  (select true from totp_credentials c where c.user_id = u.id and c.confirmed_at is not null limit 1),
  (select true from passkeys p where p.user_id = u.id limit 1), false)`;

const liveInvite = sql`(
  select max(t.expires_at) from one_time_tokens t
   where t.user_id = u.id and t.purpose = 'INVITE' and t.used_at is null and t.expires_at > now())`;

/** The job that sends it has its time; what is older than that and has no link that works needs to be sent again. */
const mailOnItsWay = sql`(
  greatest(u.updated_at, (select max(t.used_at) from one_time_tokens t where t.user_id = u.id and t.purpose = 'INVITE'))
    > now() - interval '15 minutes'
  and not exists (select from one_time_tokens t
                   where t.user_id = u.id and t.purpose = 'INVITE' and t.used_at is null and t.expires_at <= now()))`;

/** Who never accepted and no longer can: their invitation was taken back. */
const isRevoked = sql`u.status = 'INACTIVE' and u.password_hash is null`;

const adminColumns = sql`
  u.id, u.name, u.email, u.phone, u.status, u.last_login_at as "lastLoginAt", u.version,
  u.created_at as "createdAt", u.updated_at as "updatedAt",
  coalesce((select jsonb_agg(jsonb_build_object('assignmentId', a.id, 'id', r.id, 'code', r.code, 'name', r.name,
                                                'expiresAt', a.expires_at) order by r.name)
     from role_assignments a join roles r on r.id = a.role_id where a.user_id = u.id and ${holdsNow}), '[]') as roles,
  jsonb_build_object('enabled', ${hasMfa}, 'requiredSince', u.mfa_required_since) as mfa,
  case when u.status = 'PENDING' then
         jsonb_build_object('state', case when ${liveInvite} is not null then 'OPEN' when ${mailOnItsWay} then 'SENDING' else 'EXPIRED' end,
                            'expiresAt', ${liveInvite})
       when ${isRevoked} then jsonb_build_object('state', 'REVOKED', 'expiresAt', null) end as invite`;

const sortColumns: Record<(typeof adminSortColumns)[number], string> = {
  createdAt: 'u.created_at',
  name: 'u.name',
  lastLoginAt: 'u.last_login_at',
  status: 'u.status',
};

const matching = ({ status, role, mfa, invited, q }: AdminFilter): Sql =>
  where(
    isAdmin,
    status && sql`u.status = ${status}::user_status`,
    role &&
      sql`u.id in (select a.user_id from role_assignments a join roles r on r.id = a.role_id
                    where (r.code = ${role} or r.id = ${role}) and ${holdsNow})`,
    mfa === 'on' && hasMfa,
    mfa === 'off' && sql`not ${hasMfa}`,
    invited === true && sql`u.status = 'PENDING'`,
    invited === false && sql`u.status <> 'PENDING'`,
    q && sql`app.admin_search_text(u.name, u.email) like ${containing(q)}`,
  );

/** What is looked up beside the row comes after sorting: once for each row up to the end of the page. */
export const adminRows = (filter: AdminFilter): { rows: Sql; count: Sql } => ({
  rows: sql`select ${adminColumns} from users u ${matching(filter)} ${orderBy(sortColumns, filter.sort, filter.order, 'u.id')}`,
  count: sql`select count(*)::int as total from users u ${matching(filter)}`,
});

export const adminById = (id: string): Sql => sql`
  select ${adminColumns},
         coalesce((select jsonb_agg(jsonb_build_object('id', o.id, 'permission', o.permission_code, 'effect', o.effect,
                     'reason', o.reason, 'grantedById', o.granted_by_id, 'expiresAt', o.expires_at,
                     'createdAt', o.created_at) order by o.permission_code)
            from permission_overrides o
           where o.user_id = u.id and (o.expires_at is null or o.expires_at > now())), '[]') as permissions
    from users u where u.id = ${id} and ${isAdmin}`;

export const adminExists = (id: string): Sql => sql`select 1 from users u where u.id = ${id} and ${isAdmin}`;

export type LockedAdmin = {
  id: string;
  name: string;
  email: string | null;
  phone: string | null;
  status: UserStatus;
  hasPassword: boolean;
  version: number;
};

export const lockAdmin = (id: string): Sql => sql`
  select u.id, u.name, u.email, u.phone, u.status, u.password_hash is not null as "hasPassword", u.version
    from users u where u.id = ${id} and ${isAdmin} for no key update`;

/** Everything in one statement: one round trip, and numbers of one moment. */
export const adminCounts = (): Sql => sql`
  with admins as (
    select u.id, u.status, u.last_login_at, u.created_at, ${hasMfa} as mfa from users u where ${isAdmin}
  )
  select count(*)::int as total,
         jsonb_build_object('ACTIVE', count(*) filter (where status = 'ACTIVE'),
                            'PENDING', count(*) filter (where status = 'PENDING'),
                            'INACTIVE', count(*) filter (where status = 'INACTIVE'),
                            'SUSPENDED', count(*) filter (where status = 'SUSPENDED')) as "byStatus",
         (select coalesce(jsonb_agg(jsonb_build_object('code', r.code, 'name', r.name, 'admins',
                   (select count(*) from role_assignments a join admins on admins.id = a.user_id
                     where a.role_id = r.id and ${holdsNow})) order by r.name), '[]')
            from roles r where r.user_type = 'ADMIN_USER') as "byRole",
         jsonb_build_object('enabled', count(*) filter (where status = 'ACTIVE' and mfa),
           'share', round(count(*) filter (where status = 'ACTIVE' and mfa)::numeric
                          / nullif(count(*) filter (where status = 'ACTIVE'), 0), 4)) as mfa,
         (count(*) filter (where status = 'ACTIVE' and last_login_at > now() - interval '30 days'))::int as "activeLast30Days",
         (count(*) filter (where status = 'PENDING'))::int as "pendingInvites",
         (count(*) filter (where status = 'ACTIVE'
                             and coalesce(last_login_at, created_at) < now() - interval '90 days'))::int as "dormant90Days"
    from admins`;

const activityColumns = sql`
  id, action, resource, resource_id as "resourceId", tenant_id as "tenantId", outcome, ip_address as "ipAddress",
  request_id as "requestId", case when actor_type = 'API_KEY' then 'API_KEY' else 'PERSON' end as by,
  case when actor_type <> 'API_KEY' and on_behalf_of_id is not null
       then jsonb_build_object('id', on_behalf_of_id, 'name', on_behalf_of_name) end as "onBehalfOf",
  ${cursorTime(sql`created_at`)} as "createdAt"`;

/**
 * What somebody did, in person and by their keys: the newest of either, along an index each, whatever else there is.
 * @param most how many of either can be on the page or before it
 */
export function activityRows(adminId: string, cursor: Cursor | undefined, most: number): Sql {
  const newest = (whose: Sql): Sql =>
    sql`select * from audit_logs ${where(whose, afterCursor(sql`created_at, id`, cursor))}
         order by created_at desc, id desc limit ${most}`;
  return sql`
    select ${activityColumns} from (
      (${newest(sql`actor_id = ${adminId}`)})
      union all
      (${newest(sql`on_behalf_of_id = ${adminId} and actor_id is distinct from ${adminId}`)})
    ) done order by done.created_at desc, done.id desc`;
}

export const activityCount = (adminId: string): Sql => sql`
  select (select count(*) from audit_logs where actor_id = ${adminId})::int
       + (select count(*) from audit_logs where on_behalf_of_id = ${adminId} and actor_id is distinct from ${adminId})::int as total`;

export const adminSessionRows = (adminId: string): { rows: Sql; count: Sql } => {
  const live = sql`user_id = ${adminId} and revoked_at is null and expires_at > now()`;
  return {
    rows: sql`select id, method, mfa, ip_address as "ipAddress", country, user_agent as "userAgent", created_at as "createdAt",
                     last_seen_at as "lastSeenAt", expires_at as "expiresAt"
                from sessions where ${live} order by created_at desc, id desc`,
    count: sql`select count(*)::int as total from sessions where ${live}`,
  };
};
