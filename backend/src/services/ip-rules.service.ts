import type { z } from 'zod';
import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import { AppError, invalidField, orNotFound } from '../utils/errors.ts';
import { newId } from '../utils/ids.ts';
import { page } from '../utils/page.ts';
import type { createIpRuleBody, ipRule, ipRulesVerdict } from '../validators/ip-rules.validator.ts';
import * as queries from './ip-rules.queries.ts';
import { assertOutsideTenants } from './platform-space.policy.ts';
import { actingPerson } from './privilege.policy.ts';

type IpRuleView = z.input<typeof ipRule>;
type Verdict = z.input<typeof ipRulesVerdict>;

export const listIpRules = (ctx: ReadContext, filter: queries.IpRuleFilter) =>
  page<IpRuleView>(ctx, filter, queries.ipRuleRows(filter));

/**
 * Adds a rule, which holds from the next request on.
 * @throws AppError conflict when there is the same already, or when it would shut the caller out; validation_failed
 *   for an end that is past
 */
export async function createIpRule(ctx: WriteContext<Actor>, input: z.output<typeof createIpRuleBody>) {
  assertOutsideTenants(ctx);
  if (input.expiresAt && input.expiresAt <= ctx.now) throw invalidField('expiresAt', 'must lie in the future');
  await ctx.sql.one(queries.lockIpRules());
  const rule = { ...input, id: newId(), createdById: actingPerson(ctx.actor), createdAt: ctx.now };
  await ctx.db.$executeRaw(queries.removeOverRule(rule));
  await ctx.db.$executeRaw(queries.insertIpRule(rule));
  await assertCallerStaysIn(ctx);
  ctx.audit({ resource: 'ip_rule', resourceId: rule.id, after: input });
  return ruleOf(ctx, rule.id);
}

const ruleOf = async (ctx: WriteContext, id: string): Promise<IpRuleView> =>
  orNotFound(await ctx.sql.one<IpRuleView>(queries.ipRuleById(id)), 'address rule');

/** Removes a rule. @throws AppError conflict when the caller would be shut out without it */
export async function deleteIpRule(ctx: WriteContext<Actor>, id: string): Promise<IpRuleView> {
  assertOutsideTenants(ctx);
  await ctx.sql.one(queries.lockIpRules());
  const removed = await ruleOf(ctx, id);
  await ctx.db.ipRule.delete({ where: { id }, select: { id: true } });
  await assertCallerStaysIn(ctx);
  const { effect, audience, network, note } = removed;
  ctx.audit({ resource: 'ip_rule', resourceId: id, details: { effect, audience, network, note } });
  return removed;
}

/** After the change and under the lock: what is refused here is rolled back (rule 7). */
async function assertCallerStaysIn(ctx: WriteContext): Promise<void> {
  const [own] = await ctx.sql.many<{ allowed: boolean }>(queries.adminAddressAllowed(ctx.client.ip || null));
  if (own?.allowed) return;
  const where = ctx.client.ip || 'an address that is not known';
  throw new AppError(
    'conflict',
    `This would shut you out yourself: you come from ${where}. Add a rule that allows it for ADMINS first.`,
    { address: ctx.client.ip || null },
  );
}

type Allowing = { admins: boolean; everyone: boolean };

/** What the rules say of an address, and which of them says it. */
export async function testIpRules(ctx: Pick<ReadContext, 'sql'>, address: string): Promise<Verdict> {
  const { matching, allowing } = queries.rulesAbout(address);
  const [found, [lists]] = await ctx.sql.batch<[IpRuleView[], Allowing[]]>(matching, allowing);
  const forEveryone = found.filter(({ audience }) => audience === 'EVERYONE');
  return {
    address,
    admins: verdictOf(found, lists?.admins ?? false),
    everyone: verdictOf(forEveryone, lists?.everyone ?? false),
  };
}

function verdictOf(matching: readonly IpRuleView[], hasAllowList: boolean): Verdict['admins'] {
  const denying = matching.find(({ effect }) => effect === 'DENY');
  if (denying) return { allowed: false, because: 'denied', rule: denying };
  const allowing = matching.find(({ effect }) => effect === 'ALLOW');
  if (allowing) return { allowed: true, because: 'allowed', rule: allowing };
  return hasAllowList
    ? { allowed: false, because: 'not_on_allow_list', rule: null }
    : { allowed: true, because: 'no_rule', rule: null };
}
