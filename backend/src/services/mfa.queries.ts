import { sql, type Sql } from '../utils/sql.ts';
import { addressAllowed } from './ip-rules.queries.ts';

export type FactorsRow = { totp: boolean; passkey: boolean; recoveryCode: boolean };

/** Which second factors a person could answer with. */
export const factorsOf = (userId: string): Sql => sql`
  select exists (select from totp_credentials where user_id = ${userId} and confirmed_at is not null) as totp,
         exists (select from passkeys where user_id = ${userId}) as passkey,
         exists (select from recovery_codes where user_id = ${userId} and used_at is null) as "recoveryCode"`;

export type MfaRow = { totpSince: Date | null; passkeys: number; recoveryCodesLeft: number };

/** What a person has set up. */
export const setUpOf = (userId: string): Sql => sql`
  select (select confirmed_at from totp_credentials where user_id = u.id) as "totpSince",
         (select count(*)::int from passkeys where user_id = u.id) as passkeys,
         (select count(*)::int from recovery_codes where user_id = u.id and used_at is null) as "recoveryCodesLeft"
    from users u where u.id = ${userId}`;

/** The person, whose second factors nobody else changes or uses before the end of the transaction. */
export const lockedPerson = (userId: string): Sql => sql`
  select id, tenant_id as "tenantId", name, mfa_required_since as "requiredSince"
    from users where id = ${userId} for no key update`;

/** Whether this account may sign in from there. @param ip as `normalAddress` gives it */
export const addressAllowedTo = ({ type }: { type: string }, ip: string): Sql => sql`
  select ${addressAllowed(ip || null, sql`${type === 'ADMIN_USER'}::boolean`)} as "addressAllowed"`;
