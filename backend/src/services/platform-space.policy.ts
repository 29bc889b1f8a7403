import type { ReadContext } from '../types/context.ts';
import { AppError } from '../utils/errors.ts';

/**
 * What belongs to the whole platform is not looked at or changed from within one tenant.
 * @throws AppError tenant_mismatch where an admin has narrowed themselves to a tenant
 */
export function assertOutsideTenants(ctx: Pick<ReadContext, 'tenantId'>): void {
  if (ctx.tenantId === null) return;
  throw new AppError('tenant_mismatch', 'x-tenant-id names a tenant. Leave it out: this concerns the whole platform.');
}
