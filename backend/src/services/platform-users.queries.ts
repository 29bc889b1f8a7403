import type { PersonKind, UserStatus } from '../generated/prisma/enums.ts';
import { isServedByTrigrams, searching } from '../utils/search.ts';
import { empty, orderBy, raw, sql, where, type Sql } from '../utils/sql.ts';
import type { personSortColumns } from '../validators/platform-users.validator.ts';

// People of tenants. Within the portal's scope row security does not tell tenants apart: `tenantId` of the space is a
// condition of each statement.

export type PeopleFilter = {
  tenantId?: string | undefined;
  kind?: PersonKind | undefined;
  status?: UserStatus | undefined;
  libraryId?: string | undefined;
  course?: string | undefined;
  minor?: boolean | undefined;
  createdFrom?: Date | undefined;
  createdTo?: Date | undefined;
  q?: string | undefined;
};
export type PeopleListing = PeopleFilter & { sort: (typeof personSortColumns)[number]; order: 'asc' | 'desc' };

/** Where somebody looks, and when. @param bornAfter who was born after this day is a minor */
export type Viewpoint = { tenantId: string | null; bornAfter: string };

/**
 * The people `u` of a tenant, or of all: nobody who has left, no portal admin. What belongs to a tenant is no admin; not
 * to say so keeps the planner from the indexes over the people of all tenants, where it might look at every one of them.
 */
export const peopleOf = (tenantId: string | null): Sql =>
  sql`${tenantId ? sql`u.tenant_id = ${tenantId}` : sql`u.type = 'PLATFORM_USER'`} and u.deleted_at is null`;

/**
 * The condition of a list of people `u`, and of an export of it. A search has its index over the people of all tenants;
 * row security lets the portal alone use it, which is why a tenant that a portal admin names comes on top of it there.
 */
export const matchingPeople = (filter: PeopleFilter, { tenantId, bornAfter }: Viewpoint): Sql => {
  const within = tenantId ?? (filter.q ? null : (filter.tenantId ?? null));
  return where(
    peopleOf(within),
    filter.tenantId && filter.tenantId !== within && sql`u.tenant_id = ${filter.tenantId}`,
    filter.kind && sql`u.kind = ${filter.kind}::person_kind`,
    filter.status && sql`u.status = ${filter.status}::user_status`,
    filter.libraryId && sql`u.library_id = ${filter.libraryId}`,
    filter.course && sql`lower(u.course) = ${filter.course.toLowerCase()}`,
    filter.minor === true && sql`u.date_of_birth > ${bornAfter}::date`,
    filter.minor === false && sql`(u.date_of_birth is null or u.date_of_birth <= ${bornAfter}::date)`,
    filter.createdFrom && sql`u.created_at >= ${filter.createdFrom}`,
    filter.createdTo && sql`u.created_at < ${filter.createdTo}`,
    filter.q && searching(sql`u.search_text`, filter.q),
  );
};

const minor = (bornAfter: string, born = sql`u.date_of_birth`): Sql =>
  sql`coalesce(${born} > ${bornAfter}::date, false)`;
export const marketingAllowed = (bornAfter: string): Sql => sql`u.marketing_consent and not ${minor(bornAfter)}`;

const rowColumns = sql`
  u.id, u.kind, u.name, u.email, u.phone, u.status, u.member_number as "memberNumber",
  u.last_login_at as "lastLoginAt", u.created_at as "createdAt",
  (select jsonb_build_object('id', t.id, 'name', t.name) from tenants t where t.id = u.tenant_id) as tenant,
  (select jsonb_build_object('id', l.id, 'name', l.name) from libraries l where l.id = u.library_id) as library`;

