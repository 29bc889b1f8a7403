import { sql, type Sql } from '../utils/sql.ts';
import { hasFactor } from './security-policy-changes.queries.ts';

/** One number for each check, in one row. */
export type Facts = {
  admins: number;
  adminsWithoutFactor: number;
  superAdmins: number;
  dormantAdmins: number;
  oldInvites: number;
  adminAllowList: number;
  keysEndingSoon: number;
  keysUnused: number;
  keysFromEverywhere: number;
  openHighEvents: number;
  auditAlarms: number;
  auditAnchors: number;
  sealedWithOldKey: number;
};

const activeAdmins = sql`from users u where u.type = 'ADMIN_USER' and u.status = 'ACTIVE' and u.deleted_at is null`;
const workingKeys = sql`from api_keys k join users u on u.id = k.created_by_id
  where k.revoked_at is null and k.expires_at > now() and u.status = 'ACTIVE'`;
const ofOldKey = (column: Sql, keyId: string): Sql => sql`split_part(${column}, '.', 2) <> ${keyId}`;

/** @param keyId of the key that seals secrets today */
export const securityFacts = (keyId: string): Sql => sql`
  select (select count(*)::int ${activeAdmins}) as admins,
         (select count(*)::int ${activeAdmins} and not ${hasFactor(sql`u.id`)}) as "adminsWithoutFactor",
         (select count(*)::int from role_assignments a join roles r on r.id = a.role_id join users u on u.id = a.user_id
           where r.code = 'super_admin' and u.status = 'ACTIVE' and u.deleted_at is null
             and (a.expires_at is null or a.expires_at > now())) as "superAdmins",
         (select count(*)::int ${activeAdmins}
             and coalesce(u.last_login_at, u.created_at) < now() - interval '90 days') as "dormantAdmins",
         (select count(*)::int from users u where u.type = 'ADMIN_USER' and u.status = 'PENDING' and u.deleted_at is null
             and u.created_at < now() - interval '7 days') as "oldInvites",
         (select count(*)::int from ip_rules r where r.effect = 'ALLOW' and (r.expires_at is null or r.expires_at > now()))
           as "adminAllowList",
         (select count(*)::int ${workingKeys} and k.expires_at < now() + interval '14 days') as "keysEndingSoon",
         (select count(*)::int ${workingKeys}
             and coalesce(k.last_used_at, k.created_at) < now() - interval '30 days') as "keysUnused",
         (select count(*)::int ${workingKeys} and coalesce(cardinality(k.allowed_networks), 0) = 0) as "keysFromEverywhere",
         (select count(*)::int from security_events e
           where e.resolved_at is null and e.severity in ('HIGH', 'CRITICAL')) as "openHighEvents",
         (select count(*)::int from dead_letters d
           where d.resolved_at is null and d.job = 'report.audit-verification') as "auditAlarms",
         (select count(*)::int from (select from audit_anchors where reason = 'NIGHTLY'
             and created_at > now() - interval '3 days' limit 1) recent) as "auditAnchors",
         (select count(*)::int from totp_credentials c where ${ofOldKey(sql`c.sealed_secret`, keyId)})
           + (select count(*)::int from settings s where s.secret and ${ofOldKey(sql`s.value #>> '{}'`, keyId)})
           + (select count(*)::int from audit_streams t where ${ofOldKey(sql`t.sealed_secret`, keyId)}) as "sealedWithOldKey"`;
