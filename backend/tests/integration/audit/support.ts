import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { expect } from 'vitest';
import type { JobName } from '../../../src/queues/index.ts';
import type { AuditEntry } from '../../../src/types/context.ts';
import type { TestApp } from '../../support/server.ts';

export type AuditRow = Record<string, unknown> & {
  id: string;
  sequence: number;
  hash: string;
  previous_hash: string;
};

/** Writes rows as a handler or a job does, all in one transaction. */
export async function writeAudit(entries: AuditEntry[], { system = false } = {}): Promise<void> {
  const { runInTransaction } = await import('../../../src/services/context.service.ts');
  const { logger } = await import('../../../src/config/logger.ts');
  const base = {
    requestId: 'request-of-the-test',
    client: { ip: '203.0.113.7', userAgent: 'check/1.0' },
    cookies: { get: () => undefined, set: () => undefined, clear: () => undefined },
    log: logger,
    now: new Date(),
    scope: { role: 'portal' as const },
    tenantId: null,
    actor: null,
    system,
  };
  await runInTransaction(base, { action: 'tenants.update' }, async (ctx) =>
    entries.forEach((entry) => ctx.audit(entry)),
  );
}

/** A tenant with a chain of so many rows, each with a value in every column. */
export async function buildChain(app: TestApp, rows: number): Promise<string> {
  const { id } = await app.buildTenant();
  const entries = Array.from({ length: rows }, (_, index) => ({
    resource: 'tenant',
    resourceId: id,
    tenantId: id,
    actor: { id: 'cm3k8v1x40001qp2h9d7f5a6b', name: 'आशा मेनन' },
    details: { step: index + 1, note: 'é 🙏 "quoted" \\ \n', nested: { z: 1.5, a: [true, null] } },
  }));
  await writeAudit(entries);
  return id;
}

/** The rows of a chain, with times as they are hashed. */
export const rowsOfChain = (app: TestApp, chain: string): Promise<AuditRow[]> =>
  app.query<AuditRow>(
    `select *, to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as created_at
       from audit_logs where chain = $1 order by sequence`,
    [chain],
  );

/** What anybody can do with a copy of the table and this recipe: nothing of the application is used. */
export function recompute(previousHash: string, row: AuditRow): string {
  const record = {
    id: row.id,
    chain: row.chain,
    sequence: row.sequence,
    tenantId: row.tenant_id,
    actorType: row.actor_type,
    actorId: row.actor_id,
    actorName: row.actor_name,
    ...(row.on_behalf_of_id !== null && { onBehalfOfId: row.on_behalf_of_id }),
    ...(row.on_behalf_of_name !== null && { onBehalfOfName: row.on_behalf_of_name }),
    action: row.action,
    resource: row.resource,
    resourceId: row.resource_id,
    outcome: row.outcome,
    changes: row.changes,
    ipAddress: row.ip_address,
    userAgent: row.user_agent,
    requestId: row.request_id,
    createdAt: row.created_at,
  };
  return createHash('sha256')
    .update(`${previousHash}${canonicalize(record)}`)
    .digest('hex');
}

/** One unbroken chain 1…n, whose hashes come out the same elsewhere and whose head is its last row. */
export async function expectWholeChain(app: TestApp, chain: string, length: number): Promise<void> {
  const rows = await rowsOfChain(app, chain);
  expect(rows.map(({ sequence }) => sequence)).toEqual(Array.from({ length }, (_, index) => index + 1));
  let previousHash = '0'.repeat(64);
  for (const row of rows) {
    expect(row.previous_hash).toBe(previousHash);
    expect(recompute(previousHash, row)).toBe(row.hash);
    previousHash = row.hash;
  }
  const heads = await app.query(`select sequence, hash from audit_chains where chain = $1`, [chain]);
  expect(heads).toEqual([{ sequence: length, hash: previousHash }]);
}

/**
 * Asks for the integrity. It is limited to twenty calls a minute for each person: every few calls somebody else asks.
 */
export function integrityOf(app: TestApp) {
  let token = '';
  let calls = 0;
  return async (query: string) => {
    if (calls % 15 === 0) token = await app.adminToken({ role: 'auditor' });
    calls += 1;
    return app.call('GET', `/api/audit/integrity${query}`, { token });
  };
}

export const intact = (rows: number, chains = 1) => ({
  intact: true,
  complete: true,
  nextCursor: null,
  chains,
  rows,
  breaks: [],
});

export const broken = (chain: string, sequence: number, reason: string) => ({
  intact: false,
  complete: true,
  nextCursor: null,
  chains: 1,
  rows: expect.any(Number) as number,
  breaks: [{ chain, sequence, reason }],
});

/** Runs a job as its worker would. */
export async function runJobOnce<Name extends JobName>(
  name: Name,
  payload: object = {},
  { attempt = 1, signal = new AbortController().signal, now = new Date() } = {},
): Promise<unknown> {
  const { jobContext } = await import('../../../src/queues/job-context.ts');
  const { handlers } = await import('../../../src/jobs/index.ts');
  const data = { payload, tenantId: null as string | null, requestId: null, queuedAt: now.toISOString() };
  if (name === 'report.audit-export') data.tenantId = (payload as { tenantId?: string }).tenantId ?? null;
  const job = { id: `test-${name}`, name, data, attemptsMade: attempt - 1, timestamp: now.getTime() };
  const ctx = { ...jobContext(job as unknown as Parameters<typeof jobContext>[0], signal), now };
  return handlers[name](ctx, payload as never);
}

/** Runs the exports that wait. */
export async function runExports(app: TestApp): Promise<void> {
  const waiting = await app.query<{ id: string; tenant_id: string | null }>(
    `select id, tenant_id from audit_exports where status = 'PENDING'`,
  );
  for (const { id, tenant_id: tenantId } of waiting) {
    await runJobOnce('report.audit-export', { exportId: id, ...(tenantId && { tenantId }) });
  }
}
