import type { WriteContext } from '../types/context.ts';
import { newId } from '../utils/ids.ts';
import type { GuardianInput } from '../validators/people.validator.ts';
import { insertPeople, personRow } from './people-insert.service.ts';
import * as queries from './people-intake.queries.ts';
import type { DraftIssue } from './people-intake.service.ts';

export type Ward = { id: string; guardians: readonly GuardianInput[] };

type Wanted = { ward: string; input: GuardianInput; guardianId: string | undefined };

/**
 * Links students to their guardians, of whom each may have several. A guardian who is named by phone or email and is
 * not there yet is added as a parent, once for all their wards.
 * @param wards students of this tenant
 * @param importId the import that brings them: guardians who are added belong to it, and go with it
 * @returns what stood in the way, by ward; such a ward is linked to nobody
 */
export async function linkGuardians(
  ctx: WriteContext,
  tenantId: string,
  wards: readonly Ward[],
  assignedById: string | null,
  importId?: string,
): Promise<Map<string, DraftIssue>> {
  const wanted: Wanted[] = wards.flatMap(({ id, guardians }) =>
    guardians.map((input) => ({ ward: id, input, guardianId: undefined })),
  );
  if (wanted.length === 0) return new Map();
  await findGuardians(ctx, tenantId, wanted);
  const added = await addMissing(ctx, tenantId, wanted, { assignedById, importId });
  const issues = new Map(
    wanted.filter(({ guardianId }) => guardianId === undefined).map(({ ward, input }) => [ward, issueOf(input)]),
  );
  const links = wanted.filter(({ ward }) => !issues.has(ward)).map(linkOf);
  if (links.length > 0) await ctx.sql.many(queries.insertGuardianships(tenantId, links, ctx.now));
  const linked = new Set(links.map(({ guardianId }) => guardianId));
  const idle = added.filter((id) => !linked.has(id));
  if (idle.length > 0) await ctx.sql.many(queries.removeAgain(tenantId, idle));
  return issues;
}

async function findGuardians(ctx: WriteContext, tenantId: string, wanted: Wanted[]): Promise<void> {
  const named = wanted.map(({ input }, index): queries.GuardianWanted => {
    if (input.id) return { index, id: input.id, name: null, phone: null, email: null };
    return { index, id: null, name: input.name ?? '', phone: input.phone ?? null, email: input.email ?? null };
  });
  const found = await ctx.sql.many<{ index: number; userId: string }>(queries.guardiansThere(tenantId, named));
  for (const { index, userId } of found) {
    const entry = wanted[index];
    if (entry) entry.guardianId = userId;
  }
}

/** @returns the ids of those who were added */
async function addMissing(
  ctx: WriteContext,
  tenantId: string,
  wanted: Wanted[],
  { assignedById, importId }: { assignedById: string | null; importId: string | undefined },
): Promise<string[]> {
  const newcomers = new Map<string, queries.PersonRow>();
  for (const entry of wanted) {
    if (entry.guardianId !== undefined || entry.input.id) continue;
    const { name = '', phone, email } = entry.input;
    const key = email ?? `${phone} ${name.toLowerCase()}`;
    const row = newcomers.get(key) ?? personRow({ kind: 'PARENT', name, phone, email }, { importId });
    newcomers.set(key, row);
    entry.guardianId = row.id;
  }
  const rows = [...newcomers.values()];
  const added = await insertPeople(ctx, tenantId, rows, assignedById);
  const refused = new Set(rows.filter(({ id }) => !added.has(id)).map(({ id }) => id));
  for (const entry of wanted) if (entry.guardianId && refused.has(entry.guardianId)) entry.guardianId = undefined;
  return [...added];
}

const linkOf = ({ ward, input, guardianId }: Wanted) => ({
  id: newId(),
  studentId: ward,
  guardianId: guardianId ?? '',
  relation: input.relation,
});

const issueOf = (input: GuardianInput): DraftIssue => ({
  field: 'guardians',
  message: input.id
    ? 'names somebody who is no parent of this tenant'
    : 'has an email address that belongs to another account',
});
