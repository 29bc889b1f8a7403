import { afterCursor, cursorTime } from '../utils/cursor-page.ts';
import type { Cursor } from '../utils/page.ts';
import { join, orderBy, sql, where, type Sql } from '../utils/sql.ts';
import type { subscriptionTimelineSources } from '../validators/subscription-changes.validator.ts';

const planNamed = (versionId: Sql): Sql => sql`
  (select p.name || ', version ' || v.number from subscription_plan_versions v join subscription_plans p on p.id = v.plan_id
    where v.id = ${versionId})`;

/** What happened to a subscription. */
export const changeRows = (subscriptionId: string, order: 'asc' | 'desc'): { rows: Sql; count: Sql } => ({
  rows: sql`
    select h.id, h.type, h.from_status as "fromStatus", h.to_status as "toStatus",
           ${planNamed(sql`h.from_plan_version_id`)} as "fromPlan", ${planNamed(sql`h.to_plan_version_id`)} as "toPlan",
           h.from_cycle as "fromCycle", h.to_cycle as "toCycle", to_char(h.effective_on, 'YYYY-MM-DD') as "effectiveOn",
           h.mrr_before::text as "mrrBefore", h.mrr_after::text as "mrrAfter", h.movement,
           (select jsonb_build_object('id', i.id, 'number', i.number) from invoices i where i.id = h.invoice_id) as invoice,
           h.reason, case when h.actor_id is not null then jsonb_build_object('id', h.actor_id, 'name', h.actor_name) end as actor,
           h.created_at as "createdAt"
      from subscription_changes h where h.subscription_id = ${subscriptionId}
      ${orderBy({ createdAt: 'h.created_at' }, 'createdAt', order, 'h.id')}`,
  count: sql`select count(*)::int as total from subscription_changes where subscription_id = ${subscriptionId}`,
});

export type TimelineSource = (typeof subscriptionTimelineSources)[number];

type Source = {
  table: Sql;
  /** `id, created_at, what, state, text, amount, actor_id, actor_name` of a row, in that order. */
  columns: Sql;
  of: (subscriptionId: string) => Sql;
};

/** Each has an index by subscription or invoice, time and id. */
const sources: Readonly<Record<TimelineSource, Source>> = {
  CHANGE: {
    table: sql`subscription_changes e`,
    columns: sql`e.id, e.created_at, e.type::text, null::text, e.reason, null::numeric, e.actor_id, e.actor_name`,
    of: (id) => sql`e.subscription_id = ${id}`,
  },
  INVOICE: {
    table: sql`invoices e`,
    columns: sql`e.id, e.created_at, e.reason::text, e.status::text, e.number, e.total, null::text, null::text`,
    of: (id) => sql`e.subscription_id = ${id} and e.status <> 'DRAFT'`,
  },
  PAYMENT: {
    table: sql`payments e join invoices i on i.id = e.invoice_id`,
    columns: sql`e.id, e.created_at, e.method::text, e.status::text, coalesce(e.failure_message, i.number), e.amount, null::text, null::text`,
    of: (id) => sql`i.subscription_id = ${id}`,
  },
};

type Listing = { source?: TimelineSource | undefined; cursor?: Cursor | undefined };

/** The newest events after the cursor, of one source or of all. @param most how many */
export function timelineRows(subscriptionId: string, { source, cursor }: Listing, most: number): Sql {
  const asked = source ? [source] : (Object.keys(sources) as TimelineSource[]);
  const newest = asked.map((name) => {
    const { table, columns, of } = sources[name];
    return sql`
      (select ${name}::text, ${columns} from ${table}
        ${where(of(subscriptionId), afterCursor(sql`e.created_at, e.id`, cursor))}
        order by e.created_at desc, e.id desc limit ${most})`;
  });
  return sql`
    select e.id, e.source, e.what, e.state, e.text, e.amount::text, ${cursorTime(sql`e.created_at`)} as "createdAt",
           case when e.actor_id is not null then jsonb_build_object('id', e.actor_id, 'name', e.actor_name) end as actor
      from (${join(newest, ' union all ')}) as e (source, id, created_at, what, state, text, amount, actor_id, actor_name)
     order by e.created_at desc, e.id desc limit ${most}`;
}
