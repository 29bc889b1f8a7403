import type { z } from 'zod';
import type { UserType } from '../generated/prisma/enums.ts';
import { containing, orderBy, sql, where, type Sql } from '../utils/sql.ts';
import type {
  listMembersQuery,
  listRolesQuery,
  memberSortColumns,
  roleSortColumns,
} from '../validators/rbac.validator.ts';

export type RoleFilter = z.output<typeof listRolesQuery>;
export type MemberFilter = z.output<typeof listMembersQuery>;

export const permissionRows = (): Sql =>
  sql`select code, "group", risk, description from permissions order by "group", code`;

const grants = sql`
  coalesce((select array_agg(p.permission_code order by p.permission_code) from role_permissions p where p.role_id = r.id), '{}') as permissions`;
const roleFields = sql`r.id, r.code, r.name, r.description, r.user_type as "userType", r.built_in as "builtIn", ${grants}`;

export const matrixRows = (): Sql => sql`select ${roleFields} from roles r order by r.user_type desc, r.name, r.id`;

const holdsNow = sql`(a.expires_at is null or a.expires_at > now())`;

/** A role that everybody holds is not counted to its end. */
const roleColumns = sql`
  ${roleFields}, r.version, r.created_at as "createdAt", r.updated_at as "updatedAt",
  (select count(*) from (select from role_assignments a where a.role_id = r.id and ${holdsNow} limit 10000) held)::int as members`;

const sortColumns: Record<(typeof roleSortColumns)[number], string> = {
  name: 'r.name',
  code: 'r.code',
  createdAt: 'r.created_at',
};

export function roleRows({ userType, builtIn, q, sort, order }: RoleFilter): { rows: Sql; count: Sql } {
  const conditions = where(
    userType && sql`r.user_type = ${userType}::user_type`,
    builtIn !== undefined && sql`r.built_in = ${builtIn}`,
    q && sql`lower(r.name || ' ' || r.code) like ${containing(q)}`,
  );
  return {
    rows: sql`select ${roleColumns} from roles r ${conditions} ${orderBy(sortColumns, sort, order, 'r.id')}`,
    count: sql`select count(*)::int as total from roles r ${conditions}`,
  };
}

export const roleById = (id: string): Sql => sql`select ${roleColumns} from roles r where r.id = ${id}`;
export const roleExists = (id: string): Sql => sql`select 1 from roles where id = ${id}`;

export type LockedRole = {
  id: string;
  code: string;
  name: string;
  description: string;
  userType: UserType;
  builtIn: boolean;
  version: number;
  permissions: string[];
};

export const lockRole = (id: string): Sql =>
  sql`select ${roleFields}, r.version from roles r where r.id = ${id} for update of r`;

const memberSort: Record<(typeof memberSortColumns)[number], string> = { createdAt: 'a.created_at', name: 'u.name' };

export function memberRows(roleId: string, { sort, order }: MemberFilter): { rows: Sql; count: Sql } {
  const members = sql`role_assignments a join users u on u.id = a.user_id where a.role_id = ${roleId} and ${holdsNow}`;
  return {
    rows: sql`select a.id as "assignmentId", a.assigned_by_id as "assignedById", a.expires_at as "expiresAt",
                     a.created_at as "createdAt",
                     jsonb_build_object('id', u.id, 'name', u.name, 'email', u.email, 'type', u.type, 'status', u.status,
                                        'tenantId', u.tenant_id) as user
                from ${members} ${orderBy(memberSort, sort, order, 'a.id')}`,
    count: sql`select count(*)::int as total from ${members}`,
  };
}

/** Everything that members of a role may do now, through whatever role or grant. */
export const permissionsOfMembers = (roleId: string): Sql => sql`
  with members as (
    select a.user_id from role_assignments a where a.role_id = ${roleId} and ${holdsNow}
  ), granted as (
    select a.user_id, p.permission_code as code
      from members m join role_assignments a on a.user_id = m.user_id and ${holdsNow}
      join role_permissions p on p.role_id = a.role_id
    union
    select o.user_id, o.permission_code from members m join permission_overrides o on o.user_id = m.user_id
     where o.effect = 'GRANT' and (o.expires_at is null or o.expires_at > now())
  )
  select distinct g.code from granted g
   where not exists (select from permission_overrides d
                      where d.user_id = g.user_id and d.permission_code = g.code and d.effect = 'DENY'
                        and (d.expires_at is null or d.expires_at > now()))`;

/**
 * Who of the members would gain or lose what if the role granted `proposed`. Whoever has another role with the same
 * permission, or a direct grant, or a denial of it, neither gains nor loses it.
 */
const affectedMembers = (roleId: string, proposed: readonly string[]): Sql => sql`
  with changed as (
    select code, true as gained from unnest(${[...proposed]}::text[]) as code
     where not exists (select from role_permissions p where p.role_id = ${roleId} and p.permission_code = code)
    union all
    select p.permission_code, false from role_permissions p
     where p.role_id = ${roleId} and p.permission_code <> all (${[...proposed]}::text[])
  ), members as (
    select a.user_id from role_assignments a where a.role_id = ${roleId} and ${holdsNow}
  ), elsewhere as (
    select distinct a.user_id, p.permission_code as code
      from members m join role_assignments a on a.user_id = m.user_id and a.role_id <> ${roleId} and ${holdsNow}
      join role_permissions p on p.role_id = a.role_id join changed c on c.code = p.permission_code
    union
    select o.user_id, o.permission_code from members m join permission_overrides o on o.user_id = m.user_id
     where o.expires_at is null or o.expires_at > now()
  ), affected as (
    select m.user_id, c.code, c.gained from members m cross join changed c
     where not exists (select from elsewhere e where e.user_id = m.user_id and e.code = c.code)
  )`;

export const impactCounts = (roleId: string, proposed: readonly string[]): Sql => sql`
  ${affectedMembers(roleId, proposed)}
  select coalesce((select array_agg(code order by code) from changed where gained), '{}') as added,
         coalesce((select array_agg(code order by code) from changed where not gained), '{}') as removed,
         (select count(*) from members)::int as members,
         (select count(distinct user_id) from affected)::int as affected,
         coalesce((select jsonb_agg(jsonb_build_object('permission', c.code,
                            'change', case when c.gained then 'GAINED' else 'LOST' end,
                            'people', (select count(*) from affected a where a.code = c.code)) order by c.code)
                     from changed c), '[]') as permissions`;

export const impactPeople = (roleId: string, proposed: readonly string[], most: number): Sql => sql`
  ${affectedMembers(roleId, proposed)}
  select u.id, u.name, u.email,
         coalesce(array_agg(a.code order by a.code) filter (where a.gained), '{}') as gains,
         coalesce(array_agg(a.code order by a.code) filter (where not a.gained), '{}') as loses
    from affected a join users u on u.id = a.user_id group by u.id order by u.name, u.id limit ${most}`;
