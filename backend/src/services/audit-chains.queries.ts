import { empty, sql, type Sql } from '../utils/sql.ts';
import { createdAt } from './audit.queries.ts';

/** A place in a chain, and the hash of its row. */
export type Place = { sequence: number; hash: string };

/** What is known of a chain before its rows are read, as of one moment. */
export type ChainState = {
  chain: string;
  /** Where it ends according to the record of its end; 0 without one. */
  head: Place;
  /** Of the last row; 0 without any. */
  lastSequence: number;
  /** Whether there is a head or a row: else an anchor is all that is left of it. */
  known: boolean;
  /** The row after which it begins: the last one that retention dropped, or none. */
  start: Place | null;
  /** The end as it was in the last night. */
  anchor: Place | null;
};

/** The next chains after `after`, found by skipping from one to the next on the indexes. */
const namesAfter = (after: string, most: number): Sql => sql`
  (with recursive seen as (
     (select chain, 1 as n from audit_logs where chain > ${after} order by chain limit 1)
     union all
     select (select chain from audit_logs where chain > seen.chain order by chain limit 1), n + 1
       from seen where seen.chain is not null and n < ${most}
   )
   select chain from seen where chain is not null)
  union (select chain from audit_chains where chain > ${after} order by chain limit ${most})
  union (with recursive seen as (
     (select chain, 1 as n from audit_anchors where chain > ${after} order by chain limit 1)
     union all
     select (select chain from audit_anchors where chain > seen.chain order by chain limit 1), n + 1
       from seen where seen.chain is not null and n < ${most}
   )
   select chain from seen where chain is not null)
  order by chain limit ${most}`;

const anchorOf = (reason: 'NIGHTLY' | 'RETENTION'): Sql => sql`
  (select jsonb_build_object('sequence', sequence, 'hash', hash) from audit_anchors
    where chain = names.chain and reason = ${reason}::audit_anchor_reason order by sequence desc limit 1)`;

const statesOf = (names: Sql): Sql => sql`
  select names.chain, jsonb_build_object('sequence', coalesce(head.sequence, 0), 'hash', coalesce(head.hash, '')) as head,
         coalesce(last.sequence, 0) as "lastSequence", head.sequence is not null or last.sequence is not null as known,
         ${anchorOf('RETENTION')} as start, ${anchorOf('NIGHTLY')} as anchor
    from (${names}) names
    left join audit_chains head on head.chain = names.chain
    left join lateral (select max(sequence) as sequence from audit_logs where chain = names.chain) last on true
   order by names.chain`;

/** The chains that come after `after` in the alphabet, `most` of them. */
export const chainStates = (after: string, most: number): Sql => statesOf(namesAfter(after, most));

export const chainState = (chain: string): Sql => statesOf(sql`select ${chain}::text as chain`);

/** A row as it is hashed, with its hashes. */
export const linkColumns: Sql = sql`
  id, chain, sequence, tenant_id as "tenantId", actor_type as "actorType", actor_id as "actorId",
  actor_name as "actorName", on_behalf_of_id as "onBehalfOfId", on_behalf_of_name as "onBehalfOfName", action,
  resource, resource_id as "resourceId", outcome, changes, ip_address as "ipAddress", user_agent as "userAgent",
  request_id as "requestId", ${createdAt}, previous_hash as "previousHash", hash`;

/** Rows along the chains, one chain after the other, after a place and up to another. */
export const links = (
  after: { chain: string; sequence: number },
  upTo: { chain: string; sequence?: number },
  most: number,
): Sql => {
  const range =
    after.chain === upTo.chain
      ? sql`chain = ${after.chain} and sequence > ${after.sequence}`
      : sql`(chain, sequence) > (${after.chain}, ${after.sequence}::int) and chain <= ${upTo.chain}`;
  return sql`
  select ${linkColumns}
    from audit_logs where ${range} ${upTo.sequence === undefined ? empty : sql`and sequence <= ${upTo.sequence}`}
   order by chain, sequence limit ${most}`;
};

/** The first row that is not what an anchor says it was. */
export const firstRewritten = (chain: string): Sql => sql`
  select a.sequence from audit_anchors a join audit_logs l on l.chain = a.chain and l.sequence = a.sequence
   where a.chain = ${chain} and l.hash <> a.hash order by a.sequence limit 1`;
