import type { z } from 'zod';
import type { Actor, WriteContext } from '../types/context.ts';
import { AppError, assertVersion, invalidField, orNotFound, type FieldIssue } from '../utils/errors.ts';
import { fieldsOfOtherKinds, isReachable, unreachable, type PersonDraft } from '../validators/people.validator.ts';
import type { createPersonBody, updatePersonBody } from '../validators/platform-users.validator.ts';
import { limitReached } from './entitlements.service.ts';
import { isMinor } from './minor.policy.ts';
import { voidOneTimeTokens } from './one-time-token.service.ts';
import { roleOfKind } from './people-insert.service.ts';
import { librariesOf } from './people-intake.queries.ts';
import { addPeople, type DraftIssue } from './people-intake.service.ts';
import { assertInOwnName, lockedPerson } from './person-target.policy.ts';
import { getPerson, type PersonView } from './platform-user-views.service.ts';
import { hasGuardian, holdTenant, type LockedPerson } from './platform-users.queries.ts';
import { actingPerson, assertCoversPerson, assertMayHandOn, assertNotSelf, lockAccess } from './privilege.policy.ts';
import { rolesNamed } from './role-lookup.service.ts';
import { endSessions } from './sessions.service.ts';

type CreatePerson = z.output<typeof createPersonBody>;
type Changes = z.output<typeof updatePersonBody>;

/**
 * Adds a person to a tenant, with the role of their kind and their guardians (rules 5 and 14).
 * @throws AppError conflict for an email or number that is taken and for somebody who seems to be there already;
 *   limit_reached where the subscription of the tenant allows no more; validation_failed, tenant_mismatch, not_found
 *   for the tenant, exceeds_own_permissions
 */
export async function createPerson(ctx: WriteContext<Actor>, input: CreatePerson): Promise<PersonView> {
  const { tenantId: named, invite: asked, allowDuplicate, ...draft } = input;
  await lockAccess(ctx, 'one');
  const tenantId = tenantFor(ctx, named);
  await assertTakesPeople(ctx, tenantId);
  const [role] = await rolesNamed(ctx, [roleOfKind[draft.kind]], 'PLATFORM_USER');
  const permissions = role?.permissions ?? [];
  if (permissions.length > 0) assertInOwnName(ctx.actor, 'Nobody is given permissions');
  await assertMayHandOn(ctx, permissions, 'Such a person');
  const invite = isInvited(draft, asked);
  const [added] = await addPeople(ctx, tenantId, [draft], {
    assignedById: actingPerson(ctx.actor),
    allowDuplicates: allowDuplicate,
    statusOf: () => (invite ? 'PENDING' : 'ACTIVE'),
  });
  if (!added?.id) throw refusal(added?.issues ?? []);
  if (invite) ctx.enqueue('email.welcome', { userId: added.id }, { tenantId });
  const after = { ...draft, invite, ...(allowDuplicate && { allowDuplicate }) };
  ctx.audit({ resource: 'person', resourceId: added.id, tenantId, after });
  return getPerson(ctx, added.id);
}

/** Whose people somebody joins: those of the space, or of the tenant that a portal admin names. */
export function tenantFor(ctx: WriteContext<Actor>, named: string | undefined): string {
  if (ctx.tenantId !== null) {
    if (named === undefined || named === ctx.tenantId) return ctx.tenantId;
    throw new AppError('tenant_mismatch', 'tenantId names another tenant than the one you work in. Leave it out.');
  }
  if (named !== undefined) return named;
  throw invalidField('tenantId', 'is missing: name the tenant here or in the header x-tenant-id');
}

/** @throws AppError not_found; conflict for a tenant that is on its way out */
export async function assertTakesPeople(ctx: WriteContext, tenantId: string): Promise<void> {
  const { status } = orNotFound(await ctx.sql.one<{ status: string }>(holdTenant(tenantId)), 'tenant');
  if (status === 'OFFBOARDING') {
    throw new AppError('conflict', 'The tenant is being off-boarded: nobody can be added to it.');
  }
}

/** Who runs a library needs to get in; students and parents are mostly a name in its register. */
function isInvited({ kind, email }: PersonDraft, asked: boolean | undefined): boolean {
  if (asked && !email) throw invalidField('email', 'is missing: an invitation goes there');
  return asked ?? (Boolean(email) && (kind === 'OWNER' || kind === 'STAFF'));
}

const clashes = new Set(['email', 'phone', 'memberNumber']);

/** What stands in the way: something wrong, or somebody else who has it already. */
function refusal(found: readonly DraftIssue[]): AppError {
  const beyond = found.find(({ limit }) => limit !== undefined)?.limit;
  if (beyond) return limitReached(beyond);
  const wrong = found.filter(({ field }) => !clashes.has(field));
  const { field, message } = wrong[0] ?? found[0] ?? { field: '', message: 'cannot be added' };
  const issues = found.map((issue): FieldIssue => ({ in: 'body', field: issue.field, message: issue.message }));
  const duplicates = found.flatMap(({ duplicateOf }) => duplicateOf ?? []);
  if (wrong.length > 0)
    return new AppError('validation_failed', `The body is not valid: ${field} ${message}`, { issues });
  const way = duplicates.length > 0 ? ' Send allowDuplicate: true if this is somebody else.' : '';
  return new AppError('conflict', `${field} ${message}.${way}`, { field, issues, duplicates });
}

