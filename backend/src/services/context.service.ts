import type { AuditAction } from '../config/audit-actions.ts';
import { scopedReader, transactionReader, withScope } from '../config/scope.ts';
import type { JobName } from '../queues/index.ts';
import { nudgeRelay } from '../queues/relay.ts';
import type {
  Actor,
  AuditEntry,
  EnqueueOptions,
  ManualContext,
  ReadContext,
  Reader,
  WriteContext,
} from '../types/context.ts';
import { newId } from '../utils/ids.ts';
import { appendAudit } from './audit-chain.service.ts';
import { staleAfter } from './cache-after-writes.policy.ts';
import { forget } from './cache.service.ts';

/** A context before anything is opened: who, in which scope, and for which request or job. */
export type ContextBase<A extends Actor | null = Actor | null> = Omit<ReadContext<A>, 'sql'> & { system?: boolean };

/** What the declaration says of the audit rows: the default action, and a row to write when the handler wrote none. */
export type AuditRule = { action?: AuditAction | JobName; fallback?: AuditEntry };

type OutboxRow = {
  id: string;
  tenantId: string | null;
  job: string;
  payload: object;
  dedupeKey: string;
  availableAt: Date;
  requestId: string;
};

/** @param sql where the reads need a reader of their own within the same scope */
export const readContext = <A extends Actor | null>(
  base: ContextBase<A>,
  sql: Reader = scopedReader(base.scope),
): ReadContext<A> => ({ ...base, sql }) as unknown as ReadContext<A>;

/**
 * Runs `work` in one transaction: what it wrote, its audit rows and the jobs it handed over are committed together,
 * or nothing is. `work` may run more than once when the database asks for that.
 */
export async function runInTransaction<A extends Actor | null, Result>(
  base: ContextBase<A>,
  audit: AuditRule,
  work: (ctx: WriteContext<A>) => Promise<Result>,
): Promise<Result> {
  let handedOver = false;
  let afterwards: (() => Promise<void>)[] = [];
  const result = await withScope(base.scope, async (db) => {
    const entries: AuditEntry[] = [];
    const outbox: OutboxRow[] = [];
    const committed: (() => Promise<void>)[] = [];
    const ctx = {
      ...base,
      db,
      sql: transactionReader(db),
      audit: (entry: AuditEntry) => void entries.push(entry),
      enqueue: (job: string, payload: object, options: EnqueueOptions = {}) =>
        void outbox.push(outboxRow(base, job, payload, options)),
      afterCommit: (task: () => Promise<void>) => void committed.push(task),
    } as unknown as WriteContext<A>;
    const done = await work(ctx);
    if (outbox.length > 0) await db.outboxMessage.createMany({ data: outbox, skipDuplicates: true });
    if (entries.length === 0 && audit.fallback) entries.push(audit.fallback);
    if (entries.length > 0) await appendAudit(db, base, entries, audit.action);
    const stale = staleAfter(entries.map(({ resource, tenantId = base.tenantId }) => ({ resource, tenantId })));
    if (stale.length > 0) forget(ctx, ...stale);
    handedOver = outbox.length > 0;
    afterwards = committed;
    return done;
  });
  if (handedOver) nudgeRelay();
  for (const task of afterwards) {
    await task().catch((error: unknown) => base.log.warn('What was to follow a commit has failed', { error }));
  }
  return result;
}

function outboxRow(base: ContextBase, job: string, payload: object, options: EnqueueOptions): OutboxRow {
  const id = newId();
  return {
    id,
    tenantId: options.tenantId === undefined ? base.tenantId : options.tenantId,
    job,
    payload,
    dedupeKey: options.dedupeKey ?? id,
    availableAt: options.availableAt ?? base.now,
    requestId: base.requestId,
  };
}

/** For a handler that calls third parties or needs several transactions, and for jobs. */
export const manualContext = <A extends Actor | null>(base: ContextBase<A>, audit: AuditRule): ManualContext<A> =>
  ({
    ...readContext(base),
    transact: <Result>(work: (ctx: WriteContext<A>) => Promise<Result>) => runInTransaction(base, audit, work),
  }) as unknown as ManualContext<A>;
