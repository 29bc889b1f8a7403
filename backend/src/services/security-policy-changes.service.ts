import type { z } from 'zod';
import type { SecurityPolicyType } from '../generated/prisma/enums.ts';
import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import { AppError } from '../utils/errors.ts';
import type { securityPolicy, securityPolicyChange } from '../validators/security-policies.validator.ts';
import { assertOutsideTenants } from './platform-space.policy.ts';
import { actingPerson } from './privilege.policy.ts';
import {
  policyFrom,
  SECURITY_POLICIES,
  storedPolicies,
  type SecurityPolicy,
  type StoredPolicy,
} from './security-policies.service.ts';
import * as queries from './security-policy-changes.queries.ts';

type PolicyView = z.input<typeof securityPolicy>;
type Affected = z.input<typeof securityPolicyChange>['affected'];

const types = Object.keys(SECURITY_POLICIES) as SecurityPolicyType[];
const DAY_MS = 86_400_000;

/** Every policy: what holds, what holds while nobody has set anything, and since when. */
export async function listPolicies(ctx: Pick<ReadContext, 'sql'>): Promise<PolicyView[]> {
  const stored = await ctx.sql.many<StoredPolicy>(storedPolicies(...types));
  return types.map((type) => viewOf(type, stored));
}

function viewOf(type: SecurityPolicyType, stored: readonly StoredPolicy[]): PolicyView {
  const row = stored.find((one) => one.type === type);
  return {
    type,
    value: policyFrom(type, stored),
    defaults: policyFrom(type, []),
    version: row?.version ?? 0,
    updatedAt: row?.updatedAt ?? null,
  };
}

type Change = { changes: Record<string, unknown>; dryRun: boolean; seenVersion: number | undefined };

/**
 * Changes the fields that are given, or tells whom that would concern.
 * @throws AppError validation_failed for a field of another policy or a value that does not fit the others;
 *   version_mismatch; conflict where the caller would shut themselves out
 */
export async function changePolicy(ctx: WriteContext<Actor>, type: SecurityPolicyType, change: Change) {
  assertOutsideTenants(ctx);
  await ctx.sql.one(queries.lockPolicies());
  const stored = await ctx.sql.many<StoredPolicy>(storedPolicies(type));
  const before = viewOf(type, stored);
  if (change.seenVersion !== before.version) {
    throw new AppError(
      'version_mismatch',
      'Somebody has changed the policy since you read it. Read it again and repeat your change.',
      { version: before.version },
    );
  }
  const value = changedPolicy(type, { ...policyFrom(type, stored) }, change.changes);
  await assertSensible(ctx, type, value);
  const affected = await affectedBy(ctx, type, value);
  if (change.dryRun) {
    ctx.audit({ resource: 'security_policy', resourceId: type, details: { dryRun: true, tried: change.changes } });
    return { ...before, value, dryRun: true, affected };
  }
  const row = { value, version: before.version + 1, updatedById: actingPerson(ctx.actor), updatedAt: ctx.now };
  await ctx.db.securityPolicy.upsert({ where: { type }, create: { type, ...row }, update: row });
  if (type === 'SESSION') await ctx.db.$executeRaw(queries.shortenSessions(value as SecurityPolicy<'SESSION'>));
  ctx.audit({ resource: 'security_policy', resourceId: type, before: before.value, after: value });
  return { ...viewOf(type, [{ type, ...row }]), dryRun: false, affected };
}

type PolicyValue = SecurityPolicy<SecurityPolicyType>;

function changedPolicy(type: SecurityPolicyType, before: object, changes: Record<string, unknown>): PolicyValue {
  const schema = SECURITY_POLICIES[type];
  const foreign = Object.keys(changes).filter((field) => !Object.hasOwn(schema.shape, field));
  if (foreign.length > 0) throw wrongFields(foreign, `does not belong to the policy ${type.toLowerCase()}`);
  if (Object.keys(changes).length === 0) throw wrongFields(['dryRun'], 'is not enough: name a field to change');
  return schema.parse({ ...before, ...changes });
}

