import { afterCursor, cursorTime } from '../utils/cursor-page.ts';
import type { Cursor } from '../utils/page.ts';
import { sql, where, type Sql } from '../utils/sql.ts';
import { peopleOf } from './platform-users.queries.ts';

/** Only what is in the chain of the person's own tenant. */
const inTheirChain = (id: string): Sql => sql`tenant_id = (select u.tenant_id from users u where u.id = ${id})`;

/** Each row in one of the three: what they did, what was done in their name, what was done to them. */
const parts = (id: string): Record<'BY_PERSON' | 'IN_THEIR_NAME' | 'TO_PERSON', Sql> => ({
  BY_PERSON: sql`actor_id = ${id}`,
  IN_THEIR_NAME: sql`on_behalf_of_id = ${id} and actor_id is distinct from ${id}`,
  TO_PERSON: sql`resource_id = ${id} and actor_id is distinct from ${id} and on_behalf_of_id is distinct from ${id}`,
});

export const personExists = (id: string, tenantId: string | null): Sql =>
  sql`select 1 from users u where u.id = ${id} and ${peopleOf(tenantId)}`;

/** Address and device are told of what the person did themselves: those of others are no business of the library. */
const columns = sql`
  a.id, a.action, a.direction, a.resource, a.resource_id as "resourceId", a.outcome,
  jsonb_build_object('id', a.actor_id, 'name', a.actor_name, 'type', a.actor_type) as actor,
  case when a.direction = 'BY_PERSON' then a.ip_address end as "ipAddress",
  case when a.direction = 'BY_PERSON' then a.user_agent end as "userAgent",
  (select jsonb_build_object('method', s.method, 'mfa', s.mfa, 'country', s.country, 'lastSeenAt', s.last_seen_at,
                             'endedAt', coalesce(s.revoked_at, case when s.expires_at < now() then s.expires_at end))
     from sessions s where a.resource = 'session' and a.action <> 'auth.logout' and s.id = a.resource_id
      and s.user_id = a.actor_id and a.direction = 'BY_PERSON') as session,
  ${cursorTime(sql`a.created_at`)} as "createdAt"`;

/**
 * What somebody did and what was done to them: the newest of each part, along an index each, whatever else there is.
 * @param most how many of each can be on the page or before it
 */
export function activityRows(id: string, cursor: Cursor | undefined, most: number): Sql {
  const { BY_PERSON, IN_THEIR_NAME, TO_PERSON } = parts(id);
  const newest = (direction: string, part: Sql): Sql => sql`
    select *, ${direction}::text as direction from audit_logs
      ${where(inTheirChain(id), part, afterCursor(sql`created_at, id`, cursor))}
     order by created_at desc, id desc limit ${most}`;
  return sql`
    select ${columns} from (
      (${newest('BY_PERSON', BY_PERSON)})
      union all
      (${newest('IN_THEIR_NAME', IN_THEIR_NAME)})
      union all
      (${newest('TO_PERSON', TO_PERSON)})
    ) a order by a.created_at desc, a.id desc`;
}

export function activityCount(id: string): Sql {
  const counts = Object.values(parts(id)).map(
    (part) => sql`(select count(*) from audit_logs ${where(inTheirChain(id), part)})`,
  );
  const [byPerson, inTheirName, toPerson] = counts;
  return sql`select (${byPerson} + ${inTheirName} + ${toPerson})::int as total`;
}
