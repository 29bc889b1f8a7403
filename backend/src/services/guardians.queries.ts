import type { GuardianRelation } from '../generated/prisma/enums.ts';
import { sql, type Sql } from '../utils/sql.ts';
import { peopleOf } from './platform-users.queries.ts';

/** Whose person somebody is. */
export const tenantOfPerson = (id: string, tenantId: string | null): Sql =>
  sql`select u.tenant_id as "tenantId" from users u where u.id = ${id} and ${peopleOf(tenantId)}`;

export type GuardianRow = {
  id: string;
  relation: GuardianRelation;
  name: string;
  phone: string | null;
  email: string | null;
  linkedAt: Date;
};

/** Who answers for a student; not who has left. */
export const guardiansOf = (studentId: string, tenantId: string): Sql => sql`
  select p.id, g.relation, p.name, p.phone, p.email, g.created_at as "linkedAt"
    from guardianships g join users p on p.id = g.guardian_id
   where g.student_id = ${studentId} and g.tenant_id = ${tenantId} and p.deleted_at is null
   order by g.created_at, p.id`;
