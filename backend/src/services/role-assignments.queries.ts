import type { UserType } from '../generated/prisma/enums.ts';
import { sql, type Sql } from '../utils/sql.ts';

export type AccessTarget = { id: string; tenantId: string | null; type: UserType; name: string };

/** Whoever has not left, whatever they are. */
export const lockPerson = (id: string): Sql => sql`
  select id, tenant_id as "tenantId", type, name from users where id = ${id} and deleted_at is null for no key update`;

/** People with a role or a grant whose time is over; those that somebody else is at are left to them. */
export const lockPeopleWithExpired = (most: number): Sql => sql`
  select id, tenant_id as "tenantId", type, name from users
   where id in (select user_id from role_assignments where expires_at <= now()
                union select user_id from permission_overrides where expires_at <= now())
   order by id limit ${most} for no key update skip locked`;

export type Ended = { userId: string; what: string };

export const removeExpiredAssignments = (userIds: string[]): Sql => sql`
  delete from role_assignments a using roles r
   where r.id = a.role_id and a.user_id = any (${userIds}) and a.expires_at <= now()
  returning a.user_id as "userId", r.code as what`;

export const removeExpiredOverrides = (userIds: string[]): Sql => sql`
  delete from permission_overrides where user_id = any (${userIds}) and expires_at <= now()
  returning user_id as "userId", lower(effect::text) || ' ' || permission_code as what`;
