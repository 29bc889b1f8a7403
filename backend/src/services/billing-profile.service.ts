import type { z } from 'zod';
import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import { assertVersion, orNotFound } from '../utils/errors.ts';
import { sql, type Sql } from '../utils/sql.ts';
import type { billingProfile, billingProfileBody } from '../validators/tenant-profile.validator.ts';
import { lockTenant } from './tenants.queries.ts';

type BillingProfile = z.input<typeof billingProfile>;

const profileOf = (tenantId: string): Sql => sql`
  select p.tenant_id as "tenantId", p.legal_name as "legalName", p.gstin, p.email, p.address_line as "addressLine",
         p.city, p.state, p.pincode, p.version, p.created_at as "createdAt", p.updated_at as "updatedAt"
    from billing_profiles p join tenants t on t.id = p.tenant_id
   where p.tenant_id = ${tenantId} and t.status <> 'PURGED'`;

/** Who invoices go to. @throws AppError not_found, also as long as there is none */
export const getBillingProfile = async (ctx: Pick<ReadContext, 'sql'>, tenantId: string): Promise<BillingProfile> =>
  orNotFound(await ctx.sql.one<BillingProfile>(profileOf(tenantId)), 'billing profile');

/**
 * Creates the billing profile of a tenant, or puts another in its place.
 * @param seenVersion from If-Match: refused when somebody has changed it since
 * @throws AppError not_found, version_mismatch
 */
export async function setBillingProfile(
  ctx: WriteContext<Actor>,
  tenantId: string,
  body: z.output<typeof billingProfileBody>,
  seenVersion?: number,
): Promise<BillingProfile> {
  // Also where there is no profile yet that could be locked.
  orNotFound(await ctx.sql.one(lockTenant(tenantId)), 'tenant');
  const before = await ctx.sql.one<BillingProfile>(profileOf(tenantId));
  assertVersion(seenVersion, before?.version ?? 0, 'billing profile');
  const profile = { ...body, gstin: body.gstin ?? null };
  await ctx.db.billingProfile.upsert({
    where: { tenantId },
    create: { tenantId, ...profile, createdAt: ctx.now },
    update: { ...profile, version: { increment: 1 } },
  });
  ctx.audit({ resource: 'billing_profile', resourceId: tenantId, tenantId, before: before ?? {}, after: profile });
  return getBillingProfile(ctx, tenantId);
}
