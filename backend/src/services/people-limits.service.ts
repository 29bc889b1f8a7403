import { ENTITLEMENTS, type Entitlement } from '../config/entitlements.ts';
import type { WriteContext } from '../types/context.ts';
import { limitedUses, type LimitedUse } from './entitlements.service.ts';
import { newcomersByKind, removeAgain, type PersonRow } from './people-intake.queries.ts';
import type { DraftIssue } from './people-intake.service.ts';

const entitlementOfKind: Readonly<Record<string, Entitlement | undefined>> = { STUDENT: 'students', STAFF: 'staff' };

/**
 * Takes back those of a batch for whom the subscription of the tenant has no place, the last ones first. Called once for
 * a batch, behind the lock of the intake, when those who can be added are there: a place that somebody cannot take for
 * another reason is left to the next.
 * @param rows in their order, all of them added
 * @param importId whose dry run may have found earlier batches good and taken them back: their places are taken as well
 * @returns why, by id
 */
export async function takeBackBeyondLimits(
  ctx: WriteContext,
  tenantId: string,
  rows: readonly PersonRow[],
  importId: string | undefined,
): Promise<Map<string, DraftIssue>> {
  const names = [...new Set(rows.flatMap(({ kind }) => entitlementOfKind[kind] ?? []))];
  const uses = await limitedUses(ctx, tenantId, names);
  if (uses.length === 0) return new Map();
  const promised = importId ? await promisedBy(ctx, importId) : new Map<Entitlement, number>();
  const issues = new Map<string, DraftIssue>();
  for (const { name, limit, used } of uses) {
    const taken = used + (promised.get(name) ?? 0);
    const beyond =
      taken > limit ? rows.filter(({ kind }) => entitlementOfKind[kind] === name).slice(limit - taken) : [];
    const issue = issueOf({ name, limit, used: taken - beyond.length });
    for (const { id } of beyond) issues.set(id, issue);
  }
  if (issues.size > 0) await ctx.sql.many(removeAgain(tenantId, [...issues.keys()]));
  return issues;
}

async function promisedBy(ctx: WriteContext, importId: string): Promise<Map<Entitlement, number>> {
  const found = await ctx.sql.many<{ kind: string; people: number }>(newcomersByKind(importId));
  return new Map(
    found.flatMap(({ kind, people }) => {
      const name = entitlementOfKind[kind];
      return name ? [[name, people] as const] : [];
    }),
  );
}

const issueOf = (limit: LimitedUse): DraftIssue => ({
  field: 'kind',
  message: `would be beyond the limit of the subscription for ${ENTITLEMENTS[limit.name].unit}, which is ${limit.limit}: upgrade the plan or take an add-on`,
  limit,
});
