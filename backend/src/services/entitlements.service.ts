import { entitlementNames, ENTITLEMENTS, type Entitlement } from '../config/entitlements.ts';
import type { ReadContext, WriteContext } from '../types/context.ts';
import { AppError } from '../utils/errors.ts';
import { dayInIndia } from '../utils/india-time.ts';
import { entitlementFacts, lockEntitlement, type EntitlementFacts } from './entitlements.queries.ts';

// What a tenant may have, by the version of the plan to which it subscribed and its add-ons, and what it has.

export type EntitlementUse = {
  name: Entitlement;
  description: string;
  /** null: without limit. */
  limit: number | null;
  used: number;
  /** Never less than 0, also where a smaller plan allows less than there is; null: without limit. */
  left: number | null;
};

/** What is used of something that is limited. */
export type LimitedUse = { name: Entitlement; limit: number; used: number };

/** Every entitlement with its limit and what is used of it, in one round trip. Without a live subscription nothing is limited. */
export async function entitlementsOf(
  ctx: Pick<ReadContext, 'sql' | 'now'>,
  tenantId: string,
): Promise<EntitlementUse[]> {
  const facts = await factsOf(ctx, tenantId, entitlementNames);
  return entitlementNames.map((name) => {
    const [limit, used] = [limitOf(facts, name), facts.used[name] ?? 0];
    const left = limit === null ? null : Math.max(0, limit - used);
    return { name, description: ENTITLEMENTS[name].description, limit, used, left };
  });
}

/**
 * Makes sure that the subscription of a tenant allows so many more; others who add the same wait until this transaction
 * has ended. Call it before they are added.
 * @throws AppError limit_reached
 */
export async function assertWithinLimit(
  ctx: WriteContext,
  tenantId: string,
  name: Entitlement,
  adding: number,
): Promise<void> {
  if (adding <= 0) return;
  const [use] = await limitedUses(ctx, tenantId, [name]);
  if (use && use.used + adding > use.limit) throw limitReached(use);
}

/**
 * Of some entitlements those that are limited, with what is used of them: nobody else adds to these before the end of the
 * transaction.
 */
export async function limitedUses(
  ctx: WriteContext,
  tenantId: string,
  names: readonly Entitlement[],
): Promise<LimitedUse[]> {
  if (names.length === 0) return [];
  // Most tenants need not wait for each other, nor be counted: first it is asked whether there is a limit.
  const allowed = await factsOf(ctx, tenantId, []);
  const limited = entitlementNames.filter((name) => names.includes(name) && limitOf(allowed, name) !== null);
  if (limited.length === 0) return [];
  for (const name of limited) await ctx.sql.one(lockEntitlement(tenantId, name));
  const facts = await factsOf(ctx, tenantId, limited);
  return limited.flatMap((name) => {
    const limit = limitOf(facts, name);
    return limit === null ? [] : [{ name, limit, used: facts.used[name] ?? 0 }];
  });
}

/** The error for whoever would go beyond a limit. */
export function limitReached({ name, limit, used }: LimitedUse): AppError {
  const { unit } = ENTITLEMENTS[name];
  const told = `The limit of the subscription for ${unit} is ${limit}; in use: ${used}. Upgrade the plan or take an add-on.`;
  return new AppError('limit_reached', told, { entitlement: name, limit, used });
}

const factsOf = async (
  ctx: Pick<ReadContext, 'sql' | 'now'>,
  tenantId: string,
  names: readonly Entitlement[],
): Promise<EntitlementFacts> => {
  const facts = await ctx.sql.one<EntitlementFacts>(entitlementFacts(tenantId, dayInIndia(ctx.now), names));
  return facts ?? { limits: null, addOns: [], used: {} };
};

/** The limit of the plan, and what each add-on adds to it. */
function limitOf({ limits, addOns }: EntitlementFacts, name: Entitlement): number | null {
  const ofPlan = limits?.[name] ?? null;
  if (ofPlan === null) return null;
  return addOns.reduce((sum, { quantity, limits: more }) => sum + quantity * (more[name] ?? 0), ofPlan);
}
