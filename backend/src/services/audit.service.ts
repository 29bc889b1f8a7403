import type { z } from 'zod';
import { AUDIT_ACTIONS } from '../config/audit-actions.ts';
import { jobs } from '../queues/index.ts';
import type { ReadContext } from '../types/context.ts';
import { cursorPage } from '../utils/cursor-page.ts';
import { invalidField, orNotFound } from '../utils/errors.ts';
import type { Cursor } from '../utils/page.ts';
import type { auditAction, auditEntry, auditEntryWhole, integrityQuery } from '../validators/audit.validator.ts';
import { MOST_ROWS_A_REQUEST, verifyChains } from './audit-integrity.service.ts';
import { auditRow, auditRows, type AuditFilter } from './audit.queries.ts';

type Entry = z.input<typeof auditEntry> & { createdAt: string };
type EntryWhole = z.input<typeof auditEntryWhole>;
type Listing = AuditFilter & { page: number; limit: number; cursor?: Cursor | undefined };

/** The audit trail, newest first: by page, or on from a cursor, which costs the same however far back it is. */
export const listAudit = (ctx: ReadContext, filter: Listing) => cursorPage<Entry>(ctx, filter, auditRows(filter));

export async function getAuditEntry(ctx: ReadContext, id: string) {
  const entry = orNotFound(await ctx.sql.one<Omit<EntryWhole, 'diff'>>(auditRow(id)), 'audit entry');
  return { ...entry, diff: diffOf(entry.changes) };
}

/** The fields that changed from something to something else, of what the row tells. */
export function diffOf(changes: Record<string, unknown> | null): { field: string; from: unknown; to: unknown }[] {
  return Object.entries(changes ?? {}).flatMap(([field, change]) => {
    if (change === null || typeof change !== 'object' || Object.keys(change).toSorted().join() !== 'from,to') return [];
    const { from, to } = change as { from: unknown; to: unknown };
    return [{ field, from, to }];
  });
}

/**
 * What happened to one record, newest first.
 * @throws AppError not_found where nothing ever did, so that a mistyped id does not look like a quiet record
 */
export async function listRecordHistory(ctx: ReadContext, record: { type: string; id: string }, listing: Listing) {
  const history = await listAudit(ctx, { ...listing, resource: record.type, resourceId: record.id });
  const isEmpty = history.items.length === 0 && listing.page === 1 && !listing.cursor;
  orNotFound(isEmpty ? null : history, 'record in the audit trail');
  return history;
}

/** Everything that a row can name as its action: what people do, and the jobs. */
export function auditCatalogue() {
  const declared = Object.entries(AUDIT_ACTIONS).map(([code, description]) => ({ code, description, kind: 'action' }));
  const byJobs = Object.keys(jobs).map((code) => ({ code, description: 'Done by this job', kind: 'job' }));
  return [...declared, ...byJobs]
    .map((action) => ({ ...action, group: action.code.split('.')[0] ?? action.code }))
    .toSorted((left, right) => (left.code < right.code ? -1 : 1)) as z.input<typeof auditAction>[];
}

/** @throws AppError not_found for a chain that nobody has begun: it must not look as if it had been verified */
export async function checkIntegrity(ctx: ReadContext, query: z.output<typeof integrityQuery>) {
  const { cursor: after, ...range } = query;
  if (after && range.chain && after.chain !== range.chain) {
    const message = 'must be the nextCursor of a check of this chain';
    throw invalidField('cursor', message, `The query is not valid: cursor ${message}`, 'query');
  }
  const { next, ...verdict } = await verifyChains(ctx, { ...range, after, mostRows: MOST_ROWS_A_REQUEST });
  if (range.chain) orNotFound(verdict.chains || null, 'audit chain');
  const nextCursor = next && Buffer.from(`${next.chain}~${next.sequence}`).toString('base64url');
  return { ...verdict, intact: verdict.breaks.length === 0, nextCursor };
}

/** The nightly check of everything. */
export async function verifyAuditTrail(ctx: Pick<ReadContext, 'sql'>) {
  const { chains, rows, breaks } = await verifyChains(ctx, {});
  return { chains, rows, broken: breaks };
}
