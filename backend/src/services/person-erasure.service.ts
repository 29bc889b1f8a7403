import type { PersonKind } from '../generated/prisma/enums.ts';
import type { Actor, WriteContext } from '../types/context.ts';
import { AppError } from '../utils/errors.ts';
import { raw, sql } from '../utils/sql.ts';
import { minorsBornAfter } from './minor.policy.ts';
import { holdInForce } from './offboarding.queries.ts';
import { minorsWithOnly, otherOwners } from './platform-users.queries.ts';
import { lockedSubject } from './privacy-requests.queries.ts';
import { assertCoversPerson, assertNotSelf, lockAccess } from './privilege.policy.ts';
import { endSessions } from './sessions.service.ts';
import { TENANT_DATA } from './tenant-data.policy.ts';
import { lockedTenant } from './tenant-status.service.ts';

const ERASED = 'Erased person';
const STAYS =
  'Their data was erased. What stays: an entry without name and addresses, so that the history of the library adds up, ' +
  'and the audit trail of what they did and the history of the subscriptions that they changed, which the law makes us ' +
  'keep for a time. Files of exports that were made before are removed within 24 hours.';

const NOTHING_KNOWN = {
  name: ERASED,
  email: null,
  phone: null,
  pendingEmail: null,
  formerEmail: null,
  emailVerified: false,
  passwordHash: null,
  passwordChangedAt: null,
  mfaRequiredSince: null,
  lastLoginAt: null,
  dateOfBirth: null,
  libraryId: null,
  memberNumber: null,
  joinedOn: null,
  course: null,
  jobTitle: null,
  marketingConsent: false,
  status: 'INACTIVE',
} as const;

type Subject = { id: string; name: string; kind: PersonKind; importId: string | null };

/**
 * Removes what is known of somebody of a tenant, for good, in the transaction of the context. The row stays without
 * personal data.
 * @param wanted the request that asks for it
 * @returns what is to be told: what stays, and why
 * @throws AppError conflict under a legal hold, for the last owner, for the only guardian of a minor, and where it is
 *   done already; exceeds_own_permissions; forbidden for oneself
 */
export async function erasePerson(
  ctx: WriteContext<Actor>,
  { tenantId, userId, requestId }: { tenantId: string; userId: string; requestId: string },
): Promise<string> {
  await lockAccess(ctx, 'one');
  // A legal hold is placed under the same lock.
  await lockedTenant(ctx, tenantId);
  if (await ctx.sql.one(holdInForce(tenantId))) {
    throw new AppError('conflict', 'A legal hold is in force: nothing may be erased until it is lifted.');
  }
  const subject = await ctx.sql.one<Subject>(lockedSubject(tenantId, userId));
  if (!subject) throw new AppError('conflict', 'Their data was erased already, or they are gone. Reject the request.');
  assertNotSelf(ctx.actor, userId, 'the account');
  await assertCoversPerson(ctx, userId);
  await assertDispensable(ctx, tenantId, subject);
  // Before their rows go: an impersonation ends with its session.
  await endSessions(ctx, { userId }, 'DEACTIVATED');
  await blankCells(ctx, tenantId, userId);
  await removeRows(ctx, tenantId, userId);
  await blankRows(ctx, tenantId, userId);
  // The file that they came from names them as well, and is of no use any more.
  if (subject.importId) ctx.enqueue('cleanup.import-file', { importId: subject.importId }, { tenantId });
  ctx.audit({ resource: 'user', resourceId: userId, tenantId, details: { erased: true, requestId } });
  return STAYS;
}

/** Nobody is left without whom they need. */
async function assertDispensable(ctx: WriteContext, tenantId: string, { id, kind }: Subject): Promise<void> {
  const owners =
    kind === 'OWNER' && (await ctx.sql.one<{ active: number; invited: number }>(otherOwners(tenantId, id)));
  if (owners && owners.active + owners.invited === 0) {
    throw new AppError(
      'conflict',
      'This is the last owner of the library. Add another owner first, or off-board the library.',
    );
  }
  const wards = await ctx.sql.many<{ id: string; name: string }>(minorsWithOnly(id, minorsBornAfter(ctx.now)));
  if (wards.length > 0) {
    const told = 'This is the only guardian of a student under 18. Link another guardian to each of them first.';
    throw new AppError('conflict', told, { students: wards });
  }
}

async function removeRows(ctx: WriteContext, tenantId: string, userId: string): Promise<void> {
  for (const { table, person } of TENANT_DATA) {
    if (!person?.erased) continue;
    const which = person.rows(userId);
    await ctx.db.$executeRaw(sql`delete from ${raw(table)} where tenant_id = ${tenantId} and ${which}`);
  }
}

/** Rows of imported files: their own, and where they are a guardian those of their wards, which name them as well. */
const blankCells = ({ db }: WriteContext, tenantId: string, userId: string): Promise<number> =>
  db.$executeRaw`
    update people_import_rows set cells = '[]', errors = null
     where tenant_id = ${tenantId}
       and (user_id = ${userId}
            or (import_id, number) in (select u.import_id, u.import_row from users u where u.id = ${userId})
            or user_id in (select student_id from guardianships where guardian_id = ${userId}))`;

/** What stays for the history names them no more. */
async function blankRows({ db, now }: WriteContext, tenantId: string, userId: string): Promise<void> {
  await db.impersonation.updateMany({ where: { tenantId, userId }, data: { userName: ERASED } });
  const asked = { subjectName: ERASED, details: 'Removed by an erasure' };
  await db.privacyRequest.updateMany({ where: { tenantId, subjectId: userId }, data: asked });
  const planned = { tenantId, requestedById: userId };
  await db.subscriptionScheduledChange.updateMany({ where: planned, data: { requestedBy: ERASED } });
  // The job that removes expired files comes by within the hour.
  await db.$executeRaw`
    update data_exports set expires_at = ${new Date(now.getTime() - 1)}
     where tenant_id = ${tenantId} and subject = 'PERSON' and filter->>'userId' = ${userId} and expires_at > ${now}`;
  const { deletedAt } = await db.user.findUniqueOrThrow({ where: { id: userId }, select: { deletedAt: true } });
  await db.user.update({
    where: { id: userId },
    data: {
      ...NOTHING_KNOWN,
      deletedAt: deletedAt ?? now,
      erasedAt: now,
      permissionVersion: { increment: 1 },
      version: { increment: 1 },
    },
  });
}
