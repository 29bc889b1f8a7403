import { scopedReader } from '../config/scope.ts';
import type { Access } from '../routes/endpoint.ts';
import type { Actor, Scope } from '../types/context.ts';
import { AppError, orNotFound } from '../utils/errors.ts';
import { idPattern } from '../utils/ids.ts';
import { sql } from '../utils/sql.ts';

export const TENANT_HEADER = 'x-tenant-id';

export type Space = { scope: Scope; tenantId: string | null };

const portal = scopedReader({ role: 'portal' });

/**
 * Whose rows the request may see. A platform user's tenant is that of the token, whatever the header says; a portal
 * admin who holds `tenants.access` may narrow themselves to one tenant with the header, but for what is their own.
 * @throws AppError tenant_mismatch for a platform user who names another tenant
 */
export async function resolveSpace(access: Access, actor: Actor | null, header: string | undefined): Promise<Space> {
  if (!actor) return { scope: { role: 'auth' }, tenantId: null };
  if (actor.type === 'PLATFORM_USER') return spaceOfPlatformUser(access, actor, header);
  // Their own sessions and profile lie in no tenant: narrowed to one, a sign-out would find nothing to end.
  if (header === undefined || access === 'authenticated') {
    if (typeof access === 'object' && 'tenant' in access && access.tenant === 'required') {
      throw new AppError('tenant_required', `Name the tenant in the header ${TENANT_HEADER}.`);
    }
    return { scope: { role: 'portal' }, tenantId: null };
  }
  if (!actor.permissions.has('tenants.access')) {
    throw new AppError(
      'forbidden',
      `To work within a tenant (${TENANT_HEADER}) you need the permission tenants.access.`,
    );
  }
  return { scope: { role: 'tenant', tenantId: await existingTenant(header) }, tenantId: header };
}

function spaceOfPlatformUser(access: Access, actor: Actor, header: string | undefined): Space {
  const { tenantId } = actor;
  if (!tenantId) throw new AppError('forbidden', 'This account belongs to no library.');
  if (header !== undefined && header !== tenantId) {
    throw new AppError('tenant_mismatch', `${TENANT_HEADER} names a tenant that is not yours. Leave the header out.`);
  }
  const isOwnSession = access === 'authenticated';
  if (!isOwnSession && actor.tenantStatus !== 'ACTIVE' && actor.tenantStatus !== 'TRIAL') {
    throw new AppError('tenant_suspended', 'Your library is suspended. Contact StudySpot support to open it again.');
  }
  return { scope: { role: 'tenant', tenantId }, tenantId };
}

async function existingTenant(tenantId: string): Promise<string> {
  const known = idPattern.test(tenantId)
    ? await portal.one<{ id: string }>(sql`select id from tenants where id = ${tenantId} and status <> 'PURGED'`)
    : undefined;
  return orNotFound(known, 'tenant').id;
}
