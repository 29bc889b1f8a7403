import type { z } from 'zod';
import type { RevenueReportFormat, RevenueReportType } from '../generated/prisma/enums.ts';
import { jobs } from '../queues/index.ts';
import type { JobContext } from '../queues/job-context.ts';
import type { Actor, ManualContext, ReadContext, WriteContext } from '../types/context.ts';
import { AppError, invalidField, orNotFound } from '../utils/errors.ts';
import type { FileAnswer } from '../utils/file-answer.ts';
import { addMonths, dayOfMonth, monthOf } from '../utils/india-day.ts';
import { dayInIndia } from '../utils/india-time.ts';
import { page } from '../utils/page.ts';
import type { createReportBody, listReportsQuery, revenueReport } from '../validators/revenue-reports.validator.ts';
import {
  exportExpiry,
  makeFile,
  openFile,
  removeExpiredFiles,
  type FileExportKind,
  type FileExportRow,
} from './file-export.service.ts';
import { personalLinkTo } from './file-links.service.ts';
import { assertOutsideTenants } from './platform-space.policy.ts';
import { actingPerson } from './privilege.policy.ts';
import { ageingReport } from './report-ageing.service.ts';
import { deferredReport } from './report-deferred.service.ts';
import { gstr1Report } from './report-gstr1.service.ts';
import { journalReport } from './report-journal.service.ts';
import { mrrReport } from './report-mrr.service.ts';
import type { Told } from './report-table.ts';
import { MOST_MONTHS } from './revenue-kept-figures.service.ts';
import { monthsApart } from './revenue-periods.policy.ts';
import * as queries from './revenue-reports.queries.ts';
import { settingOf } from './settings.service.ts';

// Files of figures that a job writes and whoever may make them fetches for a day: returns, journals, ageings. They name
// tenants and what they owe: whoever asks for one has just proved who they are (rule 4), and links are personal (rule 16).

type View = z.input<typeof revenueReport>;
type Body = z.output<typeof createReportBody>;
/** What a report is about, as it is kept with it. */
type Filter = Omit<Body, 'type' | 'format'>;
type Row = Omit<View, 'requestedBy' | 'link'> & FileExportRow & { requestedById: string; requestedByName: string };

const LINK_SECONDS = 600;
/** Of a journal. */
const MOST_YEARS = 1;

const files: Record<RevenueReportFormat, { ending: string; type: string }> = {
  JSON: { ending: 'json', type: 'application/json' },
  CSV: { ending: 'csv', type: 'text/csv' },
  XML: { ending: 'xml', type: 'application/xml' },
};

const reports: FileExportKind<Row> = {
  folder: 'revenue-reports',
  row: queries.revenueReportRow,
  lockedRow: queries.lockedRevenueReport,
  expired: queries.expiredRevenueReports,
  change: (db, where, data) => db.revenueReport.updateMany({ where, data }),
  endingOf: ({ format }) => files[format].ending,
};

/**
 * Notes down which report is wanted, and hands it to a job.
 * @throws AppError validation_failed for what lies in the future or is too long; conflict for a return before the company
 *   has a GSTIN
 */
export async function createReport(ctx: WriteContext<Actor>, body: Body): Promise<View> {
  assertOutsideTenants(ctx);
  const { type, format, ...asked } = body;
  const filter = JSON.parse(JSON.stringify(await completed(ctx, type, asked))) as Filter;
  const { id } = await ctx.db.revenueReport.create({
    data: {
      type,
      format,
      filter,
      requestedById: actingPerson(ctx.actor),
      requestedByName: ctx.actor.name,
      createdAt: ctx.now,
      expiresAt: exportExpiry(ctx.now),
    },
    select: { id: true },
  });
  ctx.audit({ resource: 'revenue_report', resourceId: id, tenantId: null, details: { type, format, filter } });
  ctx.enqueue('report.revenue', { reportId: id }, { tenantId: null, dedupeKey: `revenue-report-${id}` });
  return viewOf(orNotFound(await ctx.sql.one<Row>(queries.revenueReportRow(id)), 'report'));
}