/**
 * Changes the fields that are given. Where somebody is reached is where their account can be had: it takes permissions
 * that cover theirs (rule 5), and with another email address every session and every link that went to the old one end.
 * @param seenVersion from If-Match: refused when somebody has changed the person since
 * @throws AppError version_mismatch, validation_failed, exceeds_own_permissions; conflict for an email or number that
 *   is taken, and for a minor without a guardian
 */
export async function updatePerson(
  ctx: WriteContext<Actor>,
  id: string,
  changes: Changes,
  seenVersion?: number,
): Promise<PersonView> {
  const before = await lockedPerson(ctx, id);
  assertVersion(seenVersion, before.version, 'person');
  assertFits(before, changes);
  const isNewEmail = changes.email !== undefined && changes.email !== before.email;
  const isNewPhone = changes.phone !== undefined && changes.phone !== before.phone;
  if (isNewEmail || isNewPhone) await assertMayMove(ctx, id, isNewEmail);
  await assertLibrary(ctx, before, changes.libraryId);
  await assertGuarded(ctx, before, changes.dateOfBirth);
  const address = isNewEmail && { emailVerified: false, pendingEmail: null };
  await ctx.db.user.update({ where: { id }, data: { ...dataOf(changes), ...address, version: { increment: 1 } } });
  const sessionsEnded = isNewEmail ? await cutOff(ctx, before) : 0;
  ctx.audit({
    resource: 'person',
    resourceId: id,
    tenantId: before.tenantId,
    before,
    after: changes,
    ...(isNewEmail && { details: { sessionsEnded } }),
  });
  return getPerson(ctx, id);
}

/** By email and phone somebody signs in. One's own email is changed where it is confirmed. */
async function assertMayMove(ctx: WriteContext<Actor>, id: string, isNewEmail: boolean): Promise<void> {
  assertInOwnName(ctx.actor, 'Email and phone are not changed');
  if (isNewEmail) assertNotSelf(ctx.actor, id, 'the email address');
  if (actingPerson(ctx.actor) !== id) await assertCoversPerson(ctx, id);
}

/** What fits the kind of the person, and leaves them reachable. */
function assertFits(before: LockedPerson, changes: Changes): void {
  const [misfit] = fieldsOfOtherKinds({ kind: before.kind, course: changes.course, jobTitle: changes.jobTitle });
  if (misfit) throw invalidField(misfit.field, misfit.message);
  const { email = before.email, phone = before.phone } = changes;
  if (!isReachable({ email, phone })) throw invalidField('phone', unreachable);
  if (before.status === 'PENDING' && email === null) {
    throw invalidField('email', 'is where the invitation goes: activate the person before you remove it');
  }
}

async function assertLibrary(ctx: WriteContext, { tenantId }: LockedPerson, libraryId: string | null | undefined) {
  if (!libraryId) return;
  const [found] = await ctx.sql.many(librariesOf(tenantId, [libraryId]));
  if (!found) throw invalidField('libraryId', 'is no library of this tenant');
}

async function assertGuarded(ctx: WriteContext, { id, kind }: LockedPerson, born: string | null | undefined) {
  if (kind !== 'STUDENT' || !isMinor(born, ctx.now)) return;
  if (await ctx.sql.one(hasGuardian(id))) return;
  throw new AppError(
    'conflict',
    'dateOfBirth makes a minor of a student without a guardian. Link one first: POST /api/platform-users/:id/guardians.',
    {
      field: 'dateOfBirth',
      issues: [{ in: 'body', field: 'dateOfBirth', message: 'is that of a minor, and the student has no guardian' }],
    },
  );
}

const dayOf = (day: string | null): Date | null => (day === null ? null : new Date(`${day}T00:00:00Z`));

const dataOf = ({ dateOfBirth, joinedOn, ...changes }: Changes) => ({
  ...changes,
  ...(dateOfBirth !== undefined && { dateOfBirth: dayOf(dateOfBirth) }),
  ...(joinedOn !== undefined && { joinedOn: dayOf(joinedOn) }),
});

/** Whoever had the old address has nothing left of the account; who has yet to choose a password is invited again. */
async function cutOff(ctx: WriteContext, { id, tenantId, status }: LockedPerson): Promise<number> {
  await voidOneTimeTokens(ctx, id);
  if (status === 'PENDING') ctx.enqueue('email.welcome', { userId: id }, { tenantId });
  return endSessions(ctx, { userId: id }, 'REVOKED');
}
