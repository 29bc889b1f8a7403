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
 * Whose rows the request may see, once it is clear that it may be made. A platform user's tenant is that of the token,
 * whatever the header says; a portal admin may narrow themselves to one tenant with the header, but for what is their
 * own. An API key sees what its creator sees.
 * @throws AppError not_found for a tenant that is not there; tenant_required
 */
export async function resolveSpace(access: Access, actor: Actor | null, header: string | undefined): Promise<Space> {
  if (!actor) return { scope: { role: 'auth' }, tenantId: null };
  if (actor.type === 'PLATFORM_USER') {
    if (!actor.tenantId) throw new AppError('forbidden', 'This account belongs to no library.');
    return { scope: { role: 'tenant', tenantId: actor.tenantId }, tenantId: actor.tenantId };
  }
  // Their own sessions and profile lie in no tenant: narrowed to one, a sign-out would find nothing to end.
  if (header === undefined || access === 'authenticated') {
    if (typeof access === 'object' && 'tenant' in access && access.tenant === 'required') {
      throw new AppError('tenant_required', `Name the tenant in the header ${TENANT_HEADER}.`);
    }
    return { scope: { role: 'portal' }, tenantId: null };
  }
  return { scope: { role: 'tenant', tenantId: await existingTenant(header) }, tenantId: header };
}

async function existingTenant(tenantId: string): Promise<string> {
  const known = idPattern.test(tenantId)
    ? await portal.one<{ id: string }>(sql`select id from tenants where id = ${tenantId} and status <> 'PURGED'`)
    : undefined;
  return orNotFound(known, 'tenant').id;
}
