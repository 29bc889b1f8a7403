/** What a plan can limit: the names under which plans and add-ons keep their limits. */
export const ENTITLEMENTS = {
  libraries: { description: 'Libraries', unit: 'libraries' },
  seats: { description: 'Seats of all libraries together', unit: 'seats' },
  students: { description: 'Students who were not removed', unit: 'students' },
  staff: { description: 'Staff members who were not removed', unit: 'staff members' },
} as const;

export type Entitlement = keyof typeof ENTITLEMENTS;

export const entitlementNames = Object.keys(ENTITLEMENTS) as [Entitlement, ...Entitlement[]];

/** Limits by name; null or missing: without limit. */
export type Limits = Partial<Record<Entitlement, number | null>>;
