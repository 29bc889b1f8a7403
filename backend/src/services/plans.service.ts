import type { z } from 'zod';
import { entitlementNames, type Limits } from '../config/entitlements.ts';
import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import { assertVersion, orNotFound } from '../utils/errors.ts';
import { dayInIndia } from '../utils/india-time.ts';
import { page } from '../utils/page.ts';
import { slugOf } from '../utils/slug.ts';
import type {
  clonePlanBody,
  createPlanBody,
  plan,
  planVersion,
  updatePlanBody,
} from '../validators/plans.validator.ts';
import { assertOutsideTenants } from './platform-space.policy.ts';
import * as queries from './plans.queries.ts';
import { settingOf } from './settings.service.ts';
import { taxRatesOn } from './tax-rates.service.ts';

type PlanView = z.input<typeof plan>;
/** What a version is about. Prices in rupees without tax, with two decimals; a limit that is left out is null. */
type TermsGiven = Pick<PlanView, 'monthlyPrice' | 'annualPrice' | 'trialDays' | 'sacCode' | 'features'> & {
  limits: Limits;
};
type NewPlan = { code: string; name: string; description: string | null; terms: TermsGiven };

/** Within the space of a tenant what it can subscribe to and what it has, without how many others have it. */
export const listPlans = (ctx: ReadContext, filter: queries.PlanFilter) =>
  page<PlanView>(ctx, filter, queries.planRows(filter, ctx.tenantId));

/** @throws AppError not_found */
export const getPlan = async (ctx: Pick<ReadContext, 'sql' | 'tenantId'>, id: string): Promise<PlanView> =>
  orNotFound(await ctx.sql.one<PlanView>(queries.planById(id, ctx.tenantId)), 'plan');

export const listPlanVersions = (
  ctx: ReadContext,
  id: string,
  query: { page: number; limit: number; order: 'asc' | 'desc' },
) =>
  page<z.input<typeof planVersion>>(ctx, query, {
    ...queries.versionRows(id, query.order, ctx.tenantId),
    parent: { of: queries.planExists(id, ctx.tenantId), what: 'plan' },
  });

/**
 * Creates a plan with its first version.
 * @throws AppError conflict when its code or name is taken, or for a service accounting code without a tax rate today
 */
export async function createPlan(ctx: WriteContext<Actor>, body: z.output<typeof createPlanBody>): Promise<PlanView> {
  assertOutsideTenants(ctx);
  const { code, name, description = null, sacCode, ...terms } = body;
  const sac = sacCode ?? (await settingOf(ctx, 'billing.default_sac')) ?? '';
  await taxRatesOn(ctx, dayInIndia(ctx.now), [sac]);
  return insertPlan(ctx, { code: code ?? slugOf(name), name, description, terms: { ...terms, sacCode: sac } });
}

/**
 * A new plan with the terms that another one offers now, as its first version.
 * @throws AppError not_found; conflict when its code or name is taken
 */
export async function clonePlan(
  ctx: WriteContext<Actor>,
  id: string,
  { code, name, description }: z.output<typeof clonePlanBody>,
): Promise<PlanView> {
  const from = await getPlan(ctx, id);
  assertOutsideTenants(ctx);
  const clone = { code: code ?? slugOf(name), name, description: description ?? from.description };
  return insertPlan(ctx, { ...clone, terms: termsOf(from) }, { clonedFrom: from.code });
}

async function insertPlan(
  ctx: WriteContext<Actor>,
  { terms, ...fields }: NewPlan,
  details?: object,
): Promise<PlanView> {
  const { id } = await ctx.db.subscriptionPlan.create({
    data: { ...fields, createdAt: ctx.now, versions: { create: versionData(ctx, 1, terms) } },
    select: { id: true },
  });
  ctx.audit({ resource: 'plan', resourceId: id, after: { ...fields, ...terms }, details });
  return getPlan(ctx, id);
}

/**
 * Changes what is given. Other terms make a new version, which subscriptions get from then on; those that there are keep
 * theirs (rule 20).
 * @param seenVersion from If-Match: refused when somebody has changed the plan since
 * @throws AppError not_found, version_mismatch; conflict when its name is taken, or for a service accounting code
 *   without a tax rate today
 */
export async function updatePlan(
  ctx: WriteContext<Actor>,
  id: string,
  changes: z.output<typeof updatePlanBody>,
  seenVersion?: number,
): Promise<PlanView> {
  const { before, currentNumber } = await planToChange(ctx, id, seenVersion);
  const { name, description, status, ...given } = changes;
  const terms = { ...termsOf(before), ...given };
  const isNew = !sameTerms(before, terms);
  if (terms.sacCode !== before.sacCode) await taxRatesOn(ctx, dayInIndia(ctx.now), [terms.sacCode]);
  const number = currentNumber + 1;
  await ctx.db.subscriptionPlan.update({
    where: { id },
    data: {
      name,
      description,
      status,
      version: { increment: 1 },
      ...(isNew && { currentNumber: number, versions: { create: versionData(ctx, number, terms) } }),
    },
    select: { id: true },
  });
  const details = isNew ? { planVersionNumber: number } : undefined;
  ctx.audit({ resource: 'plan', resourceId: id, before, after: changes, details });
  return getPlan(ctx, id);
}

/**
 * Archives a plan: nobody new gets it, and who has it keeps it. It is never removed: which prices were offered is history,
 * also where nobody took them. One that is archived already stays so.
 * @throws AppError not_found, version_mismatch
 */
export async function archivePlan(ctx: WriteContext<Actor>, id: string, seenVersion?: number): Promise<PlanView> {
  const { before } = await planToChange(ctx, id, seenVersion);
  if (before.status === 'ARCHIVED') return before;
  const status = 'ARCHIVED' as const;
  await ctx.db.subscriptionPlan.update({
    where: { id },
    data: { status, version: { increment: 1 } },
    select: { id: true },
  });
  const details = { subscribers: before.subscribers?.total ?? 0 };
  ctx.audit({ resource: 'plan', resourceId: id, before: { status: before.status }, after: { status }, details });
  return getPlan(ctx, id);
}

/** The plan, which nobody else changes until the end of the transaction. */
async function planToChange(
  ctx: WriteContext<Actor>,
  id: string,
  seenVersion: number | undefined,
): Promise<{ before: PlanView; currentNumber: number }> {
  if (ctx.tenantId !== null) {
    await getPlan(ctx, id);
    assertOutsideTenants(ctx);
  }
  const { version, currentNumber } = orNotFound(await ctx.sql.one<queries.LockedPlan>(queries.lockPlan(id)), 'plan');
  assertVersion(seenVersion, version, 'plan');
  return { before: await getPlan(ctx, id), currentNumber };
}

/** The terms in one order, with every limit: so that equal ones look alike. */
const termsOf = ({ monthlyPrice, annualPrice, trialDays, sacCode, features, limits }: TermsGiven) => ({
  monthlyPrice,
  annualPrice,
  trialDays,
  sacCode,
  features,
  limits: Object.fromEntries(entitlementNames.map((name) => [name, limits[name] ?? null])),
});

const sameTerms = (left: TermsGiven, right: TermsGiven): boolean =>
  JSON.stringify(termsOf(left)) === JSON.stringify(termsOf(right));

const versionData = ({ actor, now }: WriteContext<Actor>, number: number, terms: TermsGiven) => ({
  ...termsOf(terms),
  number,
  createdById: actor.id,
  createdBy: actor.name,
  createdAt: now,
});
