import { sql, type Sql } from '../utils/sql.ts';

/** Rules that hold now and are meant for the one who comes. */
const rules = (effect: 'ALLOW' | 'DENY', isAdmin: Sql): Sql => sql`
  select from ip_rules r where r.effect = ${effect}::ip_rule_effect and (r.audience = 'EVERYONE' or ${isAdmin})
     and (r.expires_at is null or r.expires_at > now())`;

/**
 * Whether somebody may come from this address: no rule denies it, and one allows it if there are any that allow. An
 * address that is not known is allowed by none (rule 7).
 * @param ip as `normalAddress` gives it; null when it is not known
 * @param isAdmin SQL that is true for portal admins
 */
export const addressAllowed = (ip: string | null, isAdmin: Sql): Sql => sql`(
  not exists (${rules('DENY', isAdmin)} and r.network >>= ${ip}::inet)
  and (not exists (${rules('ALLOW', isAdmin)}) or exists (${rules('ALLOW', isAdmin)} and r.network >>= ${ip}::inet)))`;
