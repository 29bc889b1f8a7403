import { join, sql, where, type Sql } from '../utils/sql.ts';

/** One change of the policies at a time, till the end of the transaction. */
export const lockPolicies = (): Sql =>
  sql`select pg_advisory_xact_lock(hashtextextended('security_policies', 0))::text as locked`;

export type Headcount = { admins: number; people: number };

const headcount = (conditions: Sql): Sql => sql`
  select count(*) filter (where u.type = 'ADMIN_USER')::int as admins,
         count(*) filter (where u.type = 'PLATFORM_USER')::int as people
    from users u ${conditions}`;

/** Whose password is older than that many days. */
export const withOldPasswords = (days: number): Sql =>
  headcount(
    where(
      sql`u.status = 'ACTIVE'`,
      sql`u.password_hash is not null`,
      sql`coalesce(u.password_changed_at, u.created_at) < now() - ${days} * interval '1 day'`,
    ),
  );

export const hasFactor = (userId: Sql): Sql => sql`(
  exists (select from totp_credentials c where c.user_id = ${userId} and c.confirmed_at is not null)
  or exists (select from passkeys p where p.user_id = ${userId}))`;

/** Who holds one of these roles and has no second factor. */
export const holdersWithoutFactor = (roles: readonly string[]): Sql =>
  headcount(
    where(
      sql`u.status = 'ACTIVE'`,
      sql`exists (select from role_assignments a join roles r on r.id = a.role_id
                   where a.user_id = u.id and r.code in (${join([...roles])}) and (a.expires_at is null or a.expires_at > now()))`,
      sql`not ${hasFactor(sql`u.id`)}`,
    ),
  );

export const knownRoles = (codes: readonly string[]): Sql =>
  sql`select code from roles where code in (${join([...codes])})`;

export const personHasFactor = (userId: string): Sql => sql`select ${hasFactor(sql`${userId}`)} as "hasFactor"`;

export type SessionLimits = {
  idleMinutes: number;
  absoluteHours: number;
  adminIdleMinutes: number;
  adminAbsoluteHours: number;
};

/** Only admins have no tenant. */
const limitedEnd = (limits: SessionLimits): Sql => sql`
  case when s.tenant_id is null
       then least(s.last_seen_at + ${limits.adminIdleMinutes} * interval '1 minute',
                  s.created_at + ${limits.adminAbsoluteHours} * interval '1 hour')
       else least(s.last_seen_at + ${limits.idleMinutes} * interval '1 minute',
                  s.created_at + ${limits.absoluteHours} * interval '1 hour') end`;

const live = sql`s.revoked_at is null and s.expires_at > now() and s.impersonation_id is null`;

export type SessionsAffected = Headcount & { ended: number; shortened: number };

/** How many live sessions would end at once, how many earlier than they will now, and of how many people. */
export const sessionsBeyond = (limits: SessionLimits): Sql => sql`
  select count(distinct s.user_id) filter (where s.tenant_id is null)::int as admins,
         count(distinct s.user_id) filter (where s.tenant_id is not null)::int as people,
         count(*) filter (where ${limitedEnd(limits)} <= now())::int as ended,
         count(*) filter (where ${limitedEnd(limits)} > now())::int as shortened
    from sessions s where ${live} and ${limitedEnd(limits)} < s.expires_at`;

/** Brings every live session within the limits, in one statement: those beyond them end. */
export const shortenSessions = (limits: SessionLimits): Sql => sql`
  update sessions s
     set expires_at = greatest(${limitedEnd(limits)}, s.created_at),
         revoked_at = case when ${limitedEnd(limits)} <= now() then now() end,
         revoked_reason = case when ${limitedEnd(limits)} <= now() then 'POLICY'::session_ending end
   where ${live} and ${limitedEnd(limits)} < s.expires_at`;
