import { minorsBornAfter } from '../backend/src/services/minor.policy.ts';
import { personRow } from '../backend/src/services/people-insert.service.ts';
import * as intake from '../backend/src/services/people-intake.queries.ts';
import { peopleRows, personById } from '../backend/src/services/platform-users.queries.ts';
import { newId } from '../backend/src/utils/ids.ts';
import { sql, type Sql } from '../backend/src/utils/sql.ts';
import type { PersonDraft } from '../backend/src/validators/people.validator.ts';

// The bare handlers of people: the SQL of the API, one statement after the other.

type Run = (query: { name: string; query: Sql }) => Promise<unknown[]>;

const viewpoint = () => ({ tenantId: null, bornAfter: minorsBornAfter(new Date()) });

/** The statements of `GET /api/platform-users`, of `/students` and of one person. @param url path and query */
export function peopleQueries(url: string): { name: string; query: Sql }[] {
  const { pathname, searchParams } = new URL(url, 'http://bare');
  const id = /\/(c[a-z0-9]{24})$/.exec(pathname)?.[1];
  if (id) return [{ name: 'person', query: personById(id, viewpoint()) }];
  const [tenantId, q] = [searchParams.get('tenantId') ?? undefined, searchParams.get('q') ?? undefined];
  const kind = pathname.endsWith('/students') ? ('STUDENT' as const) : undefined;
  const { rows, count } = peopleRows({ tenantId, q, sort: 'createdAt', order: 'desc' }, viewpoint(), kind);
  const name = `${kind ?? 'people'}${q ? '-found' : ''}`;
  return [
    { name: `${name}-rows`, query: sql`${rows} limit ${20} offset ${0}` },
    { name: `${name}-count`, query: count },
  ];
}

/** Adds a person as `addPeople` does, and reads them. @param run sends one statement within the transaction */
export async function addPerson(
  run: Run,
  { tenantId, ...draft }: PersonDraft & { tenantId: string },
): Promise<unknown> {
  const now = new Date();
  const row = personRow(draft);
  const wanted = [{ index: 0, name: row.name, kind: row.kind, phone: row.phone }];
  await run({ name: 'intake', query: intake.lockIntake(tenantId) });
  await run({ name: 'namesakes', query: intake.namesakesOf(tenantId, wanted) });
  await run({ name: 'insert', query: intake.insertPeople(tenantId, [row], now) });
  const [role] = (await run({ name: 'role', query: intake.roleIdsOf(['student']) })) as { id: string }[];
  const assignment = { id: newId(), userId: row.id, roleId: role?.id ?? '' };
  await run({ name: 'assignment', query: intake.insertAssignments(tenantId, [assignment], null, now) });
  return (await run({ name: 'person', query: personById(row.id, viewpoint()) }))[0];
}
