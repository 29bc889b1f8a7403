import type { z } from 'zod';
import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import { AppError, orNotFound } from '../utils/errors.ts';
import { page } from '../utils/page.ts';
import type { impersonation } from '../validators/impersonations.validator.ts';
import { impersonationRows } from './impersonations.queries.ts';
import { endImpersonations } from './impersonations.service.ts';
import { setSetting } from './settings.service.ts';
import { lockTenant, tenantExists } from './tenants.queries.ts';

/** Who of StudySpot acted in the name of a tenant's people, when and why: open to the tenant itself (rule 9). */
export const listTenantImpersonations = (ctx: ReadContext, tenantId: string, query: { page: number; limit: number }) =>
  page<z.input<typeof impersonation>>(ctx, query, {
    ...impersonationRows({ tenantId }),
    parent: { of: tenantExists(tenantId), what: 'tenant' },
  });

/**
 * A library allows support to act in the name of its people, or takes that back, which ends at once what goes on. An
 * admin can take it back for them; only the library itself can give it.
 * @throws AppError forbidden for an admin who would allow it
 */
export async function setSupportAccess(ctx: WriteContext<Actor>, tenantId: string, allowed: boolean) {
  // The same lock as at a beginning: one that began just now is seen here, or sees what is written here.
  orNotFound(await ctx.sql.one(lockTenant(tenantId)), 'tenant');
  if (allowed && ctx.actor.type === 'ADMIN_USER') {
    throw new AppError('forbidden', 'Only the library itself can allow this. Ask its owner.');
  }
  await setSetting(ctx, 'support.access_allowed', allowed, { tenantId });
  const ended = allowed ? 0 : await endImpersonations(ctx, { tenantId }, 'CONSENT_WITHDRAWN');
  return { allowed, ended };
}
