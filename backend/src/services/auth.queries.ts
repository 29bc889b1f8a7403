import type { SignInMethod } from '../generated/prisma/enums.ts';
import { sql, type Sql } from '../utils/sql.ts';
import { addressAllowed } from './ip-rules.queries.ts';

export type Account = {
  id: string;
  tenantId: string | null;
  tenantStatus: string | null;
  type: 'ADMIN_USER' | 'PLATFORM_USER';
  name: string;
  email: string | null;
  phone: string | null;
  status: string;
  passwordHash: string | null;
  permissionVersion: number;
};

const accountColumns = sql`
         u.id, u.tenant_id as "tenantId", t.status as "tenantStatus", u.type, u.name, u.email, u.phone, u.status,
         u.password_hash as "passwordHash", u.permission_version as "permissionVersion"`;
const account = sql`select ${accountColumns} from users u left join tenants t on t.id = u.tenant_id`;

export type SignInAccount = Account & { addressAllowed: boolean };

/** Somebody who signs in, and whether they may from there. @param ip as `normalAddress` gives it */
const signInAccount = (ip: string): Sql => sql`
  select ${accountColumns}, ${addressAllowed(ip || null, sql`u.type = 'ADMIN_USER'`)} as "addressAllowed"
    from users u left join tenants t on t.id = u.tenant_id`;

export const signInByEmail = (email: string, ip: string): Sql => sql`${signInAccount(ip)} where u.email = ${email}`;

/** Two at most: a phone that several people share signs nobody in. */
export const signInByPhone = (phone: string, ip: string): Sql =>
  sql`${signInAccount(ip)} where u.phone = ${phone} and u.status = 'ACTIVE' and u.password_hash is not null limit 2`;

export const accountById = (id: string): Sql => sql`${account} where u.id = ${id}`;

export type MeRow = {
  name: string;
  phone: string | null;
  pendingEmail: string | null;
  emailVerified: boolean;
  lastLoginAt: Date | null;
  createdAt: Date;
  tenant: { id: string; name: string; slug: string; status: string } | null;
};

export const profileOf = (userId: string): Sql => sql`
  select u.name, u.phone, u.pending_email as "pendingEmail", u.email_verified as "emailVerified", u.last_login_at as "lastLoginAt", u.created_at as "createdAt",
         case when t.id is not null then jsonb_build_object('id', t.id, 'name', t.name, 'slug', t.slug, 'status', t.status) end as tenant
    from users u left join tenants t on t.id = u.tenant_id
   where u.id = ${userId}`;

export type SessionRow = {
  id: string;
  current: boolean;
  ipAddress: string | null;
  userAgent: string | null;
  country: string | null;
  method: SignInMethod;
  mfa: boolean;
  impersonated: boolean;
  createdAt: Date;
  lastSeenAt: Date;
  expiresAt: Date;
};

export const liveSessions = (userId: string, currentId: string): Sql => sql`
  select id, id = ${currentId} as current, ip_address as "ipAddress", user_agent as "userAgent", country,
         method, mfa, impersonation_id is not null as impersonated, created_at as "createdAt", last_seen_at as "lastSeenAt", expires_at as "expiresAt"
    from sessions where user_id = ${userId} and revoked_at is null and expires_at > now()`;

export const liveSessionCount = (userId: string): Sql => sql`
  select count(*)::int as total from sessions where user_id = ${userId} and revoked_at is null and expires_at > now()`;

export type LockedSession = {
  id: string;
  userId: string;
  refreshSeed: string;
  refreshGeneration: number;
  rotations: Date[];
  createdAt: Date;
  lastSeenAt: Date;
  /** One that serves an impersonation counts as ended: it is not refreshed. */
  live: boolean;
};

export const lockSession = (sessionId: string): Sql => sql`
  select id, user_id as "userId", refresh_seed as "refreshSeed", refresh_generation as "refreshGeneration",
         coalesce(rotations, '{}') as rotations, created_at as "createdAt", last_seen_at as "lastSeenAt",
         revoked_at is null and expires_at > now() and impersonation_id is null as live
    from sessions where id = ${sessionId} for update`;
