import type { PersonKind } from '../generated/prisma/enums.ts';
import type { WriteContext } from '../types/context.ts';
import { newId } from '../utils/ids.ts';
import type { PersonDraft } from '../validators/people.validator.ts';
import * as queries from './people-intake.queries.ts';

export const roleOfKind: Readonly<Record<PersonKind, 'owner' | 'library_staff' | 'student' | 'parent'>> = {
  OWNER: 'owner',
  STAFF: 'library_staff',
  STUDENT: 'student',
  PARENT: 'parent',
};

type RowOptions = {
  statusOf?: ((draft: PersonDraft) => 'ACTIVE' | 'PENDING') | undefined;
  importId?: string | undefined;
  importRow?: number | null;
};

/** The row of somebody who is to be added, with an id of its own. */
export function personRow(draft: PersonDraft, { statusOf, importId, importRow }: RowOptions = {}): queries.PersonRow {
  return {
    id: newId(),
    kind: draft.kind,
    name: draft.name,
    email: draft.email ?? null,
    phone: draft.phone ?? null,
    status: statusOf?.(draft) ?? 'ACTIVE',
    dateOfBirth: draft.dateOfBirth ?? null,
    libraryId: draft.libraryId ?? null,
    memberNumber: draft.memberNumber ?? null,
    joinedOn: draft.joinedOn ?? null,
    course: draft.course ?? null,
    jobTitle: draft.jobTitle ?? null,
    marketingConsent: draft.marketingConsent ?? false,
    importId: importId ?? null,
    importRow: importRow ?? null,
  };
}

/**
 * Adds rows whose email, number and import row are free, each with the role of its kind.
 * @returns the ids of those who were added
 */
export async function insertPeople(
  ctx: WriteContext,
  tenantId: string,
  people: queries.PersonRow[],
  assignedById: string | null,
): Promise<Set<string>> {
  if (people.length === 0) return new Set();
  const inserted = await ctx.sql.many<{ id: string }>(queries.insertPeople(tenantId, people, ctx.now));
  const added = new Set(inserted.map(({ id }) => id));
  const roles = await ctx.sql.many<{ code: string; id: string }>(queries.roleIdsOf(Object.values(roleOfKind)));
  const roleIds = new Map(roles.map(({ code, id }) => [code, id]));
  const assignments = people
    .filter(({ id }) => added.has(id))
    .map(({ id, kind }) => ({ id: newId(), userId: id, roleId: roleIds.get(roleOfKind[kind as PersonKind]) ?? '' }));
  await ctx.sql.many(queries.insertAssignments(tenantId, assignments, assignedById, ctx.now));
  return added;
}