/** What only people of one kind have, in a list of that kind. */
const factsOf = (kind: PersonKind, bornAfter: string): Sql =>
  ({
    OWNER: sql`(select count(*)::int from libraries l where l.tenant_id = u.tenant_id) as libraries`,
    STUDENT: sql`
      u.course, ${minor(bornAfter)} as minor, ${marketingAllowed(bornAfter)} as "marketingAllowed",
      (select count(*)::int from guardianships g join users p on p.id = g.guardian_id
        where g.student_id = u.id and p.deleted_at is null) as guardians`,
    PARENT: sql`
      (select count(*)::int from guardianships g join users p on p.id = g.student_id
        where g.guardian_id = u.id and p.deleted_at is null) as wards`,
    STAFF: sql`u.job_title as "jobTitle"`,
  })[kind];

/** Who never signed in comes before everybody who did. */
const sortColumns: Record<(typeof personSortColumns)[number], string> = {
  createdAt: 'u.created_at',
  name: 'u.name',
  lastLoginAt: `coalesce(u.last_login_at, '-infinity'::timestamptz)`,
};

/**
 * Finds by the index of the search, then sorts. The planner cannot know how rare the sound of a name is; it would go
 * along the order of the list, and for a rare one through everybody.
 */
const rowsFoundFirst = (columns: Sql, conditions: Sql, { sort, order }: PeopleListing): Sql => sql`
  with found as materialized (select u.id, ${raw(sortColumns[sort])} as place from users u ${conditions})
  select ${columns} from found join users u on u.id = found.id
  ${orderBy({ [sort]: 'found.place' } as typeof sortColumns, sort, order, 'found.id')}`;

/**
 * What is looked up beside a person comes after sorting: once for each row up to the end of the page.
 * @param kind a list of this kind alone, with its facts
 */
export function peopleRows(filter: PeopleListing, viewpoint: Viewpoint, kind?: PersonKind): { rows: Sql; count: Sql } {
  const conditions = matchingPeople(kind ? { ...filter, kind } : filter, viewpoint);
  const facts = kind ? sql`, ${factsOf(kind, viewpoint.bornAfter)}` : empty;
  const columns = sql`${rowColumns}${facts}`;
  const isOverAll = viewpoint.tenantId === null && filter.tenantId === undefined;
  return {
    rows:
      isOverAll && filter.q && isServedByTrigrams(filter.q)
        ? rowsFoundFirst(columns, conditions, filter)
        : sql`select ${columns} from users u ${conditions} ${orderBy(sortColumns, filter.sort, filter.order, 'u.id')}`,
    count: sql`select count(*)::int as total from users u ${conditions}`,
  };
}

const MOST_LINKED = 100;

const linkedColumns = sql`p.id, g.relation, p.name, p.phone, p.email, g.created_at`;

const guardians = sql`
  select coalesce(jsonb_agg(to_jsonb(linked) - 'created_at' order by created_at, id), '[]')
    from (select ${linkedColumns} from guardianships g join users p on p.id = g.guardian_id
           where g.student_id = u.id and p.deleted_at is null order by g.created_at, p.id limit ${MOST_LINKED}) linked`;

const wards = (bornAfter: string): Sql => sql`
  select coalesce(jsonb_agg(to_jsonb(linked) - 'created_at' order by created_at, id), '[]')
    from (select ${linkedColumns}, ${minor(bornAfter, sql`p.date_of_birth`)} as minor
            from guardianships g join users p on p.id = g.student_id
           where g.guardian_id = u.id and p.deleted_at is null order by g.created_at, p.id limit ${MOST_LINKED}) linked`;

const libraries = sql`
  select coalesce(jsonb_agg(jsonb_build_object('id', l.id, 'name', l.name, 'city', l.city) order by l.name, l.id), '[]')
    from (select id, name, city from libraries l where l.tenant_id = u.tenant_id order by name, id limit ${MOST_LINKED}) l`;

