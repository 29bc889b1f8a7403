import { sql, type Sql } from '../utils/sql.ts';

export type BrandingRow = {
  displayName: string;
  tagline: string | null;
  primaryColor: string | null;
  accentColor: string | null;
  logoKey: string | null;
  logoWidth: number | null;
  logoHeight: number | null;
  version: number;
  updatedAt: Date | null;
};

/** Version 0 while nothing was ever set. */
export const brandingOf = (tenantId: string): Sql => sql`
  select coalesce(b.display_name, t.name) as "displayName", b.tagline, b.primary_color as "primaryColor",
         b.accent_color as "accentColor", b.logo_key as "logoKey", b.logo_width as "logoWidth",
         b.logo_height as "logoHeight", coalesce(b.version, 0) as version, b.updated_at as "updatedAt"
    from tenants t left join tenant_branding b on b.tenant_id = t.id
   where t.id = ${tenantId} and t.status <> 'PURGED'`;

export const logoKeyOf = (tenantId: string): Sql =>
  sql`select logo_key as "logoKey" from tenant_branding where tenant_id = ${tenantId}`;
