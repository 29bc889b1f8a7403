import { PLATFORM_TIME_ZONE } from '../config/constants.ts';
import { sql, type Sql } from '../utils/sql.ts';

const MONTHS = 12;
/** Courses beyond these are counted together. */
const MOST_COURSES = 20;
/** Libraries beyond these are in the totals alone. */
const MOST_LIBRARIES = 100;

const peopleOf = (tenantId: string): Sql => sql`u.tenant_id = ${tenantId} and u.deleted_at is null`;

/** Who sits in a library: not those who were deactivated. */
const seated = sql`u.kind = 'STUDENT' and u.status <> 'INACTIVE'`;

/** How full it is, to four places; null without seats. */
const occupancy = (students: Sql, seats: Sql): Sql =>
  sql`round((${students})::numeric / nullif(${seats}, 0), 4)::float8`;

export type PeopleRow = { kind: string; status: string; people: number; active7: number; active30: number };

/**
 * People by kind and status, and who of them was there lately: signed in, or used a session of theirs. A session that
 * an admin has in their name does not count.
 */
export const peopleByKindAndStatus = (tenantId: string, now: Date): Sql => sql`
  select u.kind, u.status, count(*)::int as people,
         count(*) filter (where greatest(u.last_login_at, s.seen) > ${now}::timestamptz - interval '7 days')::int as active7,
         count(*) filter (where greatest(u.last_login_at, s.seen) > ${now}::timestamptz - interval '30 days')::int as active30
    from users u
    left join (select user_id, max(last_seen_at) as seen from sessions
                where tenant_id = ${tenantId} and impersonation_id is null
                  and last_seen_at > ${now}::timestamptz - interval '30 days'
                group by user_id) s on s.user_id = u.id
   where ${peopleOf(tenantId)} group by u.kind, u.status`;

export type GrowthRow = {
  month: string;
  unfinished: boolean;
  added: number;
  students: number;
  total: number;
  growthRate: number | null;
};

/** Who was added in each of the last months of India and is still there, and how many there were at its end. */
export const growthByMonth = (tenantId: string, now: Date): Sql => sql`
  with months as (
    select generate_series(this - ${MONTHS - 1} * interval '1 month', this, '1 month') as month, this
      from date_trunc('month', ${now}::timestamptz at time zone ${PLATFORM_TIME_ZONE}) this
  ), added as (
    select greatest(date_trunc('month', u.created_at at time zone ${PLATFORM_TIME_ZONE}),
                    (select min(month) from months) - interval '1 month') as month,
           count(*)::int as people, count(*) filter (where u.kind = 'STUDENT')::int as students
      from users u where ${peopleOf(tenantId)} group by 1
  ), totals as (
    select m.month, m.this, coalesce(a.people, 0) as people, coalesce(a.students, 0) as students,
           (select coalesce(sum(e.people), 0)::int from added e where e.month < m.month) as before
      from months m left join added a on a.month = m.month
  )
  select to_char(month, 'YYYY-MM') as month, month = this as unfinished, people as added, students,
         before + people as total, round(people::numeric / nullif(before, 0), 4)::float8 as "growthRate"
    from totals order by totals.month`;

export type CourseRow = { course: string | null; students: number; others: boolean };

/**
 * Students by what they prepare for, whatever its case: those with most students first, then one row for all other
 * courses, and one for who has not told.
 */
export const studentsByCourse = (tenantId: string): Sql => sql`
  with courses as (
    select min(u.course) as course, count(*)::int as students, row_number() over (
             order by lower(u.course) is null, count(*) desc, lower(u.course)) > ${MOST_COURSES} as beyond
      from users u where ${peopleOf(tenantId)} and u.kind = 'STUDENT' group by lower(u.course)
  ), named as (
    select case when not beyond then course end as course, students, beyond and course is not null as others from courses
  )
  select course, others, sum(students)::int as students from named
   group by course, others order by others, course is null, students desc, course`;

export type LibraryRow = { id: string; name: string; seats: number; students: number; occupancy: number | null };

/** The libraries by name, with how many students sit there. */
export const librariesWithStudents = (tenantId: string): Sql => sql`
  select l.id, l.name, l.seat_count as seats, s.students, ${occupancy(sql`s.students`, sql`l.seat_count`)} as occupancy
    from (select * from libraries where tenant_id = ${tenantId} order by name, id limit ${MOST_LIBRARIES}) l
    cross join lateral (select count(*)::int as students from users u
                         where ${peopleOf(tenantId)} and u.library_id = l.id and ${seated}) s
   order by l.name, l.id`;

export type SeatsRow = {
  libraries: number;
  seats: number;
  students: number;
  unassigned: number;
  occupancy: number | null;
};

/** All libraries together. */
export const seatsAndStudents = (tenantId: string): Sql => sql`
  select l.libraries, l.seats, s.students, s.unassigned, ${occupancy(sql`s.students - s.unassigned`, sql`l.seats`)} as occupancy
    from (select count(*)::int as libraries, coalesce(sum(seat_count), 0)::int as seats
            from libraries where tenant_id = ${tenantId}) l
    cross join (select count(*)::int as students, count(*) filter (where u.library_id is null)::int as unassigned
                  from users u where ${peopleOf(tenantId)} and ${seated}) s`;
