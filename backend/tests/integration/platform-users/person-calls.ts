import type { CallOptions } from '../../support/client.ts';
import type { TestApp } from '../../support/server.ts';
import { newId } from '../../../src/utils/ids.ts';

export const base = '/api/platform-users';

/** The day so many years before today, or before some days from today. */
export const yearsAgo = (years: number, days = 0): string => {
  const day = new Date(Date.now() + days * 86_400_000);
  day.setUTCFullYear(day.getUTCFullYear() - years);
  return day.toISOString().slice(0, 10);
};
export const CHILD = yearsAgo(15);
export const ADULT = yearsAgo(25);

/** What tests of people do over and over. */
export const peopleOf = (app: TestApp) => ({
  create: (token: string, body: object, options: CallOptions = {}) =>
    app.call('POST', base, { token, body, ...options }),
  get: (token: string, path: string) => app.call('GET', `${base}/${path}`, { token }),
  update: (token: string, id: string, body: object, headers: Record<string, string> = {}) =>
    app.call('PUT', `${base}/${id}`, { token, body, headers }),
  remove: (token: string, id: string, body: object = {}) => app.call('DELETE', `${base}/${id}`, { token, body }),

  async buildLibrary(tenantId: string) {
    const id = newId();
    await app.query(
      `insert into libraries (id, tenant_id, name, address_line, city, state, pincode, seat_count, updated_at)
       values ($1, $2, 'Talwandi Hall ' || $1, 'Talwandi', 'Kota', 'RJ', '324005', 40, now())`,
      [id, tenantId],
    );
    return id;
  },

  /** A student of a tenant with this date of birth, and their guardians. */
  async buildStudent(tenantId: string, dateOfBirth: string | null, guardians: { id: string }[] = []) {
    const student = await app.buildUser({ role: 'student', tenantId });
    await app.query('update users set date_of_birth = $2 where id = $1', [student.id, dateOfBirth]);
    for (const guardian of guardians) await this.link(student, guardian);
    return student;
  },

  link: (student: { id: string; tenantId: string | null }, guardian: { id: string }) =>
    app.query(
      `insert into guardianships (id, tenant_id, student_id, guardian_id, relation) values ($1, $2, $3, $4, 'MOTHER')`,
      [newId(), student.tenantId, student.id, guardian.id],
    ),

  auditOf: (id: string) =>
    app.query<{ action: string; tenant_id: string; changes: Record<string, unknown>; actor_id: string }>(
      'select action, tenant_id, changes, actor_id from audit_logs where resource_id = $1 order by sequence',
      [id],
    ),

  /** The jobs that were handed over about somebody. */
  jobsOf: async (id: string) =>
    (
      await app.query<{ job: string }>(
        `select job from outbox_messages
          where payload ->> 'userId' = $1 or payload ->> 'email' = (select email from users where id = $1) order by created_at`,
        [id],
      )
    ).map(({ job }) => job),

  rowOf: async (id: string) =>
    (await app.query<Record<string, unknown>>('select * from users where id = $1', [id]))[0] ?? {},
});
