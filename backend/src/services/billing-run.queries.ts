import { sql, type Sql } from '../utils/sql.ts';

/** Where a page of the run ended. */
export type DuePlace = { nextEventOn: string; id: string };

/** Subscriptions for which something is due by a day, the longest overdue first. */
export const dueSubscriptions = (today: string, after: DuePlace | undefined, most: number): Sql => sql`
  select id, to_char(next_event_on, 'YYYY-MM-DD') as "nextEventOn" from subscriptions
   where next_event_on <= ${today}::date
     and (next_event_on, id) > (${after?.nextEventOn ?? '1900-01-01'}::date, ${after?.id ?? ''})
   order by next_event_on, id limit ${most}`;

/** What tells a mail about the end of a trial from those about other trials, and from one about another end of this. */
const dedupeKey = sql`'trial-ending-' || s.id || '-' || to_char(s.trial_ends_on, 'YYYYMMDD')`;

/** Trials that end after today and by a day, of which nobody was told yet. */
export const trialsToTell = (today: string, by: string, most: number): Sql => sql`
  select s.id, s.tenant_id as "tenantId", ${dedupeKey} as "dedupeKey" from subscriptions s
   where s.next_event_on > ${today}::date and s.next_event_on <= ${by}::date and s.status = 'TRIAL' and not s.cancel_at_period_end
     and not exists (select from outbox_messages o where o.dedupe_key = ${dedupeKey})
   order by s.next_event_on, s.id limit ${most}`;