/** One person with everything that is known of them. @param kind nobody of another one */
export const personById = (id: string, { tenantId, bornAfter }: Viewpoint, kind?: PersonKind): Sql => sql`
  select ${rowColumns}, u.course, u.job_title as "jobTitle", u.version, u.updated_at as "updatedAt",
         to_char(u.joined_on, 'YYYY-MM-DD') as "joinedOn", to_char(u.date_of_birth, 'YYYY-MM-DD') as "dateOfBirth",
         ${minor(bornAfter)} as minor, u.marketing_consent as "marketingConsent",
         ${marketingAllowed(bornAfter)} as "marketingAllowed", u.email_verified as "emailVerified",
         case when u.password_hash is not null then 'PASSWORD' when u.status = 'PENDING' then 'INVITED' else 'NEVER' end as "signIn",
         case when u.kind = 'STUDENT' then (${guardians}) end as guardians,
         case when u.kind = 'PARENT' then (${wards(bornAfter)}) end as wards,
         case when u.kind = 'OWNER' then (${libraries}) end as libraries
    from users u where u.id = ${id} and ${peopleOf(tenantId)} ${kind ? sql`and u.kind = ${kind}::person_kind` : empty}`;

/** A person of a tenant as they are while nobody else changes them. */
export type LockedPerson = {
  id: string;
  tenantId: string;
  kind: PersonKind;
  name: string;
  email: string | null;
  phone: string | null;
  status: UserStatus;
  hasPassword: boolean;
  version: number;
  dateOfBirth: string | null;
  libraryId: string | null;
  memberNumber: string | null;
  joinedOn: string | null;
  course: string | null;
  jobTitle: string | null;
  marketingConsent: boolean;
};

/** Not `for update`: somebody who is linked to them meanwhile need not wait. */
export const lockPerson = (id: string, tenantId: string | null): Sql => sql`
  select u.id, u.tenant_id as "tenantId", u.kind, u.name, u.email, u.phone, u.status,
         u.password_hash is not null as "hasPassword", u.version, to_char(u.date_of_birth, 'YYYY-MM-DD') as "dateOfBirth",
         u.library_id as "libraryId", u.member_number as "memberNumber", to_char(u.joined_on, 'YYYY-MM-DD') as "joinedOn",
         u.course, u.job_title as "jobTitle", u.marketing_consent as "marketingConsent"
    from users u where u.id = ${id} and ${peopleOf(tenantId)} for no key update`;

/** A tenant that gets people: it does not change its status meanwhile. */
export const holdTenant = (id: string): Sql =>
  sql`select status from tenants where id = ${id} and status <> 'PURGED' for share`;

/** Whoever takes an owner away waits for others who do the same. */
export const lockOwners = (tenantId: string): Sql =>
  sql`select id from tenants where id = ${tenantId} for no key update`;

export const otherOwners = (tenantId: string, leaving: string): Sql => sql`
  select (count(*) filter (where status = 'ACTIVE'))::int as active, (count(*) filter (where status = 'PENDING'))::int as invited
    from users u where ${peopleOf(tenantId)} and u.kind = 'OWNER' and u.id <> ${leaving}`;

export const hasGuardian = (studentId: string): Sql => sql`
  select 1 from guardianships g join users p on p.id = g.guardian_id
   where g.student_id = ${studentId} and p.deleted_at is null limit 1`;

/** The students of somebody: neither their age nor their guardians change meanwhile. */
export const lockWards = (guardianId: string): Sql => sql`
  select id from users where id in (select student_id from guardianships where guardian_id = ${guardianId})
   order by id for no key update`;

/** Students under 18 for whom nobody else answers. */
export const minorsWithOnly = (guardianId: string, bornAfter: string): Sql => sql`
  select s.id, s.name from guardianships g join users s on s.id = g.student_id
   where g.guardian_id = ${guardianId} and s.deleted_at is null and s.date_of_birth > ${bornAfter}::date
     and not exists (select from guardianships o join users p on p.id = o.guardian_id
                      where o.student_id = s.id and o.guardian_id <> ${guardianId} and p.deleted_at is null)
   order by s.name, s.id limit 20`;

/** Links for a password that somebody got lately. */
export const linksSince = (userId: string, since: Date): Sql => sql`
  select count(*)::int as sent from one_time_tokens
   where user_id = ${userId} and purpose in ('WELCOME', 'PASSWORD_RESET') and created_at > ${since}`;
