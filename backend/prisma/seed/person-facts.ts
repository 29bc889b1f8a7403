import type { PersonKind } from '../../src/generated/prisma/enums.ts';
import { createRandom, daysBefore, indianDate, stableId } from './deterministic.ts';
import { isWomansName } from './names.ts';
import type { GuardianshipRow, PersonFacts, UserRow } from './rows.ts';
import type { TenantProfile } from './tenants.ts';

export const unknownFacts: PersonFacts = {
  date_of_birth: null,
  library_id: null,
  member_number: null,
  joined_on: null,
  course: null,
  job_title: null,
  marketing_consent: false,
};

const coursesAtSchool = ['Class 11', 'Class 12', 'JEE', 'NEET', 'NDA', 'CUET'];
const coursesLater = [
  'NEET',
  'JEE',
  'UPSC Civil Services',
  'State Civil Services',
  'SSC CGL',
  'IBPS PO',
  'RRB NTPC',
  'UGC NET',
  'GATE',
  'CA Intermediate',
  'CAT',
  'CLAT',
];
const jobTitles = ['Librarian', 'Front desk', 'Night supervisor', 'Accounts assistant', 'Caretaker', 'Manager'];
const DAYS_A_YEAR = 365.25;
/** Of the students whose parent is known; whoever is under 18 has a guardian (rule 14). */
const SHARE_UNDER_18 = 0.6;

type Known = { kind: PersonKind; hasParent?: boolean };
export type FactsOf = (person: Known, created: string) => PersonFacts;

/** Tells of the people of a tenant, in their order, what a library knows of them. */
export function factsBuilder(profile: TenantProfile, day: Date): FactsOf {
  const random = createRandom(`facts:${profile.slug}`);
  const initials = profile.name.replaceAll(/[^A-Z]/g, '').slice(0, 4);
  let members = 0;
  const libraryId = () => stableId(`libraries:${profile.slug}`, random.integer(0, profile.libraries - 1));
  return ({ kind, hasParent = false }, created) => {
    if (kind === 'STAFF') {
      return {
        ...unknownFacts,
        library_id: libraryId(),
        joined_on: indianDate(created),
        job_title: random.pick(jobTitles),
      };
    }
    if (kind !== 'STUDENT') return unknownFacts;
    members += 1;
    const isMinor = hasParent && random.chance(SHARE_UNDER_18);
    const [youngest, oldest] = isMinor ? [15, 17.9] : [18.1, 29];
    const age = Math.floor((youngest + random.next() * (oldest - youngest)) * DAYS_A_YEAR);
    return {
      date_of_birth: indianDate(daysBefore(day, age)),
      library_id: libraryId(),
      member_number: `${initials}-${String(members).padStart(4, '0')}`,
      joined_on: indianDate(created),
      course: random.pick(isMinor ? coursesAtSchool : coursesLater),
      job_title: null,
      marketing_consent: random.chance(0.3) && !isMinor,
    };
  };
}

/** The parent answers for the student who comes right before them; nobody else does for anybody. */
export function guardianshipRow(student: UserRow | undefined, parent: UserRow): GuardianshipRow | undefined {
  if (parent.kind !== 'PARENT' || student?.kind !== 'STUDENT' || !parent.tenant_id) return undefined;
  return {
    // One child each, so the parent's id serves for this as well.
    id: parent.id,
    tenant_id: parent.tenant_id,
    student_id: student.id,
    guardian_id: parent.id,
    relation: isWomansName(parent.name) ? 'MOTHER' : 'FATHER',
    created_at: parent.created_at,
  };
}
