import { sql } from '../utils/sql.ts';

/** What is counted up to: nobody needs to know how much more it is. */
const MOST_COUNTED = 10_001;

/** How many jobs wait to be handed over, for how long, and how many failed for good. */
export const jobFigures = sql`
  select (select count(*)::int from
           (select from outbox_messages where published_at is null and available_at <= now() limit ${MOST_COUNTED}) w) as waiting,
         (select coalesce(extract(epoch from now() - min(available_at)), 0)::float8
            from outbox_messages where published_at is null and available_at <= now()) as "oldestSeconds",
         (select count(*)::int from
           (select from dead_letters where resolved_at is null limit ${MOST_COUNTED}) d) as "deadLetters"`;
