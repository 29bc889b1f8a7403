import type { z } from 'zod';
import { AUDIT_ACTIONS } from '../config/audit-actions.ts';
import type { Permission } from '../config/permissions.ts';
import type { Actor, ReadContext } from '../types/context.ts';
import { cursorSlice } from '../utils/cursor-page.ts';
import { AppError, orNotFound } from '../utils/errors.ts';
import { timelineSources, type timelineQuery } from '../validators/tenant-notes.validator.ts';
import { timelineRows, type TimelineRow, type TimelineSource } from './tenant-timeline.queries.ts';
import { tenantExists } from './tenants.queries.ts';

const actions: Readonly<Record<string, string>> = AUDIT_ACTIONS;

/** What somebody has to hold to be told what comes from a source. */
const needed: Readonly<Partial<Record<TimelineSource, Permission>>> = {
  SUBSCRIPTION: 'subscriptions.read',
  INVOICE: 'revenue.read',
  PAYMENT: 'payments.read',
  CREDIT_NOTE: 'revenue.read',
  DUNNING: 'revenue.read',
};

/**
 * What happened to a tenant, newest first, on from a cursor. Who a mail went to is for those who may see the people
 * of libraries, what was billed and paid for those who may see that.
 * @throws AppError not_found; forbidden for a source that is not for them
 */
export async function listTimeline(ctx: ReadContext<Actor>, tenantId: string, query: z.output<typeof timelineQuery>) {
  const sources = sourcesFor(ctx.actor, query.source);
  // One more than is shown: it tells whether anything follows.
  const [rows, [tenant]] = await ctx.sql.batch<[TimelineRow[], unknown[]]>(
    timelineRows(tenantId, { sources, cursor: query.cursor }, query.limit + 1),
    tenantExists(tenantId),
  );
  orNotFound(tenant, 'tenant');
  const { items, meta } = cursorSlice(rows, query.limit);
  const seesPeople = ctx.actor.permissions.has('users.read');
  return { items: items.map((row) => eventView(row, seesPeople)), meta };
}

function sourcesFor({ permissions }: Actor, asked: TimelineSource | undefined): TimelineSource[] {
  const mayTell = (source: TimelineSource) => {
    const permission = needed[source];
    return permission === undefined || permissions.has(permission);
  };
  if (asked && !mayTell(asked)) {
    throw new AppError('forbidden', `You need the permission ${needed[asked]} to see what comes from there.`);
  }
  return asked ? [asked] : timelineSources.filter(mayTell);
}

const eventView = (row: TimelineRow, seesPeople: boolean): TimelineRow => ({
  ...row,
  text: row.source === 'AUDIT' ? (actions[row.what] ?? null) : row.text,
  recipient: seesPeople ? row.recipient : null,
});
