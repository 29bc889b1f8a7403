import { sql, type Sql } from '../utils/sql.ts';

export type PasskeyRow = {
  id: string;
  name: string;
  transports: string[];
  backedUp: boolean;
  createdAt: Date;
  lastUsedAt: Date | null;
};

export const passkeysOf = (userId: string): Sql => sql`
  select id, name, coalesce(transports, '{}') as transports, backed_up as "backedUp", created_at as "createdAt",
         last_used_at as "lastUsedAt"
    from passkeys where user_id = ${userId}`;

export const passkeyCount = (userId: string): Sql => sql`
  select count(*)::int as total from passkeys where user_id = ${userId}`;

export type CredentialName = { id: string; transports: string[] };

/** By which names the authenticators of a person know their keys. */
export const credentialsOf = (userId: string): Sql => sql`
  select credential_id as id, coalesce(transports, '{}') as transports
    from passkeys where user_id = ${userId} order by created_at`;

/** Whose key it is. */
export const ownerOfCredential = (credentialId: string): Sql => sql`
  select user_id as "userId" from passkeys where credential_id = ${credentialId}`;
