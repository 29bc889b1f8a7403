import { farhanQureshi, portalAdmins } from './accounts.ts';
import { cities } from './cities.ts';
import { demoTenants } from './demo-tenants.ts';
import { createRandom, type Random } from './deterministic.ts';
import { peopleCount, type StatusChange, type TenantProfile } from './tenants.ts';

/** In all, the demo's included. */
export const LARGE_TENANT_COUNT = 1_000;
export const LARGE_USER_COUNT = 200_000;

const HUGE = { tenants: 10, people: 10_000 };
const MIDDLING = { tenants: 60, people: 500 };
const SMALL_SPREAD = 50;

/** A tenant of 10,000 people, the first of the large ones: what the benchmark lists. */
export const benchTenantSlug = 'gurukul-reading-rooms';

const firstWords = [
  'Aarambh',
  'Abhyudaya',
  'Adhyayan',
  'Brahmaputra',
  'Disha',
  'Ekalavya',
  'Gargi',
  'Gurukul',
  'Jigyasa',
  'Kautilya',
  'Manthan',
  'Narmada',
  'Neev',
  'Prerna',
  'Sadhana',
  'Safalta',
  'Samarth',
  'Shikhar',
  'Takshashila',
  'Udaan',
  'Utkarsh',
  'Vivekananda',
  'Yamuna',
  'Zenith',
];
const secondWords = [
  'Library',
  'Reading Hall',
  'Reading Room',
  'Self Study Centre',
  'Silent Library',
  'Study Centre',
  'Study Hall',
  'Study Lounge',
  'Study Point',
  'Study Zone',
];
const allCities = Object.values(cities);

/** The tenants that come on top of the demo's: a few huge ones, many small. Together they reach the counts above. */
export function* largeTenants(): Generator<TenantProfile> {
  const random = createRandom('large');
  const sizes = tenantSizes(random);
  for (const [index, people] of sizes.entries()) yield largeTenant(random, index, people);
}

function tenantSizes(random: Random): number[] {
  const demoPeople = portalAdmins.length + demoTenants.reduce((sum, tenant) => sum + peopleCount(tenant), 0);
  const small = LARGE_TENANT_COUNT - demoTenants.length - HUGE.tenants - MIDDLING.tenants;
  const peopleOfSmall = LARGE_USER_COUNT - demoPeople - HUGE.tenants * HUGE.people - MIDDLING.tenants * MIDDLING.people;
  const average = Math.floor(peopleOfSmall / small);
  const sizes = Array.from({ length: small }, () => average);
  // What one of a pair has more, the other has less: the sum stays.
  for (let index = 0; index + 1 < small; index += 2) {
    const difference = random.integer(0, SMALL_SPREAD);
    sizes[index] = average + difference;
    sizes[index + 1] = average - difference;
  }
  sizes[small - 1] = (sizes[small - 1] ?? 0) + peopleOfSmall - average * small;
  return [
    ...Array<number>(HUGE.tenants).fill(HUGE.people),
    ...Array<number>(MIDDLING.tenants).fill(MIDDLING.people),
    ...sizes,
  ];
}

function largeTenant(random: Random, index: number, people: number): TenantProfile {
  const city = random.pick(allCities);
  const name = index === 0 ? 'Gurukul Reading Rooms' : `${random.pick(firstWords)} ${random.pick(secondWords)}`;
  const number = String(index).padStart(3, '0');
  const slug = index === 0 ? benchTenantSlug : slugOf(`${name} ${city.name} ${number}`);
  const joinedDaysAgo = people >= MIDDLING.people ? random.integer(400, 900) : random.integer(2, 900);
  const staff = Math.max(1, Math.round(people / 40));
  const parents = Math.floor(people / 8);
  return {
    name,
    slug,
    domain: slug,
    city,
    joinedDaysAgo,
    changes: changesOf(random, joinedDaysAgo),
    registeredForGst: random.chance(2 / 3),
    libraries: people >= HUGE.people ? 40 : people >= MIDDLING.people ? 6 : random.integer(1, 4),
    staff,
    students: people - 1 - staff - parents,
    parents,
    signIn: 'owner',
  };
}

const slugOf = (text: string): string => text.toLowerCase().replaceAll(' ', '-');

function changesOf(random: Random, joinedDaysAgo: number): StatusChange[] {
  const activated = joinedDaysAgo - random.integer(3, 14);
  if (activated < 2 || (joinedDaysAgo < 60 && random.chance(0.5))) return [];
  const changes: StatusChange[] = [{ to: 'ACTIVE', daysAgo: activated, reason: 'Bought a plan', by: null }];
  const share = random.next();
  const since = random.integer(1, activated - 1);
  if (share < 0.04)
    changes.push({ to: 'SUSPENDED', daysAgo: since, reason: 'Invoices unpaid for 45 days', by: farhanQureshi });
  else if (share < 0.08) changes.push({ to: 'INACTIVE', daysAgo: since, reason: 'Asked to pause', by: farhanQureshi });
  return changes;
}
