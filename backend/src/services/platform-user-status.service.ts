import type { Actor, WriteContext } from '../types/context.ts';
import { AppError } from '../utils/errors.ts';
import { voidChallenges } from './auth-challenges.service.ts';
import { minorsBornAfter } from './minor.policy.ts';
import { voidOneTimeTokens } from './one-time-token.service.ts';
import { lockIntake } from './people-intake.queries.ts';
import { assertInOwnName, assertOwnerRemains, personToChange } from './person-target.policy.ts';
import { getPerson, type PersonView } from './platform-user-views.service.ts';
import { linksSince, lockWards, minorsWithOnly, type LockedPerson } from './platform-users.queries.ts';
import { endSessions } from './sessions.service.ts';

/** Who was deactivated may sign in again; who was invited no longer waits. @throws AppError invalid_transition */
export async function activatePerson(ctx: WriteContext<Actor>, id: string, reason?: string): Promise<PersonView> {
  const { tenantId, status } = await personToChange(ctx, id, 'the status');
  if (status === 'ACTIVE') throw new AppError('invalid_transition', 'This person is active already.');
  await ctx.db.user.update({ where: { id }, data: { status: 'ACTIVE', version: { increment: 1 } } });
  const details = reason ? { reason } : undefined;
  ctx.audit({ resource: 'person', resourceId: id, tenantId, before: { status }, after: { status: 'ACTIVE' }, details });
  return getPerson(ctx, id);
}

/**
 * Signs somebody out everywhere; no link works, and they cannot sign in. Nothing is lost.
 * @throws AppError invalid_transition; conflict for the last active owner
 */
export async function deactivatePerson(ctx: WriteContext<Actor>, id: string, reason: string): Promise<PersonView> {
  const person = await personToChange(ctx, id, 'the status');
  const { tenantId, status } = person;
  if (status === 'INACTIVE') throw new AppError('invalid_transition', 'This person is inactive already.');
  await assertOwnerRemains(ctx, person);
  await ctx.db.user.update({ where: { id }, data: { status: 'INACTIVE', version: { increment: 1 } } });
  const sessionsEnded = await shutOut(ctx, id);
  const details = { reason, sessionsEnded };
  ctx.audit({
    resource: 'person',
    resourceId: id,
    tenantId,
    before: { status },
    after: { status: 'INACTIVE' },
    details,
  });
  return getPerson(ctx, id);
}

/** @returns how many sessions ended */
async function shutOut(ctx: WriteContext, id: string): Promise<number> {
  await voidOneTimeTokens(ctx, id);
  await voidChallenges(ctx, id);
  return endSessions(ctx, { userId: id }, 'DEACTIVATED');
}

/**
 * Removes somebody for good. The row stays for the history, without address, credentials, roles, sessions and links to
 * others; address and number are free again.
 * @throws AppError conflict for the last active owner, and for the only guardian of a student under 18
 */
export async function deletePerson(ctx: WriteContext<Actor>, id: string, reason?: string): Promise<void> {
  const person = await personToChange(ctx, id, 'the account');
  const { tenantId, name, email, phone, kind } = person;
  await assertOwnerRemains(ctx, person);
  await assertNobodyLeftAlone(ctx, person);
  const sessionsEnded = await shutOut(ctx, id);
  await removeCredentials(ctx, id);
  await ctx.db.roleAssignment.deleteMany({ where: { userId: id } });
  await ctx.db.permissionOverride.deleteMany({ where: { userId: id } });
  await ctx.db.guardianship.deleteMany({ where: { OR: [{ studentId: id }, { guardianId: id }] } });
  const gone = { email: null, phone: null, pendingEmail: null, passwordHash: null, mfaRequiredSince: null };
  const counted = { permissionVersion: { increment: 1 }, version: { increment: 1 } };
  await ctx.db.user.update({
    where: { id },
    data: { ...gone, ...counted, status: 'INACTIVE', deletedAt: ctx.now, formerEmail: email },
  });
  const details = { ...(reason && { reason }), kind, name, email, phone, sessionsEnded };
  ctx.audit({ resource: 'person', resourceId: id, tenantId, details });
}

async function removeCredentials(ctx: WriteContext, userId: string): Promise<void> {
  await ctx.db.passkey.deleteMany({ where: { userId } });
  await ctx.db.totpCredential.deleteMany({ where: { userId } });
  await ctx.db.recoveryCode.deleteMany({ where: { userId } });
  await ctx.db.passwordHistory.deleteMany({ where: { userId } });
  await ctx.db.knownDevice.deleteMany({ where: { userId } });
}

/**
 * A student under 18 keeps a guardian (rule 14). Adding people goes in turn with this, so that nobody is linked to who
 * is about to leave; so do two guardians of the same student, who is locked.
 */
async function assertNobodyLeftAlone(ctx: WriteContext, { id, kind, tenantId }: LockedPerson): Promise<void> {
  if (kind !== 'PARENT') return;
  await ctx.sql.one(lockIntake(tenantId));
  await ctx.sql.many(lockWards(id));
  const students = await ctx.sql.many<{ id: string; name: string }>(minorsWithOnly(id, minorsBornAfter(ctx.now)));
  if (students.length === 0) return;
  const names = students.map((student) => student.name).join(', ');
  throw new AppError('conflict', `Nobody else answers for ${names}, under 18. Link another guardian first.`, {
    students,
  });
}

const MOST_LINKS_AN_HOUR = 3;
const HOUR_MS = 3_600_000;

/**
 * Mails somebody a link for a new password, or the welcome again while they have yet to choose one.
 * @throws AppError conflict for who has no email address or is not active; rate_limited when they got several lately
 */
export async function sendPasswordReset(ctx: WriteContext<Actor>, id: string): Promise<void> {
  assertInOwnName(ctx.actor, 'No link for a password is sent');
  const { tenantId, status, email } = await personToChange(ctx, id);
  if (status !== 'ACTIVE' && status !== 'PENDING') {
    throw new AppError('conflict', 'This person cannot sign in. Activate them first.');
  }
  if (email === null) {
    throw new AppError('conflict', 'This person has no email address to which a link could go. Add one first.');
  }
  const since = new Date(ctx.now.getTime() - HOUR_MS);
  const links = await ctx.sql.one<{ sent: number }>(linksSince(id, since));
  if ((links?.sent ?? 0) >= MOST_LINKS_AN_HOUR) {
    throw new AppError('rate_limited', 'This person got several links within the hour. Try again later.', {
      retryAfterSeconds: HOUR_MS / 1000,
    });
  }
  if (status === 'PENDING') ctx.enqueue('email.welcome', { userId: id }, { tenantId });
  else ctx.enqueue('email.password-reset', { email }, { tenantId });
  ctx.audit({ resource: 'person', resourceId: id, tenantId, details: { email } });
}
