import type { z } from 'zod';
import { permissionDefinition, type Permission } from '../config/permissions.ts';
import type { UserStatus, UserType } from '../generated/prisma/enums.ts';
import type { ReadContext } from '../types/context.ts';
import { orNotFound } from '../utils/errors.ts';
import { sql, type Sql } from '../utils/sql.ts';
import type { effective, simulateBody, simulation } from '../validators/rbac.validator.ts';
import { decideAccess, type Subject } from './access.policy.ts';
import { grantsOf } from './principal.service.ts';
import { tenantExists } from './tenants.queries.ts';

type Person = {
  id: string;
  name: string;
  email: string | null;
  type: UserType;
  status: UserStatus;
  tenantId: string | null;
  tenantStatus: string | null;
  deleted: boolean;
};

const personById = (id: string): Sql => sql`
  select u.id, u.name, u.email, u.type, u.status, u.tenant_id as "tenantId", t.status as "tenantStatus",
         u.deleted_at is not null as deleted
    from users u left join tenants t on t.id = u.tenant_id where u.id = ${id}`;

/** Everything that roles, grants and denials say of somebody, and what comes of it. */
export async function explainPermissions(ctx: ReadContext, id: string): Promise<z.input<typeof effective>> {
  const user = orNotFound(await ctx.sql.one<Person>(personById(id)), 'user');
  const { effective: all } = await grantsOf(ctx.sql, id);
  const permissions = [...all].map(([permission, { granted, sources }]) => ({ permission, granted, sources }));
  return { user, permissions: permissions.toSorted((a, b) => (a.permission < b.permission ? -1 : 1)) };
}

/**
 * Whether somebody would be let in where an endpoint asks for the permission, and is open to tenants if the permission
 * is. The decision is that of requests: only what is known of the session alone (address, expired password) is left out.
 * @throws AppError not_found for a user or tenant that is not there
 */
export async function simulate(
  ctx: Pick<ReadContext, 'sql'>,
  { userId, permission, tenantId }: z.output<typeof simulateBody>,
): Promise<z.input<typeof simulation>> {
  const person = orNotFound(await ctx.sql.one<Person>(personById(userId)), 'user');
  if (tenantId !== undefined) orNotFound(await ctx.sql.one(tenantExists(tenantId)), 'tenant');
  const grants = await grantsOf(ctx.sql, userId);
  const sources = grants.effective.get(permission)?.sources ?? [];
  const shutOut = cannotSignIn(person);
  if (shutOut) return { allowed: false, rule: 'not_active', code: 'unauthenticated', message: shutOut, sources };

  const subject: Subject = { ...person, kind: 'user', ...grants, restriction: null };
  const decision = decideAccess(subject, { permission, openToTenants: isOpenToTenants(permission), tenantId });
  return decision.allowed
    ? { allowed: true, rule: decision.rule, code: null, message: 'This is allowed.', sources }
    : { ...decision, sources };
}

const isOpenToTenants = (permission: Permission): boolean => permissionDefinition(permission).tenants === true;

/** Why a request of theirs would not get as far as a decision. */
function cannotSignIn({ deleted, status, tenantStatus }: Person): string | undefined {
  if (deleted) return 'This person has left: their account is removed.';
  if (status !== 'ACTIVE') return `Their account is ${status}: they cannot sign in, and sessions of theirs have ended.`;
  return tenantStatus === 'PURGED' ? 'Their library is no more.' : undefined;
}
