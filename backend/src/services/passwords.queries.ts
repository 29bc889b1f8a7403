import type { UserStatus } from '../generated/prisma/enums.ts';
import { sql, type Sql } from '../utils/sql.ts';

/** Somebody who gets a password, and what must not be part of it. */
export type PasswordOwner = {
  id: string;
  tenantId: string | null;
  tenantName: string | null;
  name: string;
  email: string | null;
  phone: string | null;
  status: UserStatus;
  passwordHash: string | null;
};

const owner = sql`
  select u.id, u.tenant_id as "tenantId", t.name as "tenantName", u.name, u.email, u.phone, u.status,
         u.password_hash as "passwordHash"
    from users u left join tenants t on t.id = u.tenant_id`;

export const passwordOwner = (userId: string): Sql => sql`${owner} where u.id = ${userId}`;

/** Whoever may use a one-time token that still works. */
export const ownerOfToken = (tokenHash: string, purposes: readonly string[]): Sql => sql`
  ${owner} join one_time_tokens o on o.user_id = u.id
   where o.token_hash = ${tokenHash} and o.purpose::text = any (string_to_array(${purposes.join(',')}, ',')) and o.used_at is null
     and o.expires_at > now()`;

/** The hashes of earlier passwords, newest first. */
export const earlierPasswords = (userId: string, most: number): Sql => sql`
  select password_hash as "passwordHash" from password_history
   where user_id = ${userId} order by created_at desc, id desc limit ${most}`;
