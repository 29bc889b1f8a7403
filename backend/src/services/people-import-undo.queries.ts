import { sql, type Sql } from '../utils/sql.ts';

/** Rows whose people have not been looked at yet: parents after all others, since their wards go first. */
export const createdRows = (importId: string, parents: boolean, most: number): Sql => sql`
  select r.number, r.user_id as "userId" from people_import_rows r left join users u on u.id = r.user_id
   where r.import_id = ${importId} and r.status = 'CREATED'
     and ${parents ? sql`(u.kind is null or u.kind = 'PARENT')` : sql`u.kind <> 'PARENT'`}
   order by r.number limit ${most}`;

/** Guardians whom rows brought along. */
export const guardiansBrought = (tenantId: string, importId: string, most: number): Sql => sql`
  select id from users
   where tenant_id = ${tenantId} and import_id = ${importId} and import_row is null
   order by id limit ${most}`;

/** As a list that is known before the rows are looked up, so that they are looked up one by one. */
const among = (ids: readonly string[]): Sql =>
  sql`= any(array(select jsonb_array_elements_text(${JSON.stringify(ids)}::jsonb)))`;

/** Nobody signs in as them, or is linked to them, until this transaction is over. */
export const lockPeople = (tenantId: string, ids: readonly string[]): Sql =>
  sql`select id from users where tenant_id = ${tenantId} and id ${among(ids)} order by id for update`;

/**
 * Removes those of them whom nobody has touched since the import created them: never changed, never signed in or invited,
 * with the role and the guardians that they came with, and without wards.
 * @returns the ids of those who are gone
 */
export const removeUntouched = (tenantId: string, importId: string, ids: readonly string[]): Sql => sql`
  with touched (id) as materialized (
    select user_id from sessions where user_id ${among(ids)}
    union all select user_id from one_time_tokens where user_id ${among(ids)}
    union all select user_id from permission_overrides where user_id ${among(ids)}
    union all select subject_id from privacy_requests where subject_id ${among(ids)}
    union all select guardian_id from guardianships where guardian_id ${among(ids)}
    union all select g.student_id from guardianships g join users u on u.id = g.student_id
               where g.student_id ${among(ids)} and g.created_at <> u.created_at
    union all select a.user_id from role_assignments a join users u on u.id = a.user_id
               where a.user_id ${among(ids)} and a.created_at <> u.created_at)
  delete from users u
   where u.tenant_id = ${tenantId} and u.import_id = ${importId} and u.id ${among(ids)}
     and u.version = 1 and u.updated_at = u.created_at and u.status = 'ACTIVE' and u.deleted_at is null
     and u.last_login_at is null and u.password_hash is null
     and u.id not in (select id from touched)
  returning u.id`;

export const releaseGuardians = (tenantId: string, ids: readonly string[]): Sql =>
  sql`update users set import_id = null where tenant_id = ${tenantId} and id ${among(ids)} and import_row is null`;

/** Which of them are still there. */
export const peopleThere = (tenantId: string, ids: readonly string[]): Sql =>
  sql`select id from users where tenant_id = ${tenantId} and id ${among(ids)}`;

const numbers = (of: number[]): Sql => sql`array(select jsonb_array_elements_text(${JSON.stringify(of)}::jsonb)::int)`;

export const settleUndone = (importId: string, undone: number[], kept: number[]): Sql => sql`
  update people_import_rows r
     set status = case when r.number = any(${numbers(undone)}) then 'UNDONE' else 'KEPT' end::import_row_status
   where r.import_id = ${importId} and r.number = any(${numbers([...undone, ...kept])})`;
