import type { PersonKind, UserStatus } from '../../src/generated/prisma/enums.ts';
import { portalAdmins } from './accounts.ts';
import { mobileNumber } from './contact-details.ts';
import { createRandom, daysBefore, stableId, type Random } from './deterministic.ts';
import { pickName, type PersonName } from './names.ts';
import { factsBuilder, unknownFacts, type FactsOf } from './person-facts.ts';
import type { UserRow } from './rows.ts';
import { adminId, joinedAt, ownerName, tenantId, type TenantProfile } from './tenants.ts';

const ADMINS_SINCE_DAYS = 900;
/** From nine in the morning to eight in the evening people are entered; later they sign in. */
const [OPENING_MINUTE, EVENING_MINUTE, CLOSING_MINUTE] = [9 * 60, 20 * 60, 23 * 60];

export function adminRows(day: Date, passwordHash: string): UserRow[] {
  return portalAdmins.map((admin, index) => {
    const created = daysBefore(day, ADMINS_SINCE_DAYS - 20 * index, OPENING_MINUTE);
    return {
      id: adminId(admin),
      tenant_id: null,
      type: 'ADMIN_USER',
      kind: null,
      name: admin.name,
      email: admin.email,
      phone: admin.phone,
      status: 'ACTIVE',
      password_hash: passwordHash,
      password_changed_at: created,
      email_verified: true,
      last_login_at: daysBefore(day, 1 + (index % 3), OPENING_MINUTE + 7 * index),
      created_at: created,
      updated_at: created,
      ...unknownFacts,
    };
  });
}

type Person = {
  kind: PersonKind;
  name: PersonName;
  phone: string;
  status: UserStatus;
  daysAgo: number;
  /** Whether a parent of theirs is known. */
  hasParent?: boolean;
};

/** The people of a tenant, one after another: a large tenant's never stand in memory together. */
export function* peopleRows(profile: TenantProfile, day: Date, passwordHash: string): Generator<UserRow> {
  const random = createRandom(`people:${profile.slug}`);
  const rowOf = rowBuilder(profile, day, passwordHash, random, factsBuilder(profile, day));
  yield ownerRow(profile, day, passwordHash, random);
  for (let index = 0; index < profile.staff; index++) yield rowOf(somebody(random, profile, 'STAFF'));
  for (let index = 0; index < profile.students; index++) {
    const student = { ...somebody(random, profile, 'STUDENT'), hasParent: hasParent(profile, index) };
    yield rowOf(student);
    // The parent comes right after the student: `guardianshipRow` relies on it.
    if (student.hasParent) yield rowOf(parentOf(random, profile, student));
  }
}

/** Spreads the parents evenly over the students. */
const hasParent = ({ students, parents }: TenantProfile, index: number): boolean =>
  Math.floor(((index + 1) * parents) / students) > Math.floor((index * parents) / students);

const somebody = (random: Random, profile: TenantProfile, kind: PersonKind): Person => ({
  kind,
  name: pickName(random, profile.city.region),
  phone: mobileNumber(random),
  status: pickStatus(random, kind),
  daysAgo: random.integer(1, profile.joinedDaysAgo - 1),
});

/** Of the same family name; every other parent gave their own number for the child. */
const parentOf = (random: Random, profile: TenantProfile, student: Person): Person => ({
  kind: 'PARENT',
  name: pickName(random, profile.city.region, student.name.surname),
  phone: random.chance(0.5) ? student.phone : mobileNumber(random),
  status: pickStatus(random, 'PARENT'),
  daysAgo: student.daysAgo,
});

function pickStatus(random: Random, kind: PersonKind): UserStatus {
  const share = random.next();
  if (kind === 'STAFF') return share < 0.88 ? 'ACTIVE' : share < 0.94 ? 'PENDING' : 'INACTIVE';
  return share < 0.82 ? 'ACTIVE' : share < 0.91 ? 'PENDING' : share < 0.98 ? 'INACTIVE' : 'SUSPENDED';
}

function ownerRow(profile: TenantProfile, day: Date, passwordHash: string, random: Random): UserRow {
  const created = joinedAt(profile, day);
  return {
    id: stableId(`users:${profile.slug}`),
    tenant_id: tenantId(profile),
    type: 'PLATFORM_USER',
    kind: 'OWNER',
    name: ownerName(profile).full,
    email: `owner@${profile.domain}.example`,
    phone: mobileNumber(random),
    status: 'ACTIVE',
    password_hash: passwordHash,
    password_changed_at: created,
    email_verified: true,
    last_login_at: daysBefore(day, Math.min(profile.joinedDaysAgo, random.integer(1, 10)), EVENING_MINUTE),
    created_at: created,
    updated_at: created,
    ...unknownFacts,
  };
}

function rowBuilder(profile: TenantProfile, day: Date, passwordHash: string, random: Random, factsOf: FactsOf) {
  const ownTenantId = tenantId(profile);
  let count = 0;
  const namesakes = new Map<string, number>();
  const emailOf = (name: PersonName): string => {
    const local = `${name.given}.${name.surname.latin}`.toLowerCase();
    const number = (namesakes.get(local) ?? 0) + 1;
    namesakes.set(local, number);
    return `${local}${number > 1 ? number : ''}@${profile.domain}.example`;
  };
  return (person: Person): UserRow => {
    count += 1;
    const reach = person.kind === 'STAFF' ? 1 : random.next();
    const email = reach < 0.15 ? null : emailOf(person.name);
    const phone = reach >= 0.15 && reach < 0.2 ? null : person.phone;
    const created = daysBefore(day, person.daysAgo, random.integer(OPENING_MINUTE, EVENING_MINUTE));
    const signsIn = profile.signIn === 'everybody' && person.status !== 'PENDING';
    const lastLogin = daysBefore(
      day,
      random.integer(1, Math.min(person.daysAgo, 30)),
      random.integer(EVENING_MINUTE, CLOSING_MINUTE),
    );
    return {
      id: stableId(`users:${profile.slug}`, count),
      tenant_id: ownTenantId,
      type: 'PLATFORM_USER',
      kind: person.kind,
      name: person.name.full,
      email,
      phone,
      status: person.status,
      password_hash: signsIn ? passwordHash : null,
      password_changed_at: signsIn ? created : null,
      email_verified: email !== null && person.status !== 'PENDING',
      last_login_at: signsIn ? lastLogin : null,
      created_at: created,
      updated_at: created,
      ...factsOf(person, created),
    };
  };
}
