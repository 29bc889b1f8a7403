import { PLATFORM_TIME_ZONE } from '../config/constants.ts';
import { sql, type Sql } from '../utils/sql.ts';
import type { ExportColumn } from './people-export-columns.ts';
import { matchingPeople, type PeopleFilter, type Viewpoint } from './platform-users.queries.ts';

/** As the file tells it; with the place in the order, by which the next batch goes on. */
export type ExportedPerson = Record<Exclude<ExportColumn, 'guardians'>, string | null> & {
  id: string;
  place: Date;
};
export type Place = { createdAt: Date; id: string };

/**
 * Those who come after a place, in the order in which they were added. Beside them only what is looked up by key.
 * @param until who was added later is not in the file, so that it comes to an end
 */
export const exportedPeople = (
  filter: PeopleFilter,
  viewpoint: Viewpoint,
  { after, until, most }: { after: Place | undefined; until: Date; most: number },
): Sql => sql`
  select u.id, u.created_at as place, u.kind, u.name, u.email, u.phone, u.status, u.member_number as "memberNumber",
         to_char(u.joined_on, 'YYYY-MM-DD') as "joinedOn", to_char(u.date_of_birth, 'YYYY-MM-DD') as "dateOfBirth",
         u.course, u.job_title as "jobTitle",
         (select t.name from tenants t where t.id = u.tenant_id) as tenant,
         (select l.name from libraries l where l.id = u.library_id) as library,
         to_char(u.created_at at time zone ${PLATFORM_TIME_ZONE}, 'YYYY-MM-DD HH24:MI') as "createdAt"
    from users u ${matchingPeople(filter, viewpoint)} and u.created_at <= ${until}
     ${after ? sql`and (u.created_at, u.id) > (${after.createdAt}, ${after.id})` : sql``}
   order by u.created_at, u.id limit ${most}`;

/** Who answers for these students, in one text for each. */
export const exportedGuardians = (studentIds: string[]): Sql => sql`
  select g.student_id as "studentId",
         string_agg(concat_ws(' ', p.name, p.phone), '; ' order by g.created_at, p.id) as guardians
    from guardianships g join users p on p.id = g.guardian_id
   where g.student_id in (select jsonb_array_elements_text(${JSON.stringify(studentIds)}::jsonb)) and p.deleted_at is null
   group by g.student_id`;
