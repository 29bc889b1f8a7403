import type { z } from 'zod';
import type { AuditAction } from '../config/audit-actions.ts';
import { afterCursor, cursorTime } from '../utils/cursor-page.ts';
import type { Cursor } from '../utils/page.ts';
import { join, raw, sql, where, type Sql } from '../utils/sql.ts';
import type { timelineEvent, timelineSources } from '../validators/tenant-notes.validator.ts';

export type TimelineSource = (typeof timelineSources)[number];
export type TimelineRow = z.input<typeof timelineEvent> & { createdAt: string };

type Source = {
  table: Sql;
  /** When it happened; default: `created_at`. */
  at?: Sql;
  /** `what, text, state, actor_id, actor_name, about_type, about_id, recipient` of a row, in that order. */
  columns: Sql;
  /** Beyond the tenant. */
  only?: Sql;
};

/** Actions whose event comes from a source of its own, which tells more. */
const toldElsewhere: readonly AuditAction[] = [
  'tenants.create',
  'tenants.suspend',
  'tenants.activate',
  'tenants.note',
  'tenants.export',
  'users.import',
  'users.export',
  'subscriptions.create',
  'subscriptions.update',
  'subscriptions.change',
  'subscriptions.unschedule',
  'subscriptions.cancel',
  'subscriptions.uncancel',
  'subscriptions.pause',
  'subscriptions.resume',
  'subscriptions.renew',
  'subscriptions.reactivate',
  'subscriptions.extend_trial',
  'subscriptions.coupon_add',
  'subscriptions.coupon_remove',
  'subscriptions.add_on_add',
  'subscriptions.add_on_remove',
  'subscriptions.payment_method',
  'subscriptions.migrate',
  'subscriptions.event',
  'revenue.invoice_finalize',
  'revenue.invoice_void',
  'revenue.invoice_paid',
  'revenue.invoice_collect',
  'revenue.payment_record',
  'revenue.payment_update',
  'revenue.credit_note_create',
  'revenue.dunning_step',
];

const invoice = (at: 'finalized_at' | 'paid_at' | 'voided_at', what: string, text: Sql): Source => ({
  table: sql`invoices`,
  at: raw(at),
  columns: sql`${what}::text, ${text}, status::text, null::text, null::text, 'invoice', id, null::text`,
  only: raw(`${at} is not null`),
});

/**
 * Where the events of a timeline come from. Each table has an index by tenant, time and id, so that the newest are read
 * and no more. A new source is an entry here and in `timelineSources`.
 */
const sources: Readonly<Record<TimelineSource, Source | readonly Source[]>> = {
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
  SUBSCRIPTION: {
    table: sql`subscription_changes`,
    columns: sql`type::text, reason, to_status::text, actor_id, actor_name, 'subscription', subscription_id, null::text`,
  },
  INVOICE: [
    invoice('finalized_at', 'ISSUED', sql`number || ' over ' || total || ' rupees'`),
    invoice('paid_at', 'PAID', sql`number`),
    invoice('voided_at', 'VOID', sql`number || ': ' || coalesce(void_reason, '')`),
  ],
  PAYMENT: {
    table: sql`payments`,
    columns: sql`method::text, coalesce(failure_message, amount || ' rupees'), status::text, null::text, null::text, 'payment', id,
                 null::text`,
    only: sql`status in ('SUCCEEDED', 'FAILED')`,
  },
  CREDIT_NOTE: {
    table: sql`credit_notes`,
    columns: sql`reason::text, number || ' over ' || total || ' rupees', status::text, null::text, null::text, 'credit_note', id,
                 null::text`,
  },
  DUNNING: {
    table: sql`dunning_steps`,
    columns: sql`consequence::text, note, outcome::text, actor_id, actor_name, 'dunning_run', run_id, null::text`,
    only: sql`kind = 'CONSEQUENCE'`,
  },
};

type Listing = { sources: readonly TimelineSource[]; cursor?: Cursor | undefined };

/**
 * The newest events after the cursor: of each source no more are read than are shown.
 * @param most how many
 */
export function timelineRows(tenantId: string, { sources: asked, cursor }: Listing, most: number): Sql {
  const newest = asked.flatMap((name) =>
    [sources[name]].flat().map((source) => newestOf(name, source, { tenantId, cursor, most })),
  );
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

function newestOf(
  name: TimelineSource,
  { table, columns, only, at = sql`created_at` }: Source,
  { tenantId, cursor, most }: { tenantId: string; cursor: Cursor | undefined; most: number },
): Sql {
  return sql`
    (select ${name}, id, ${at}, ${columns} from ${table}
      ${where(sql`tenant_id = ${tenantId}`, only, afterCursor(sql`${at}, id`, cursor))}
      order by ${at} desc, id desc limit ${most})`;
}