/** With what was left out, and found to be about what there is already. */
async function completed(ctx: WriteContext<Actor>, type: RevenueReportType, asked: Filter): Promise<Filter> {
  const today = dayInIndia(ctx.now);
  const future = 'must not lie in the future';
  for (const name of ['day', 'from', 'to'] as const) {
    if ((asked[name] ?? '') > today) throw invalidField(name, future);
  }
  for (const name of ['month', 'fromMonth', 'toMonth'] as const) {
    if ((asked[name] ?? '') > monthOf(today)) throw invalidField(name, future);
  }
  const { from, to, fromMonth, toMonth } = asked;
  if (from && to) {
    if (from > to) throw invalidField('from', 'must not come after `to`');
    if (to >= addMonths(from, 12 * MOST_YEARS, dayOfMonth(from))) {
      throw invalidField('to', 'must come within a year of `from`');
    }
  }
  if (fromMonth && toMonth) {
    if (fromMonth > toMonth) throw invalidField('fromMonth', 'must not come after `toMonth`');
    if (monthsApart(fromMonth, toMonth) >= MOST_MONTHS) {
      throw invalidField('fromMonth', `must leave ${MOST_MONTHS} months at most`);
    }
  }
  if (type === 'AGEING' || type === 'DEFERRED_REVENUE') return { day: asked.day ?? today };
  if (type === 'GSTR1') return { month: asked.month, gstin: asked.gstin ?? (await ownGstin(ctx)) };
  return asked;
}

async function ownGstin(ctx: WriteContext<Actor>): Promise<string> {
  const gstin = await settingOf(ctx, 'billing.seller_gstin');
  if (gstin !== null) return gstin;
  throw new AppError('conflict', 'There is no return before the company has a GSTIN: set billing.seller_gstin.');
}

const viewOf = (row: Row, link: View['link'] = null): View => ({
  ...row,
  requestedBy: { id: row.requestedById, name: row.requestedByName },
  link,
});

/** The reports there are, the newest first. Whoever may make one sees them all. */
export async function listReports(ctx: ReadContext<Actor>, query: z.output<typeof listReportsQuery>) {
  assertOutsideTenants(ctx);
  const { items, meta } = await page<Row>(ctx, query, queries.revenueReportRows(query.type, query.order));
  return { items: items.map((row) => viewOf(row)), meta };
}

const fileNameOf = ({ id, type, format }: Pick<Row, 'id' | 'type' | 'format'>): string =>
  `${type.toLowerCase().replaceAll('_', '-')}-${id}.${files[format].ending}`;

/**
 * How far it is; once it is ready with a link for the caller alone, which works for ten minutes.
 * @throws AppError not_found
 */
export async function getReport(ctx: ReadContext<Actor>, id: string): Promise<View> {
  assertOutsideTenants(ctx);
  const row = orNotFound(await ctx.sql.one<Row>(queries.revenueReportRow(id)), 'report');
  const isThere = row.status === 'READY' && new Date(row.expiresAt) > ctx.now && row.storageKey;
  if (!isThere) return viewOf(row);
  const link = personalLinkTo(ctx.actor, row.storageKey ?? '', {
    seconds: LINK_SECONDS,
    name: fileNameOf(row),
    type: files[row.format].type,
    permission: 'revenue.reports',
    audit: { action: 'revenue.report_download', resource: 'revenue_report', resourceId: row.id },
  });
  return viewOf(row, link);
}

/** @throws AppError not_found for one that is not ready, or no longer there */
export async function downloadReport(ctx: ManualContext<Actor>, id: string): Promise<FileAnswer> {
  assertOutsideTenants(ctx);
  const { row, file } = await openFile(ctx, reports, id);
  try {
    const resource = { resource: 'revenue_report', resourceId: id, tenantId: null };
    await ctx.transact(async ({ audit }) => audit({ action: 'revenue.report_download', ...resource }));
  } catch (error) {
    file.content.destroy();
    throw error;
  }
  return { ...file, type: files[row.format].type, name: fileNameOf(row) };
}

type Writer = (
  ctx: JobContext,
  row: { filter: Filter; format: RevenueReportFormat },
  told: Told,
) => AsyncIterable<string>;

const writers: Record<RevenueReportType, Writer> = {
  GSTR1: (ctx, { filter, format }, told) =>
    gstr1Report(ctx, { month: filter.month ?? '', gstin: filter.gstin ?? '', format }, told),
  AGEING: (ctx, { filter, format }, told) => ageingReport(ctx, { day: filter.day ?? '', format }, told),
  DEFERRED_REVENUE: (ctx, { filter, format }, told) => deferredReport(ctx, { day: filter.day ?? '', format }, told),
  JOURNAL: (ctx, { filter, format }, told) =>
    journalReport(ctx, { from: filter.from ?? '', to: filter.to ?? '', format }, told),
  MRR: (ctx, { filter, format }, told) =>
    mrrReport(ctx, { from: filter.fromMonth ?? '', to: filter.toMonth ?? '', format }, told),
};

/** Writes the file. Any number of tries may be at it. */
export const makeReport = (ctx: JobContext, id: string): Promise<void> =>
  makeFile(ctx, reports, { id, attempts: jobs['report.revenue'].attempts }, ({ type, format, filter }, told) =>
    writers[type](ctx, { filter, format }, told),
  );

/** @returns how many were removed */
export const removeExpiredReports = (ctx: JobContext): Promise<number> => removeExpiredFiles(ctx, reports);
