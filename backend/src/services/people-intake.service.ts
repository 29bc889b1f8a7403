import type { WriteContext } from '../types/context.ts';
import type { PersonDraft } from '../validators/people.validator.ts';
import type { LimitedUse } from './entitlements.service.ts';
import { linkGuardians } from './guardian-intake.service.ts';
import { isMinor } from './minor.policy.ts';
import { insertPeople, personRow } from './people-insert.service.ts';
import * as queries from './people-intake.queries.ts';
import { takeBackBeyondLimits } from './people-limits.service.ts';

// The one way by which people come into a library: one by one through the API, or by the hundred from a file.

export type DraftIssue = {
  field: string;
  message: string;
  /** Somebody who is there already and seems to be the same person. */
  duplicateOf?: { id: string; name: string };
  /** What the subscription of the tenant has no place for. */
  limit?: LimitedUse;
};

export type Added = { id: string; issues: [] } | { id: null; issues: [DraftIssue, ...DraftIssue[]] };

export type IntakeOptions = {
  /** Who answers for it; null: the system. */
  assignedById: string | null;
  /** Adds people even though somebody of that kind, phone and name is there. */
  allowDuplicates?: boolean;
  /** PENDING for those who get a mail to choose a password; default ACTIVE. */
  statusOf?: (draft: PersonDraft) => 'ACTIVE' | 'PENDING';
  /** For an import: which row each draft is, in the same order. */
  source?: { importId: string; rows: readonly number[] };
};

/**
 * Adds those who can be added, each with their role and guardians; a guardian who is not there yet is added too. Who
 * cannot be added is told why and leaves nothing behind: the others are not held up. Whether the caller may add people
 * of that kind is theirs to check.
 * @param drafts at most a few hundred, as `personDraft` has read them
 * @returns in the order of the drafts
 */
export async function addPeople(
  ctx: WriteContext,
  tenantId: string,
  drafts: readonly PersonDraft[],
  options: IntakeOptions,
): Promise<Added[]> {
  await ctx.sql.one(queries.lockIntake(tenantId));
  const found = await issuesOf(ctx, tenantId, drafts, options);
  const entries = drafts.map((draft, index) => ({
    draft,
    row: personRow(draft, rowOptions(options, index)),
    issues: found[index] ?? [],
  }));
  const fine = entries.filter(({ issues }) => issues.length === 0);
  const rows = fine.map(({ row }) => row);
  const added = await insertPeople(ctx, tenantId, rows, options.assignedById);
  const refused = rows.filter(({ id }) => !added.has(id));
  const reasons = await reasonsOf(ctx, tenantId, refused);
  const there = rows.filter(({ id }) => added.has(id));
  const beyond = await takeBackBeyondLimits(ctx, tenantId, there, options.source?.importId);
  const wards = fine.map(({ draft, row }) => ({ id: row.id, guardians: draft.guardians ?? [] }));
  const settled = wards.filter(({ id }) => added.has(id) && !beyond.has(id));
  const unlinked = await linkGuardians(ctx, tenantId, settled, options.assignedById, options.source?.importId);
  if (unlinked.size > 0) await ctx.sql.many(queries.removeAgain(tenantId, [...unlinked.keys()]));
  for (const { row, issues } of fine) {
    const issue = reasons.get(row.id) ?? beyond.get(row.id) ?? unlinked.get(row.id);
    if (issue) issues.push(issue);
  }
  return entries.map(({ row, issues: [first, ...others] }) =>
    first ? { id: null, issues: [first, ...others] } : { id: row.id, issues: [] },
  );
}

const rowOptions = ({ source, statusOf }: IntakeOptions, index: number) => ({
  statusOf,
  ...(source && { importId: source.importId, importRow: source.rows[index] ?? null }),
});

/** What can be told before anything is written. */
async function issuesOf(
  ctx: WriteContext,
  tenantId: string,
  drafts: readonly PersonDraft[],
  { allowDuplicates }: IntakeOptions,
): Promise<DraftIssue[][]> {
  const wanted = drafts.map(({ name, kind, phone }, index) => ({ index, name, kind, phone: phone ?? null }));
  const libraryIds = [...new Set(drafts.flatMap(({ libraryId }) => libraryId ?? []))];
  const namesakes = allowDuplicates ? [] : await ctx.sql.many<queries.Namesake>(queries.namesakesOf(tenantId, wanted));
  const libraries =
    libraryIds.length > 0 ? await ctx.sql.many<{ id: string }>(queries.librariesOf(tenantId, libraryIds)) : [];
  const known = new Set(libraries.map(({ id }) => id));
  const namesakeOf = new Map(namesakes.toReversed().map((found) => [found.index, found]));
  return drafts.map((draft, index) => {
    const issues: DraftIssue[] = [];
    if (draft.libraryId && !known.has(draft.libraryId)) {
      issues.push({ field: 'libraryId', message: 'is no library of this tenant' });
    }
    if (draft.kind === 'STUDENT' && isMinor(draft.dateOfBirth, ctx.now) && !draft.guardians?.length) {
      issues.push({ field: 'guardians', message: 'is missing: a student under 18 needs a guardian' });
    }
    const namesake = namesakeOf.get(index);
    if (namesake) issues.push(duplicateIssue(namesake));
    return issues;
  });
}

const duplicateIssue = ({ userId, name }: queries.Namesake): DraftIssue =>
  userId
    ? { field: 'phone', message: `is the phone of ${name}, who is here already`, duplicateOf: { id: userId, name } }
    : { field: 'phone', message: `comes with the same name earlier in the list: ${name}` };

type Taken = { id: string; email: boolean; memberNumber: boolean; importRow: boolean };

/** Why the database did not take them. What belongs to another tenant is not told apart from an account of nobody's. */
async function reasonsOf(
  ctx: WriteContext,
  tenantId: string,
  refused: queries.PersonRow[],
): Promise<Map<string, DraftIssue>> {
  if (refused.length === 0) return new Map();
  const found = await ctx.sql.many<Taken>(queries.takenBy(tenantId, refused));
  return new Map(found.map((taken) => [taken.id, reasonOf(taken)]));
}

function reasonOf({ email, memberNumber, importRow }: Taken): DraftIssue {
  if (importRow) return { field: 'row', message: 'was imported already' };
  if (memberNumber && !email) return { field: 'memberNumber', message: 'is the number of somebody else' };
  return { field: 'email', message: 'belongs to another account' };
}
