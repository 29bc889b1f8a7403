import { sql, where, type Sql } from '../utils/sql.ts';
import { linkColumns } from './audit-chains.queries.ts';

const waiting = sql`
  (select coalesce(sum(c.sequence - coalesce(p.sequence, 0)), 0)::int from audit_chains c
     left join audit_stream_positions p on p.stream_id = s.id and p.chain = c.chain
    where c.sequence > coalesce(p.sequence, 0))`;

const streamColumns = sql`
  s.name, s.url, s.enabled, s.version, s.last_delivered_at as "lastDeliveredAt", ${waiting} as waiting,
  s.consecutive_failures as "consecutiveFailures", s.last_error as "lastError", s.retry_at as "retryAt",
  s.created_at as "createdAt", s.updated_at as "updatedAt"`;

export const streamRows = (name?: string): { rows: Sql; count: Sql } => ({
  rows: sql`select ${streamColumns} from audit_streams s ${where(name && sql`s.name = ${name}`)} order by s.name`,
  count: sql`select count(*)::int as total from audit_streams s ${where(name && sql`s.name = ${name}`)}`,
});

export const lockStream = (name: string): Sql =>
  sql`select id, version from audit_streams where name = ${name} for update`;
/** Two who make the same stream at once: one waits for the other. */
export const lockStreamName = (name: string): Sql =>
  sql`select pg_advisory_xact_lock(hashtextextended('audit stream:' || ${name}, 0))::text as locked`;

/** Takes the streams that are due for one worker, for so many seconds. */
export const claimStreams = (now: Date, seconds: number): Sql => sql`
  update audit_streams set leased_until = now() + ${seconds} * interval '1 second'
   where id in (select id from audit_streams
                 where enabled and (retry_at is null or retry_at <= ${now}) and (leased_until is null or leased_until < now())
                   for update skip locked)
  returning id, name, url, sealed_secret as "sealedSecret", version`;

/** The next rows of a stream: chain after chain, each on from where it was delivered to. */
export const undelivered = (streamId: string, most: number): Sql => sql`
  select l.*, due.position from (
    select c.chain, c.sequence as head, coalesce(p.sequence, 0) as position from audit_chains c
      left join audit_stream_positions p on p.stream_id = ${streamId} and p.chain = c.chain
     where c.sequence > coalesce(p.sequence, 0) order by c.chain limit ${most}) due
  cross join lateral (
    select ${linkColumns} from audit_logs
     where chain = due.chain and sequence > due.position and sequence <= due.head order by sequence limit ${most}) l
  order by l.chain, l.sequence limit ${most}`;

/** Moves the positions of chains on, never back. */
export const savePositions = (
  streamId: string,
  positions: { chain: string; tenantId: string | null; sequence: number }[],
): Sql => sql`
  insert into audit_stream_positions (stream_id, chain, tenant_id, sequence)
  select ${streamId}, chain, "tenantId", sequence
    from jsonb_to_recordset(${JSON.stringify(positions)}::jsonb) as p (chain text, "tenantId" text, sequence int)
  on conflict (stream_id, chain) do update set sequence = greatest(audit_stream_positions.sequence, excluded.sequence)`;
