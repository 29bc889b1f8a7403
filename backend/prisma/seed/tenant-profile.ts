import { createRandom, daysBefore } from './deterministic.ts';
import type { BillingProfileRow, BrandingRow } from './rows.ts';
import { tenantRow, type TenantProfile } from './tenants.ts';

const palettes = [
  ['#1f4e79', '#f2a900'],
  ['#2e7d32', '#c6ff00'],
  ['#6a1b9a', '#ffb300'],
  ['#b71c1c', '#ffe082'],
  ['#004d40', '#ff8f00'],
  ['#37474f', '#80deea'],
] as const;
const taglines = ['Quiet seats, long hours', 'शांति से पढ़ें', 'Your seat is waiting', 'Study more, worry less', null];
/** Some have not come round to it. */
const BRANDED_SHARE = 0.7;
const [BRANDED_MINUTE, BILLED_MINUTE] = [16 * 60, 17 * 60];

/** How the tenant's space looks, where somebody has seen to it. */
export function brandingRow(profile: TenantProfile, day: Date): BrandingRow | undefined {
  const random = createRandom(`branding:${profile.slug}`);
  if (!random.chance(BRANDED_SHARE)) return undefined;
  const [primary, accent] = random.pick(palettes);
  return {
    tenant_id: tenantRow(profile, day).id,
    display_name: profile.name,
    tagline: random.pick(taglines),
    primary_color: primary,
    accent_color: accent,
    updated_at: daysBefore(day, profile.joinedDaysAgo - 1, BRANDED_MINUTE),
  };
}

/** Who invoices go to, of the tenants that have bought something. */
export function billingProfileRow(profile: TenantProfile, day: Date): BillingProfileRow | undefined {
  const bought = profile.changes.find(({ to }) => to === 'ACTIVE');
  if (!bought) return undefined;
  const { id, gstin, address_line, city, state, pincode } = tenantRow(profile, day);
  const since = daysBefore(day, bought.daysAgo, BILLED_MINUTE);
  return {
    tenant_id: id,
    legal_name: `${profile.name} ${profile.libraries > 2 ? 'Private Limited' : '(Proprietorship)'}`,
    gstin,
    email: `accounts@${profile.domain}.example`,
    address_line,
    city,
    state,
    pincode,
    created_at: since,
    updated_at: since,
  };
}
