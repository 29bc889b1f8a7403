import type { z } from 'zod';
import type { ReadContext } from '../types/context.ts';
import { orNotFound } from '../utils/errors.ts';
import { encodeCursor, page } from '../utils/page.ts';
import { sql } from '../utils/sql.ts';
import type { auditEntry, auditEntryWhole, integrityQuery } from '../validators/audit.validator.ts';
import { MOST_ROWS_A_REQUEST, verifyChains } from './audit-integrity.service.ts';
import { auditRow, auditRows, type AuditFilter } from './audit.queries.ts';

type Entry = z.input<typeof auditEntry> & { createdAt: string };

/** The audit trail, newest first: by page, or on from a cursor, which costs the same however far back it is. */
export async function listAudit(ctx: ReadContext, filter: AuditFilter) {
  const { rows, count } = auditRows(filter);
  const { limit } = filter;
  if (!filter.cursor) {
    const { items, meta } = await page<Entry>(ctx, filter, { rows, count });
    return { items, meta: { ...meta, nextCursor: cursorAfter(items, meta.page < meta.totalPages) } };
  }
  // One more than is shown: it tells whether anything follows.
  const found = await ctx.sql.many<Entry>(sql`${rows} limit ${limit + 1}`);
  const items = found.slice(0, limit);
  return { items, meta: { limit, nextCursor: cursorAfter(items, found.length > limit) } };
}

function cursorAfter(items: Entry[], goesOn: boolean): string | null {
  const last = items.at(-1);
  return last && goesOn ? encodeCursor(last) : null;
}

export const getAuditEntry = async (ctx: ReadContext, id: string) =>
  orNotFound(await ctx.sql.one<z.input<typeof auditEntryWhole>>(auditRow(id)), 'audit entry');

/** @throws AppError not_found for a chain that nobody has begun: it must not look as if it had been verified */
export async function checkIntegrity(ctx: ReadContext, range: z.output<typeof integrityQuery>) {
  const verdict = await verifyChains(ctx, { ...range, mostRows: MOST_ROWS_A_REQUEST });
  if (range.chain) orNotFound(verdict.chains || null, 'audit chain');
  return { ...verdict, intact: verdict.breaks.length === 0 };
}

/** The nightly check of everything. */
export async function verifyAuditTrail(ctx: Pick<ReadContext, 'sql'>) {
  const { chains, rows, breaks } = await verifyChains(ctx, {});
  return { chains, rows, broken: breaks };
}
