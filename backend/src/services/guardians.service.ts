import type { z } from 'zod';
import type { Actor, WriteContext } from '../types/context.ts';
import { AppError, invalidField, orNotFound } from '../utils/errors.ts';
import type { GuardianInput } from '../validators/people.validator.ts';
import type { studentGuardians } from '../validators/platform-users-extras.validator.ts';
import { linkGuardians } from './guardian-intake.service.ts';
import { guardiansOf, tenantOfPerson, type GuardianRow } from './guardians.queries.ts';
import { isMinor } from './minor.policy.ts';
import { lockIntake } from './people-intake.queries.ts';
import { lockedPerson } from './person-target.policy.ts';
import { holdTenant, type LockedPerson } from './platform-users.queries.ts';
import { actingPerson, lockAccess } from './privilege.policy.ts';

const MOST_GUARDIANS = 4;

type Answer = z.input<typeof studentGuardians>;

/**
 * Links a student to a guardian, who is added as a parent when they are named and not there yet (rule 14).
 * @throws AppError not_found; conflict for somebody who is no student, for a guardian who is linked already, and for a
 *   fifth one; validation_failed for an id that is no parent's and an email address of another account
 */
export async function addGuardian(ctx: WriteContext<Actor>, studentId: string, input: GuardianInput): Promise<Answer> {
  const { tenantId } = orNotFound(
    await ctx.sql.one<{ tenantId: string }>(tenantOfPerson(studentId, ctx.tenantId)),
    'person',
  );
  await lockAccess(ctx, 'one');
  orNotFound(await ctx.sql.one(holdTenant(tenantId)), 'person');
  // Somebody new is added once only, even when two students name them at the same moment.
  await ctx.sql.one(lockIntake(tenantId));
  const student = await lockedStudent(ctx, studentId);
  const before = await ctx.sql.many<GuardianRow>(guardiansOf(studentId, tenantId));
  if (before.length >= MOST_GUARDIANS) {
    throw new AppError('conflict', `A student has at most ${MOST_GUARDIANS} guardians. Unlink one first.`);
  }
  const wards = [{ id: studentId, guardians: [input] }];
  const issue = (await linkGuardians(ctx, tenantId, wards, actingPerson(ctx.actor))).get(studentId);
  if (issue) throw invalidField('id' in input ? 'id' : 'email', issue.message);
  const after = await ctx.sql.many<GuardianRow>(guardiansOf(studentId, tenantId));
  const linked = after.find(({ id }) => before.every((one) => one.id !== id));
  if (!linked) throw new AppError('conflict', 'This guardian is linked to the student already.');
  tellAudit(ctx, student, linked);
  return viewOf(ctx, student, after);
}

/**
 * Unlinks a guardian, who stays as a parent.
 * @throws AppError not_found; conflict for the last guardian of a student under 18 (rule 14)
 */
export async function removeGuardian(ctx: WriteContext<Actor>, studentId: string, guardianId: string): Promise<Answer> {
  const student = await lockedStudent(ctx, studentId);
  const { tenantId, dateOfBirth } = student;
  const before = await ctx.sql.many<GuardianRow>(guardiansOf(studentId, tenantId));
  const found = before.find(({ id }) => id === guardianId);
  const leaving = orNotFound(found, 'guardian of this student');
  const after = before.filter((one) => one !== leaving);
  if (after.length === 0 && isMinor(dateOfBirth, ctx.now)) {
    throw new AppError('conflict', 'This is the last guardian of a student under 18. Link another one first.');
  }
  await ctx.db.guardianship.deleteMany({ where: { tenantId, studentId, guardianId } });
  tellAudit(ctx, student, leaving);
  return viewOf(ctx, student, after);
}

/** Held until the end of the transaction: whoever else changes their guardians waits. */
async function lockedStudent(ctx: WriteContext<Actor>, id: string): Promise<LockedPerson> {
  const person = await lockedPerson(ctx, id);
  if (person.kind === 'STUDENT') return person;
  throw new AppError('conflict', 'This person is no student: only students have guardians.');
}

const tellAudit = (ctx: WriteContext, { id: resourceId, tenantId }: LockedPerson, guardian: GuardianRow): void =>
  ctx.audit({
    resource: 'person',
    resourceId,
    tenantId,
    details: { guardian: { id: guardian.id, name: guardian.name, relation: guardian.relation } },
  });

const viewOf = ({ now }: WriteContext, { id, dateOfBirth }: LockedPerson, guardians: GuardianRow[]): Answer => ({
  studentId: id,
  minor: isMinor(dateOfBirth, now),
  guardians,
});
