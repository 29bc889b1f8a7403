import { redact } from '../config/logger.ts';
import type { Transaction } from '../config/database.ts';
import type { AuditEntry, ReadContext } from '../types/context.ts';
import { canonicalJson, sha256 } from '../utils/canonical-json.ts';
import { newId } from '../utils/ids.ts';

/** What the hash of an audit row covers: every column but the two hashes. `createdAt` has microseconds. */
export type AuditRecord = {
  id: string;
  chain: string;
  sequence: number;
  tenantId: string | null;
  actorType: string;
  actorId: string | null;
  actorName: string | null;
  /** In whose name; not there where it was in one's own, so that such rows have the hash they always had. */
  onBehalfOfId?: string;
  onBehalfOfName?: string;
  action: string;
  resource: string;
  resourceId: string | null;
  outcome: string;
  changes: unknown;
  ipAddress: string | null;
  userAgent: string | null;
  requestId: string | null;
  createdAt: string;
};

export const PLATFORM_CHAIN = 'platform';
/** What the first row of a chain names as the hash before it. */
export const GENESIS_HASH = '0'.repeat(64);

/** The hash that links a row to the one before it (rule 10). */
export const auditHash = (previousHash: string, record: AuditRecord): string =>
  sha256(previousHash + canonicalJson(record));

/** `{ field: { from, to } }` of the fields in `after` that differ. */
export function changedFields(before: object, after: object): Record<string, { from: unknown; to: unknown }> {
  const old = plain(before) as Record<string, unknown>;
  const fresh = plain(after) as Record<string, unknown>;
  const differing = Object.keys(fresh).filter(
    (field) => canonicalJson(old[field] ?? null) !== canonicalJson(fresh[field] ?? null),
  );
  return Object.fromEntries(differing.map((field) => [field, { from: old[field] ?? null, to: fresh[field] ?? null }]));
}

/** As it will come back from the database: dates as text, no undefined. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null));

function changesOf({ before, after, details }: AuditEntry): unknown {
  if (before && after) return redact(plain({ ...details, ...changedFields(before, after) }));
  const told = { ...details, ...after };
  return Object.keys(told).length > 0 ? redact(plain(told)) : null;
}

/** The part of a context that an audit row tells. */
export type AuditSource = Pick<ReadContext, 'actor' | 'tenantId' | 'client' | 'requestId'> & { system?: boolean };

function recordOf(
  source: AuditSource,
  entry: AuditEntry,
  defaultAction: string | undefined,
): Omit<AuditRecord, 'sequence' | 'createdAt'> {
  const tenantId = entry.tenantId === undefined ? source.tenantId : entry.tenantId;
  const action = entry.action ?? defaultAction;
  if (!action) throw new Error('An audit row needs an action: name it in the entry or in the declaration');
  return {
    id: newId(),
    chain: tenantId ?? PLATFORM_CHAIN,
    tenantId,
    ...actorOf(source, entry),
    action,
    resource: entry.resource,
    resourceId: entry.resourceId ?? null,
    outcome: entry.outcome ?? 'SUCCESS',
    changes: changesOf(entry),
    ipAddress: source.client.ip || null,
    userAgent: source.client.userAgent,
    requestId: source.requestId,
  };
}

type RecordedActor = Pick<AuditRecord, 'actorType' | 'actorId' | 'actorName' | 'onBehalfOfId' | 'onBehalfOfName'>;

/** Who did it; with impersonation and keys both are named: who acts, and in whose name. */
function actorOf({ actor, system }: AuditSource, entry: AuditEntry): RecordedActor {
  const person = entry.actor ?? null;
  if (!actor) {
    const actorType = person ? 'USER' : system ? 'SYSTEM' : 'ANONYMOUS';
    return { actorType, actorId: person?.id ?? null, actorName: person?.name ?? null };
  }
  const { impersonation, creator, id, name } = actor;
  if (impersonation) {
    const { adminId, adminName } = impersonation;
    return { actorType: 'USER', actorId: adminId, actorName: adminName, onBehalfOfId: id, onBehalfOfName: name };
  }
  return {
    actorType: actor.kind === 'apiKey' ? 'API_KEY' : 'USER',
    actorId: id,
    actorName: name,
    ...(creator && { onBehalfOfId: creator.id, onBehalfOfName: creator.name }),
  };
}

type Head = { sequence: number; hash: string; now_utc: string };

/**
 * Appends rows to their chains, in the business transaction and as its last act: the lock of a chain is held until
 * the commit. Chains are locked in one order, so that two transactions cannot wait for each other.
 */
export async function appendAudit(
  db: Transaction,
  source: AuditSource,
  entries: AuditEntry[],
  defaultAction: string | undefined,
): Promise<void> {
  const records = entries.map((entry) => recordOf(source, entry, defaultAction));
  const chains = [...new Set(records.map((record) => record.chain))].toSorted();
  for (const chain of chains) {
    const [head] = await db.$queryRaw<Head[]>`select sequence, hash, now_utc from app.lock_audit_chain(${chain})`;
    if (!head) throw new Error('The audit chain could not be locked');
    let { sequence, hash } = head;
    const rows = records
      .filter((record) => record.chain === chain)
      .map((record) => {
        const previousHash = hash;
        sequence += 1;
        const full: AuditRecord = { ...record, sequence, createdAt: head.now_utc };
        hash = auditHash(previousHash, full);
        return { ...full, previousHash, hash };
      });
    await insertLinks(db, rows, { chain, tenantId: rows[0]?.tenantId ?? null, sequence, hash, at: head.now_utc });
  }
}

async function insertLinks(
  db: Transaction,
  rows: (AuditRecord & { previousHash: string; hash: string })[],
  head: { chain: string; tenantId: string | null; sequence: number; hash: string; at: string },
): Promise<void> {
  await db.$executeRaw`
    with head as (
      insert into audit_chains (chain, tenant_id, sequence, hash, updated_at)
      values (${head.chain}, ${head.tenantId}, ${head.sequence}, ${head.hash}, ${head.at}::timestamptz)
      on conflict (chain) do update set sequence = excluded.sequence, hash = excluded.hash, updated_at = excluded.updated_at
    )
    insert into audit_logs (id, chain, sequence, tenant_id, actor_type, actor_id, actor_name, on_behalf_of_id,
                            on_behalf_of_name, action, resource, resource_id, outcome, changes, ip_address, user_agent,
                            request_id, created_at, previous_hash, hash)
    select id, chain, sequence, "tenantId", "actorType", "actorId", "actorName", "onBehalfOfId", "onBehalfOfName", action, resource,
           "resourceId", outcome, nullif(changes, 'null'::jsonb), "ipAddress", "userAgent", "requestId", "createdAt", "previousHash", hash
      from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r (
           id text, chain text, sequence int, "tenantId" text, "actorType" actor_type, "actorId" text, "actorName" text,
           "onBehalfOfId" text, "onBehalfOfName" text, action text, resource text, "resourceId" text, outcome audit_outcome, changes jsonb, "ipAddress" text,
           "userAgent" text, "requestId" text, "createdAt" timestamptz, "previousHash" text, hash text)`;
}
