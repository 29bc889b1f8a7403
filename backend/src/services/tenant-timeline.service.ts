import type { z } from 'zod';
import { AUDIT_ACTIONS } from '../config/audit-actions.ts';
import type { Actor, ReadContext } from '../types/context.ts';
import { cursorSlice } from '../utils/cursor-page.ts';
import { orNotFound } from '../utils/errors.ts';
import type { timelineQuery } from '../validators/tenant-notes.validator.ts';
import { timelineRows, type TimelineRow } from './tenant-timeline.queries.ts';
import { tenantExists } from './tenants.queries.ts';

const actions: Readonly<Record<string, string>> = AUDIT_ACTIONS;

/**
 * What happened to a tenant, newest first, on from a cursor. Who a mail went to is for those who may see the people
 * of libraries.
 * @throws AppError not_found
 */
export async function listTimeline(ctx: ReadContext<Actor>, tenantId: string, query: z.output<typeof timelineQuery>) {
  // One more than is shown: it tells whether anything follows.
  const [rows, [tenant]] = await ctx.sql.batch<[TimelineRow[], unknown[]]>(
    timelineRows(tenantId, query, query.limit + 1),
    tenantExists(tenantId),
  );
  orNotFound(tenant, 'tenant');
  const { items, meta } = cursorSlice(rows, query.limit);
  const seesPeople = ctx.actor.permissions.has('users.read');
  return { items: items.map((row) => eventView(row, seesPeople)), meta };
}

const eventView = (row: TimelineRow, seesPeople: boolean): TimelineRow => ({
  ...row,
  text: row.source === 'AUDIT' ? (actions[row.what] ?? null) : row.text,
  recipient: seesPeople ? row.recipient : null,
});
