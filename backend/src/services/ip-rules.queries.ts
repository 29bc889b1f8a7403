import type { z } from 'zod';
import { sql, where, type Sql } from '../utils/sql.ts';
import type { listIpRulesQuery } from '../validators/ip-rules.validator.ts';

export type IpRuleFilter = z.output<typeof listIpRulesQuery>;

const holdsNow = sql`(r.expires_at is null or r.expires_at > now())`;

/**
 * Whether somebody may come from this address: no rule denies it, and one allows it if there are any that allow. An
 * address that is not known is allowed by none (rule 7). One look at the rules, since every request takes it.
 * @param ip as `normalAddress` gives it; null when it is not known
 * @param isAdmin SQL that is true for portal admins
 */
export function addressAllowed(ip: string | null, isAdmin: Sql): Sql {
  const holdsIt = sql`coalesce(r.network >>= ${ip}::inet, false)`;
  const allowing = sql`r.effect = 'ALLOW'`;
  // Without a rule there is nothing to be decided, and each of these is null.
  return sql`coalesce((
    select not bool_or(r.effect = 'DENY' and ${holdsIt}) and (not bool_or(${allowing}) or bool_or(${allowing} and ${holdsIt}))
      from ip_rules r where (r.audience = 'EVERYONE' or ${isAdmin}) and ${holdsNow}), true)`;
}

const columns = sql`
  r.id, r.effect, r.audience, abbrev(r.network) as network, r.note, r.created_by_id as "createdById",
  r.created_at as "createdAt", r.expires_at as "expiresAt"`;

export function ipRuleRows({ effect, audience, current, order }: IpRuleFilter): { rows: Sql; count: Sql } {
  const conditions = where(
    effect && sql`r.effect = ${effect}::ip_rule_effect`,
    audience && sql`r.audience = ${audience}::ip_rule_audience`,
    current && (current === 'true' ? holdsNow : sql`not ${holdsNow}`),
  );
  const direction = order === 'asc' ? sql`order by r.created_at, r.id` : sql`order by r.created_at desc, r.id desc`;
  return {
    rows: sql`select ${columns} from ip_rules r ${conditions} ${direction}`,
    count: sql`select count(*)::int as total from ip_rules r ${conditions}`,
  };
}

export const ipRuleById = (id: string): Sql => sql`select ${columns} from ip_rules r where r.id = ${id}`;

/** One change of the rules at a time, till the end of the transaction: else two could shut out what each lets in. */
export const lockIpRules = (): Sql =>
  sql`select pg_advisory_xact_lock(hashtextextended('ip_rules', 0))::text as locked`;

/** Whether a portal admin may come from this address. */
export const adminAddressAllowed = (ip: string | null): Sql => sql`select ${addressAllowed(ip, sql`true`)} as allowed`;

/** Prisma does not write networks. */
export const insertIpRule = (rule: {
  id: string;
  effect: string;
  audience: string;
  network: string;
  note: string;
  createdById: string;
  createdAt: Date;
  expiresAt: Date | null;
}): Sql => sql`
  insert into ip_rules (id, effect, audience, network, note, created_by_id, created_at, expires_at)
  values (${rule.id}, ${rule.effect}::ip_rule_effect, ${rule.audience}::ip_rule_audience, ${rule.network}::inet, ${rule.note},
          ${rule.createdById}, ${rule.createdAt}, ${rule.expiresAt})`;

/** A rule that is over makes room for the same again. */
export const removeOverRule = (rule: { effect: string; audience: string; network: string }): Sql => sql`
  delete from ip_rules r
   where r.effect = ${rule.effect}::ip_rule_effect and r.audience = ${rule.audience}::ip_rule_audience
     and r.network = ${rule.network}::inet and not ${holdsNow}`;

/** The first rule of each effect and audience that speaks of the address, the narrowest, and whether any allows at all. */
export const rulesAbout = (address: string): { matching: Sql; allowing: Sql } => ({
  matching: sql`
    select distinct on (r.effect, r.audience) ${columns} from ip_rules r
     where ${holdsNow} and r.network >>= ${address}::inet
     order by r.effect, r.audience, masklen(r.network) desc, r.id`,
  allowing: sql`
    select coalesce(bool_or(true), false) as admins, coalesce(bool_or(r.audience = 'EVERYONE'), false) as everyone
      from ip_rules r where r.effect = 'ALLOW' and ${holdsNow}`,
});
