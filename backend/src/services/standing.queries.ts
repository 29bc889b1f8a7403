import { sql, type Sql } from '../utils/sql.ts';

export type StandingRow = {
  hasPassword: boolean;
  passwordChangedAt: Date | null;
  createdAt: Date;
  mfaRequiredSince: Date | null;
  /** Codes of the roles that hold now. */
  roles: string[];
};

/** What decides whether a person's password has to be changed, and whether they need a second factor. */
export const standingRow = (userId: string): Sql => sql`
  select u.password_hash is not null as "hasPassword", u.password_changed_at as "passwordChangedAt",
         u.created_at as "createdAt", u.mfa_required_since as "mfaRequiredSince",
         array(select r.code from role_assignments a join roles r on r.id = a.role_id
                where a.user_id = u.id and (a.expires_at is null or a.expires_at > now())) as roles
    from users u where u.id = ${userId}`;
