import type { TenantStatus } from '../../src/generated/prisma/enums.ts';
import { devPatil, type PortalAdmin } from './accounts.ts';
import type { City, Locality } from './cities.ts';
import { addressLine, gstinOf, mobileNumber } from './contact-details.ts';
import { createRandom, daysBefore, stableId, type Random } from './deterministic.ts';
import { pickName, type PersonName } from './names.ts';
import type { LibraryRow, TenantRow, TransitionRow } from './rows.ts';

export type StatusChange = {
  to: TenantStatus;
  /** Whole days before the day of seeding. */
  daysAgo: number;
  reason: string;
  /** null: the system itself. */
  by: PortalAdmin | null;
};

/** What tells one tenant from another; all the rest follows from it. */
export type TenantProfile = {
  name: string;
  slug: string;
  /** Without `.example`. */
  domain: string;
  city: City;
  /** Two at least: the others come after the owner, and before the day of seeding. */
  joinedDaysAgo: number;
  /** What came after the trial began, oldest first. */
  changes: readonly StatusChange[];
  registeredForGst: boolean;
  libraries: number;
  staff: number;
  students: number;
  parents: number;
  /** Who has the demo password. */
  signIn: 'everybody' | 'owner';
};

const TRIAL_DAYS = 14;
/** Half past ten: the hour at which tenants are created. */
const OFFICE_MINUTE = 10 * 60 + 30;

export const tenantId = (profile: TenantProfile): string => stableId(`tenant:${profile.slug}`);
export const adminId = (admin: PortalAdmin): string => stableId(`admin:${admin.email}`);
export const joinedAt = (profile: TenantProfile, day: Date): string =>
  daysBefore(day, profile.joinedDaysAgo, OFFICE_MINUTE);

export const ownerName = (profile: TenantProfile): PersonName =>
  pickName(createRandom(`owner:${profile.slug}`), profile.city.region);

export const peopleCount = (profile: TenantProfile): number => 1 + profile.staff + profile.students + profile.parents;

/** @param day 00:00 of the day that all dates are counted back from */
export function tenantRow(profile: TenantProfile, day: Date): TenantRow {
  const random = createRandom(`tenant:${profile.slug}`);
  const locality = localityOf(profile, 0);
  const latest = profile.changes.at(-1);
  const joined = joinedAt(profile, day);
  return {
    id: tenantId(profile),
    name: profile.name,
    slug: profile.slug,
    email: `office@${profile.domain}.example`,
    phone: mobileNumber(random),
    gstin: profile.registeredForGst ? gstinOf(random, profile.city, ownerName(profile)) : null,
    address_line: addressLine(random, locality),
    city: profile.city.name,
    state: profile.city.state,
    pincode: locality.pincode,
    status: latest?.to ?? 'TRIAL',
    trial_ends_at: daysBefore(day, profile.joinedDaysAgo - TRIAL_DAYS, OFFICE_MINUTE),
    version: 1 + profile.changes.length,
    created_at: joined,
    updated_at: latest ? changedAt(latest, profile, day) : joined,
  };
}

/** Late in the afternoon, at a minute of the tenant's own, so that not everything happens at once. */
export const changedAt = (change: StatusChange, profile: TenantProfile, day: Date): string =>
  daysBefore(day, change.daysAgo, createRandom(`change:${profile.slug}:${change.daysAgo}`).integer(15 * 60, 18 * 60));

/** How the tenant came to its status, from its creation on. */
export function transitionRows(profile: TenantProfile, day: Date): TransitionRow[] {
  const row = (index: number, from: TenantStatus | null, change: Omit<StatusChange, 'daysAgo' | 'reason'>) => ({
    id: stableId(`transitions:${profile.slug}`, index),
    tenant_id: tenantId(profile),
    from,
    to: change.to,
    actor_id: change.by && adminId(change.by),
    actor_name: change.by && change.by.name,
  });
  const created = { ...row(0, null, { to: 'TRIAL', by: devPatil }), reason: null, created_at: joinedAt(profile, day) };
  const changed = profile.changes.map((change, index) => ({
    ...row(index + 1, profile.changes[index - 1]?.to ?? 'TRIAL', change),
    reason: change.reason,
    created_at: changedAt(change, profile, day),
  }));
  return [created, ...changed];
}

export function libraryRows(profile: TenantProfile, day: Date): LibraryRow[] {
  const random = createRandom(`libraries:${profile.slug}`);
  return Array.from({ length: profile.libraries }, (_, index) => libraryRow(profile, random, index, day));
}

/** Where the tenant's library of that number is; the office is at the first. */
function localityOf({ slug, city: { localities } }: TenantProfile, library: number): Locality {
  const first = createRandom(`locality:${slug}`).integer(0, localities.length - 1);
  return localities[(first + library) % localities.length] as Locality;
}

function libraryRow(profile: TenantProfile, random: Random, index: number, day: Date): LibraryRow {
  const locality = localityOf(profile, index);
  const round = Math.floor(index / profile.city.localities.length);
  const opened = daysBefore(day, Math.round(profile.joinedDaysAgo / (index + 1)), OFFICE_MINUTE + 20 + index);
  return {
    id: stableId(`libraries:${profile.slug}`, index),
    tenant_id: tenantId(profile),
    name: `${profile.name}, ${locality.name}${round > 0 ? ` ${round + 1}` : ''}`,
    address_line: addressLine(random, locality),
    city: profile.city.name,
    state: profile.city.state,
    pincode: locality.pincode,
    phone: mobileNumber(random),
    seat_count: random.integer(4, 24) * 10,
    created_at: opened,
    updated_at: opened,
  };
}
