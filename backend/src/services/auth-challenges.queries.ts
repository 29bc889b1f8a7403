import type { AuthChallengePurpose } from '../generated/prisma/enums.ts';
import { sql, type Sql } from '../utils/sql.ts';

export type Challenge = { id: string; userId: string | null; tenantId: string | null; sessionId: string | null };

/** @param mostFailures a challenge with so many wrong answers is dead */
export const liveChallenge = (purpose: AuthChallengePurpose, challenge: string, mostFailures: number): Sql => sql`
  select id, user_id as "userId", tenant_id as "tenantId", session_id as "sessionId"
    from auth_challenges
   where challenge = ${challenge} and purpose = ${purpose}::auth_challenge_purpose and used_at is null
     and failures < ${mostFailures} and expires_at > now()`;
