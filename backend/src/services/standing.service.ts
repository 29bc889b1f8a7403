import type { SessionRestriction } from '../generated/prisma/enums.ts';
import type { Reader, WriteContext } from '../types/context.ts';
import type { Sql } from '../utils/sql.ts';
import { factorsOf, type FactorsRow } from './mfa.queries.ts';
import { policyFrom, storedPolicies, type StoredPolicy } from './security-policies.service.ts';
import { standingRow, type StandingRow } from './standing.queries.ts';

// Whether somebody has to do something about their account before they may do anything else.

export type Standing = {
  mfaEnabled: boolean;
  /** Until then a second factor has to be set up; null where none is demanded, or there is one. */
  mfaDeadline: Date | null;
  passwordExpiresAt: Date | null;
  restriction: SessionRestriction | null;
};

const DAY_MS = 86_400_000;

const plusDays = (from: Date, days: number): Date => new Date(from.getTime() + days * DAY_MS);
const earliest = (moments: Date[]): Date | null =>
  moments.length > 0 ? new Date(Math.min(...moments.map(Number))) : null;

/** The statements that `standingFrom` needs the rows of, to be sent in one batch with others. */
export const standingQueries = (userId: string): [Sql, Sql, Sql] => [
  standingRow(userId),
  factorsOf(userId),
  storedPolicies('PASSWORD', 'MFA'),
];

export type StandingRows = [StandingRow[], FactorsRow[], StoredPolicy[]];

export function standingFrom([[person], [factors], policies]: StandingRows, now: Date): Standing {
  // A recovery code by itself is no second factor.
  const mfaEnabled = Boolean(factors?.totp || factors?.passkey);
  const mfaDeadline = person && !mfaEnabled ? mfaDeadlineOf(person, policies) : null;
  const passwordExpiresAt = person ? passwordExpiry(person, policies) : null;
  const restriction = isOver(passwordExpiresAt, now)
    ? ('PASSWORD_EXPIRED' as const)
    : isOver(mfaDeadline, now)
      ? ('MFA_REQUIRED' as const)
      : null;
  return { mfaEnabled, mfaDeadline, passwordExpiresAt, restriction };
}

const isOver = (deadline: Date | null, now: Date): boolean => deadline !== null && deadline <= now;

function passwordExpiry(person: StandingRow, policies: StoredPolicy[]): Date | null {
  const { maxAgeDays } = policyFrom('PASSWORD', policies);
  if (maxAgeDays === null || !person.hasPassword) return null;
  return plusDays(person.passwordChangedAt ?? person.createdAt, maxAgeDays);
}

/** Demanded of a role: counted from when the policy was set, or the person came. Demanded of the person: from then. */
function mfaDeadlineOf(person: StandingRow, policies: StoredPolicy[]): Date | null {
  const { requiredRoles, graceDays } = policyFrom('MFA', policies);
  const since: Date[] = person.mfaRequiredSince ? [person.mfaRequiredSince] : [];
  const set = policies.find(({ type }) => type === 'MFA');
  if (set && person.roles.some((role) => requiredRoles.includes(role))) {
    since.push(set.updatedAt > person.createdAt ? set.updatedAt : person.createdAt);
  }
  return earliest(since.map((moment) => plusDays(moment, graceDays)));
}

/** How somebody stands by the policies that hold now. */
export async function standingOf(sql: Reader, userId: string, now: Date): Promise<Standing> {
  return standingFrom(await sql.batch<StandingRows>(...standingQueries(userId)), now);
}

/** Call it after a change of password or second factor: what the person had to do may be done, on every device. */
export async function refreshRestriction(tx: WriteContext, userId: string): Promise<void> {
  const { restriction } = await standingOf(tx.sql, userId, tx.now);
  await tx.db.session.updateMany({
    where: { userId, revokedAt: null, expiresAt: { gt: tx.now }, impersonationId: null },
    data: { restriction },
  });
}
