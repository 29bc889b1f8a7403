import type { z } from 'zod';
import { afterCursor, cursorTime } from '../utils/cursor-page.ts';
import { sql, where, type Sql } from '../utils/sql.ts';
import type {
  listAllSessionsQuery,
  listLockoutsQuery,
  listLoginAttemptsQuery,
  listSecurityEventsQuery,
} from '../validators/security.validator.ts';

export type LoginAttemptFilter = z.output<typeof listLoginAttemptsQuery>;
export type LockoutFilter = z.output<typeof listLockoutsQuery>;
export type SessionFilter = z.output<typeof listAllSessionsQuery>;
export type SecurityEventFilter = z.output<typeof listSecurityEventsQuery>;

type Page = { rows: Sql; count: Sql };

/** In the select list, which comes after sorting: one look-up for each row of the page. */
const personOf = (column: Sql): Sql => sql`
  (select jsonb_build_object('id', u.id, 'name', u.name, 'email', u.email, 'type', u.type) from users u where u.id = ${column}) as user`;

export function loginAttemptRows(filter: LoginAttemptFilter): Page {
  const { userId, tenantId, outcome, ip, country, from, to, cursor } = filter;
  const conditions = where(
    userId && sql`a.user_id = ${userId}`,
    tenantId && sql`a.tenant_id = ${tenantId}`,
    outcome && sql`a.outcome = ${outcome}::login_outcome`,
    ip && sql`a.ip_address = ${ip}`,
    country && sql`a.country = ${country}`,
    from && sql`a.created_at >= ${from}`,
    to && sql`a.created_at < ${to}`,
    afterCursor(sql`a.created_at, a.id`, cursor),
  );
  return {
    rows: sql`
      select a.id, a.tenant_id as "tenantId", ${personOf(sql`a.user_id`)}, a.account, a.outcome, a.method,
             a.ip_address as "ipAddress", a.country, a.user_agent as "userAgent", ${cursorTime(sql`a.created_at`)} as "createdAt"
        from login_attempts a ${conditions} order by a.created_at desc, a.id desc`,
    count: sql`select count(*)::int as total from login_attempts a ${conditions}`,
  };
}

const lockoutHolds = sql`l.lifted_at is null and l.locked_until > now()`;

const lockoutColumns = sql`
  l.id, l.tenant_id as "tenantId", ${personOf(sql`l.user_id`)}, l.account, l.kind, l.network, l.failures,
  ${lockoutHolds} as current, l.created_at as "createdAt", l.locked_until as "lockedUntil", l.lifted_at as "liftedAt",
  l.lifted_by_id as "liftedById"`;

export function lockoutRows({ userId, history }: LockoutFilter): Page {
  const conditions = where(userId && sql`l.user_id = ${userId}`, history !== 'true' && lockoutHolds);
  return {
    rows: sql`select ${lockoutColumns} from lockouts l ${conditions} order by l.locked_until desc, l.id desc`,
    count: sql`select count(*)::int as total from lockouts l ${conditions}`,
  };
}

export const lockoutById = (id: string): Sql => sql`select ${lockoutColumns} from lockouts l where l.id = ${id}`;

export type ThrottledRow = {
  id: string;
  tenantId: string | null;
  userId: string | null;
  throttleKey: string;
  current: boolean;
};

export const lockoutKey = (id: string): Sql => sql`
  select l.id, l.tenant_id as "tenantId", l.user_id as "userId", l.throttle_key as "throttleKey", ${lockoutHolds} as current
    from lockouts l where l.id = ${id}`;

const sessionLives = sql`(s.revoked_at is null and s.expires_at > now())`;

export function sessionRows(filter: SessionFilter, currentId: string): Page {
  const { userId, tenantId, type, ip, live, cursor } = filter;
  const conditions = where(
    userId && sql`s.user_id = ${userId}`,
    tenantId && sql`s.tenant_id = ${tenantId}`,
    // Only admins have no tenant.
    type && (type === 'ADMIN' ? sql`s.tenant_id is null` : sql`s.tenant_id is not null`),
    ip && sql`s.ip_address = ${ip}`,
    live && (live === 'true' ? sessionLives : sql`not ${sessionLives}`),
    afterCursor(sql`s.created_at, s.id`, cursor),
  );
  return {
    rows: sql`
      select s.id, s.tenant_id as "tenantId", ${personOf(sql`s.user_id`)}, ${sessionLives} as live, s.id = ${currentId} as current,
             s.method, s.mfa, s.impersonation_id as "impersonationId", s.ip_address as "ipAddress", s.country,
             s.user_agent as "userAgent", ${cursorTime(sql`s.created_at`)} as "createdAt", s.last_seen_at as "lastSeenAt",
             s.expires_at as "expiresAt", s.revoked_at as "revokedAt", s.revoked_reason as "revokedReason"
        from sessions s ${conditions} order by s.created_at desc, s.id desc`,
    count: sql`select count(*)::int as total from sessions s ${conditions}`,
  };
}

const eventColumns = sql`
  e.id, e.tenant_id as "tenantId", e.type, e.severity, ${personOf(sql`e.user_id`)}, e.session_id as "sessionId",
  e.api_key_id as "apiKeyId", e.ip_address as "ipAddress", e.user_agent as "userAgent", e.details,
  ${cursorTime(sql`e.created_at`)} as "createdAt", e.resolved_at as "resolvedAt", e.resolved_by_id as "resolvedById", e.resolution`;

export function securityEventRows(filter: SecurityEventFilter): Page {
  const { type, severity, userId, tenantId, resolved, from, to, cursor } = filter;
  const conditions = where(
    type && sql`e.type = ${type}::security_event_type`,
    severity && sql`e.severity = ${severity}::security_event_severity`,
    userId && sql`e.user_id = ${userId}`,
    tenantId && sql`e.tenant_id = ${tenantId}`,
    resolved && (resolved === 'true' ? sql`e.resolved_at is not null` : sql`e.resolved_at is null`),
    from && sql`e.created_at >= ${from}`,
    to && sql`e.created_at < ${to}`,
    afterCursor(sql`e.created_at, e.id`, cursor),
  );
  return {
    rows: sql`select ${eventColumns} from security_events e ${conditions} order by e.created_at desc, e.id desc`,
    count: sql`select count(*)::int as total from security_events e ${conditions}`,
  };
}

export const securityEventById = (id: string): Sql =>
  sql`select ${eventColumns} from security_events e where e.id = ${id}`;