const wrongFields = (fields: string[], message: string) =>
  new AppError('validation_failed', `The body is not valid: ${fields[0]} ${message}`, {
    issues: fields.map((field) => ({ in: 'body' as const, field, message })),
  });

async function assertSensible(ctx: WriteContext<Actor>, type: SecurityPolicyType, value: PolicyValue): Promise<void> {
  if (type === 'LOCKOUT') {
    const { firstDelaySeconds, longestDelaySeconds } = value as SecurityPolicy<'LOCKOUT'>;
    if (firstDelaySeconds > longestDelaySeconds) {
      throw wrongFields(['firstDelaySeconds', 'longestDelaySeconds'], 'must not make the first wait the longest');
    }
  }
  if (type === 'MFA') await assertMfaCanBeMet(ctx, value as SecurityPolicy<'MFA'>);
}

/** Roles that are there; and nobody demands at once what they do not have themselves: they could not take it back. */
async function assertMfaCanBeMet(ctx: WriteContext<Actor>, policy: SecurityPolicy<'MFA'>): Promise<void> {
  const { requiredRoles, graceDays } = policy;
  if (requiredRoles.length === 0) return;
  const known = await ctx.sql.many<{ code: string }>(queries.knownRoles(requiredRoles));
  const missing = requiredRoles.filter((code) => !known.some((role) => role.code === code));
  if (missing.length > 0) throw wrongFields(['requiredRoles'], `names roles that are not there: ${missing.join(', ')}`);
  if (graceDays > 0) return;
  const own = await ctx.sql.one<{ hasFactor: boolean }>(queries.personHasFactor(actingPerson(ctx.actor)));
  if (own?.hasFactor) return;
  throw new AppError(
    'conflict',
    'Without days of grace this would shut you out yourself: you have no second factor. Set one up first.',
  );
}

const nobody: Affected = { admins: 0, people: 0, sessionsEnded: 0, sessionsShortened: 0, due: null };

function affectedBy(ctx: WriteContext, type: SecurityPolicyType, value: PolicyValue): Promise<Affected> {
  switch (type) {
    case 'PASSWORD':
      return affectedByAge(ctx, value as SecurityPolicy<'PASSWORD'>);
    case 'SESSION':
      return affectedByLimits(ctx, value as SecurityPolicy<'SESSION'>);
    case 'MFA':
      return affectedByMfa(ctx, value as SecurityPolicy<'MFA'>);
    default:
      // Waits come after wrong tries: they concern nobody yet.
      return Promise.resolve(nobody);
  }
}

async function affectedByAge(ctx: WriteContext, { maxAgeDays }: SecurityPolicy<'PASSWORD'>): Promise<Affected> {
  if (maxAgeDays === null) return nobody;
  return { ...nobody, ...(await ctx.sql.one<queries.Headcount>(queries.withOldPasswords(maxAgeDays))) };
}

async function affectedByLimits(ctx: WriteContext, limits: SecurityPolicy<'SESSION'>): Promise<Affected> {
  const found = await ctx.sql.one<queries.SessionsAffected>(queries.sessionsBeyond(limits));
  const { ended = 0, shortened = 0, ...heads } = found ?? {};
  return { ...nobody, ...heads, sessionsEnded: ended, sessionsShortened: shortened };
}

async function affectedByMfa(ctx: WriteContext, policy: SecurityPolicy<'MFA'>): Promise<Affected> {
  const { requiredRoles, graceDays } = policy;
  if (requiredRoles.length === 0) return nobody;
  const heads = await ctx.sql.one<queries.Headcount>(queries.holdersWithoutFactor(requiredRoles));
  return { ...nobody, ...heads, due: new Date(ctx.now.getTime() + graceDays * DAY_MS) };
}
