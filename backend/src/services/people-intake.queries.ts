import { sql, type Sql } from '../utils/sql.ts';

// Everything here is about the people of one tenant, named in each statement: within the portal's scope row security
// does not tell tenants apart.

/** Adding people to a tenant goes one after the other, so that two at once cannot add the same person. */
export const lockIntake = (tenantId: string): Sql =>
  sql`select pg_advisory_xact_lock(hashtextextended('people:' || ${tenantId}, 0)) is null as locked`;

export const librariesOf = (tenantId: string, ids: string[]): Sql => sql`
  select id from libraries
   where tenant_id = ${tenantId} and id in (select jsonb_array_elements_text(${JSON.stringify(ids)}::jsonb))`;

export const roleIdsOf = (codes: string[]): Sql => sql`
  select code, id from roles where code in (select jsonb_array_elements_text(${JSON.stringify(codes)}::jsonb))`;

/** One who is to be added, as far as it takes to find them again. */
export type Wanted = { index: number; name: string; kind: string; phone: string | null };
export type Namesake = { index: number; userId: string | null; name: string; earlier: number | null };

export const sameName = (left: Sql, right: Sql): Sql => sql`
  (lower(${left}) = lower(${right})
   or (length(app.name_key(${left})) > 3 and app.name_key(${left}) = app.name_key(${right})))`;

/** Those who are there already, or come earlier in the same list: the same kind, phone and sound of the name. */
export const namesakesOf = (tenantId: string, wanted: Wanted[]): Sql => sql`
  with wanted as (
    select * from jsonb_to_recordset(${JSON.stringify(wanted)}::jsonb)
        as w (index int, name text, kind person_kind, phone text) where phone is not null)
  select w.index, u.id as "userId", u.name, null::int as earlier
    from wanted w join users u
      on u.tenant_id = ${tenantId} and u.phone = w.phone and u.deleted_at is null and u.kind = w.kind
     and ${sameName(sql`u.name`, sql`w.name`)}
  union all
  select w.index, null, before.name, before.index
    from wanted w join wanted before
      on before.index < w.index and before.phone = w.phone and before.kind = w.kind
     and ${sameName(sql`before.name`, sql`w.name`)}
   order by 1`;

export type PersonRow = {
  id: string;
  kind: string;
  name: string;
  email: string | null;
  phone: string | null;
  status: string;
  dateOfBirth: string | null;
  libraryId: string | null;
  memberNumber: string | null;
  joinedOn: string | null;
  course: string | null;
  jobTitle: string | null;
  marketingConsent: boolean;
  importId: string | null;
  importRow: number | null;
};

/** Adds those whose email, number and import row are free. @returns the ids of those it added */
export const insertPeople = (tenantId: string, people: PersonRow[], now: Date): Sql => sql`
  insert into users (id, tenant_id, type, kind, name, email, phone, status, date_of_birth, library_id, member_number,
                     joined_on, course, job_title, marketing_consent, import_id, import_row, created_at, updated_at)
  select id, ${tenantId}, 'PLATFORM_USER', kind, name, email, phone, status, "dateOfBirth", "libraryId", "memberNumber",
         "joinedOn", course, "jobTitle", "marketingConsent", "importId", "importRow", ${now}::timestamptz, ${now}::timestamptz
    from jsonb_to_recordset(${JSON.stringify(people)}::jsonb) as p (
         id text, kind person_kind, name text, email text, phone text, status user_status, "dateOfBirth" date,
         "libraryId" text, "memberNumber" text, "joinedOn" date, course text, "jobTitle" text,
         "marketingConsent" boolean, "importId" text, "importRow" int)
  on conflict do nothing
  returning id`;

/** Why somebody could not be added, as far as it is to be seen within the tenant. */
export const takenBy = (tenantId: string, people: PersonRow[]): Sql => sql`
  select p.id,
         exists (select from users u where u.tenant_id = ${tenantId} and u.email = p.email) as email,
         exists (select from users u where u.tenant_id = ${tenantId} and u.member_number = p."memberNumber"
                                       and u.deleted_at is null) as "memberNumber",
         exists (select from users u where u.import_id = p."importId" and u.import_row = p."importRow") as "importRow"
    from jsonb_to_recordset(${JSON.stringify(people)}::jsonb) as p (
         id text, email text, "memberNumber" text, "importId" text, "importRow" int)`;

export const insertAssignments = (
  tenantId: string,
  assignments: { id: string; userId: string; roleId: string }[],
  assignedBy: string | null,
  now: Date,
): Sql => sql`
  insert into role_assignments (id, tenant_id, user_id, role_id, assigned_by_id, created_at)
  select id, ${tenantId}, "userId", "roleId", ${assignedBy}::text, ${now}::timestamptz
    from jsonb_to_recordset(${JSON.stringify(assignments)}::jsonb) as a (id text, "userId" text, "roleId" text)`;

/** One who is to be linked as a guardian, named by id, or by phone or email and name. */
export type GuardianWanted = {
  index: number;
  id: string | null;
  name: string | null;
  phone: string | null;
  email: string | null;
};

/**
 * The parents who are meant; who is named by what they have, and by their name where they share a phone. Each way of
 * naming them is looked up by itself: an `or` of them goes through all parents of the tenant.
 */
export const guardiansThere = (tenantId: string, wanted: GuardianWanted[]): Sql => {
  const parent = sql`u.tenant_id = ${tenantId} and u.kind = 'PARENT' and u.deleted_at is null`;
  return sql`
    with wanted as materialized (
      select * from jsonb_to_recordset(${JSON.stringify(wanted)}::jsonb)
          as w (index int, id text, name text, phone text, email text))
    select distinct on (index) index, id as "userId" from (
      select w.index, u.id, u.created_at from wanted w join users u on u.id = w.id and ${parent}
      union all
      select w.index, u.id, u.created_at from wanted w join users u on u.email = w.email and ${parent}
      union all
      select w.index, u.id, u.created_at from wanted w join users u on u.phone = w.phone and ${parent}
         and ${sameName(sql`u.name`, sql`w.name`)}) as found
     order by index, created_at, id`;
};

export const insertGuardianships = (
  tenantId: string,
  links: { id: string; studentId: string; guardianId: string; relation: string }[],
  now: Date,
): Sql => sql`
  insert into guardianships (id, tenant_id, student_id, guardian_id, relation, created_at)
  select id, ${tenantId}, "studentId", "guardianId", relation, ${now}::timestamptz
    from jsonb_to_recordset(${JSON.stringify(links)}::jsonb) as g (
         id text, "studentId" text, "guardianId" text, relation guardian_relation)
  on conflict (student_id, guardian_id) do nothing
  returning student_id as "studentId"`;

export const removeAgain = (tenantId: string, ids: string[]): Sql => sql`
  delete from users
   where tenant_id = ${tenantId} and id in (select jsonb_array_elements_text(${JSON.stringify(ids)}::jsonb))
  returning id`;

/** Those whom the dry run of an import has noted down so far; none once it is over. */
export const newcomersByKind = (importId: string): Sql => sql`
  select kind, count(*)::int as people from people_import_newcomers where import_id = ${importId} group by kind`;
