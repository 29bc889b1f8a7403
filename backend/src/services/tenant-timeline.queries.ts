import type { z } from 'zod';
import { afterCursor, cursorTime } from '../utils/cursor-page.ts';
import type { Cursor } from '../utils/page.ts';
import { join, sql, where, type Sql } from '../utils/sql.ts';
import type { timelineEvent, timelineSources } from '../validators/tenant-notes.validator.ts';

export type TimelineSource = (typeof timelineSources)[number];
export type TimelineRow = z.input<typeof timelineEvent> & { createdAt: string };

type Source = {
  table: Sql;
  /** `what, text, state, actor_id, actor_name, about_type, about_id, recipient` of a row, in that order. */
  columns: Sql;
  /** Beyond the tenant. */
  only?: Sql;
};

/** Actions whose event comes from a source of its own, which tells more. */
const toldElsewhere = [
  'tenants.create',
  'tenants.suspend',
  'tenants.activate',
  'tenants.note',
  'tenants.export',
  'users.import',
  'users.export',
];

/**
 * Where the events of a timeline come from. Each table has an index by tenant, time and id, so that the newest are read
 * and no more. A new source is an entry here and in `timelineSources`.
 */
const sources: Readonly<Record<TimelineSource, Source>> = {
  AUDIT: {
    table: sql`audit_logs`,
    columns: sql`action, null::text, outcome::text, actor_id, actor_name, resource, resource_id, null::text`,
    only: sql`action not in (${join(toldElsewhere)})`,
  },
  STATUS: {
    table: sql`tenant_transitions`,
    columns: sql`"to"::text, reason, null::text, actor_id, actor_name, 'tenant', tenant_id, null::text`,
  },
  NOTE: {
    table: sql`tenant_notes`,
    columns: sql`'note', text, null::text, author_id, author_name, null::text, null::text, null::text`,
  },
  EMAIL: {
    table: sql`email_deliveries`,
    columns: sql`template, subject, status::text, null::text, null::text, null::text, null::text, recipient`,
  },
  IMPORT: {
    table: sql`people_imports`,
    columns: sql`format::text, file_name, status::text, requested_by_id, requested_by_name, 'import', id, null::text`,
  },
  EXPORT: {
    table: sql`data_exports`,
    columns: sql`subject::text, format::text, status::text, requested_by_id, requested_by_name, 'export', id, null::text`,
  },
};

type Listing = { source?: TimelineSource | undefined; cursor?: Cursor | undefined };

/**
 * The newest events after the cursor, of one source or of all: of each no more are read than are shown.
 * @param most how many
 */
export function timelineRows(tenantId: string, { source, cursor }: Listing, most: number): Sql {
  const asked = source ? [source] : (Object.keys(sources) as TimelineSource[]);
  const newest = asked.map((name) => newestOf(name, tenantId, cursor, most));
  return sql`
    select e.id, e.source, e.what, e.text, e.state, e.recipient, ${cursorTime(sql`e.created_at`)} as "createdAt",
           case when e.actor_name is not null or e.actor_id is not null
                then jsonb_build_object('id', e.actor_id, 'name', e.actor_name) end as actor,
           case when e.about_type is not null
                then jsonb_build_object('type', e.about_type, 'id', e.about_id) end as about
      from (${join(newest, ' union all ')})
        as e (source, id, created_at, what, text, state, actor_id, actor_name, about_type, about_id, recipient)
     order by e.created_at desc, e.id desc limit ${most}`;
}

function newestOf(name: TimelineSource, tenantId: string, cursor: Cursor | undefined, most: number): Sql {
  const { table, columns, only } = sources[name];
  return sql`
    (select ${name}, id, created_at, ${columns} from ${table}
      ${where(sql`tenant_id = ${tenantId}`, only, afterCursor(sql`created_at, id`, cursor))}
      order by created_at desc, id desc limit ${most})`;
}
