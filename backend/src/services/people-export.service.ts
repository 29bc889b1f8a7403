import type { z } from 'zod';
import { jobs } from '../queues/index.ts';
import type { JobContext } from '../queues/job-context.ts';
import type { Actor, ManualContext, ReadContext, WriteContext } from '../types/context.ts';
import { orNotFound } from '../utils/errors.ts';
import type { FileAnswer } from '../utils/file-answer.ts';
import { exportWish, type createPeopleExportBody } from '../validators/platform-users-extras.validator.ts';
import * as dataExports from './data-exports.service.ts';
import { exportColumnNames, exportColumns, type ExportColumn, type SheetRow } from './people-export-columns.ts';
import { csvSheet } from './people-export-csv.ts';
import * as queries from './people-export.queries.ts';
import { xlsxSheet } from './people-export-xlsx.ts';
import { viewpointOf } from './platform-user-views.service.ts';

// An export of people is their tenant's: whoever holds users.export there sees and fetches it, whoever asked for it.
// One of all tenants is for portal admins alone, outside a tenant: row security hides it from everybody else.

const ROWS_AT_ONCE = 500;

/**
 * Notes down which people are wanted, and hands it to a job.
 * @throws AppError not_found for a tenant that is not there, or not the caller's own
 */
export async function createPeopleExport(
  ctx: WriteContext<Actor>,
  body: z.output<typeof createPeopleExportBody>,
): Promise<dataExports.DataExportView> {
  const { format, ...filter } = body;
  const tenantId = filter.tenantId ?? ctx.tenantId;
  if (tenantId) {
    const isOutside = ctx.tenantId !== null && tenantId !== ctx.tenantId;
    const found = isOutside ? null : await ctx.db.tenant.findUnique({ where: { id: tenantId }, select: { id: true } });
    orNotFound(found, 'tenant');
  }
  const made = await dataExports.createDataExport(ctx, { tenantId, subject: 'PEOPLE', format, filter });
  ctx.enqueue('report.people-export', { exportId: made.id }, { tenantId, dedupeKey: `data-export-${made.id}` });
  return made;
}

const placeOf = (ctx: ReadContext<Actor>, id: string): dataExports.DataExportPlace => ({
  id,
  subject: 'PEOPLE',
  ...(ctx.tenantId && { tenantId: ctx.tenantId }),
});

/** @throws AppError not_found, also for one of another tenant */
export const getPeopleExport = (ctx: ReadContext<Actor>, id: string): Promise<dataExports.DataExportView> =>
  dataExports.getDataExport(ctx, placeOf(ctx, id), {
    name: 'people',
    permission: 'users.export',
    action: 'users.export_download',
  });

/** @throws AppError not_found for one that is not ready, or no longer there */
export const downloadPeopleExport = (ctx: ManualContext<Actor>, id: string): Promise<FileAnswer> =>
  dataExports.downloadDataExport(ctx, placeOf(ctx, id), { action: 'users.export_download', name: 'people' });

/** Writes the file. Any number of tries may be at it. */
export const makePeopleExport = (ctx: JobContext, id: string): Promise<void> =>
  dataExports.makeDataExport(ctx, { id, attempts: jobs['report.people-export'].attempts }, (row, told) => {
    const { columns = exportColumnNames } = exportWish.parse(row.filter);
    const headings = columns.map((column) => exportColumns[column]);
    const write = row.format === 'XLSX' ? xlsxSheet : csvSheet;
    return write(headings, rowsOf(ctx, row, columns, told));
  });

/** The rows of the file, some at a time: however many people there are, never more than one batch is in memory. */
async function* rowsOf(
  ctx: JobContext,
  row: dataExports.DataExportRow,
  columns: readonly ExportColumn[],
  told: (rows: number) => Promise<void>,
): AsyncGenerator<SheetRow[]> {
  const { columns: _, ...filter } = exportWish.parse(row.filter);
  const viewpoint = { ...viewpointOf(ctx), tenantId: row.tenantId };
  const until = new Date(row.createdAt);
  let written = 0;
  for (let after: queries.Place | undefined; ;) {
    ctx.job.signal.throwIfAborted();
    const people = await ctx.sql.many<queries.ExportedPerson>(
      queries.exportedPeople(filter, viewpoint, { after, until, most: ROWS_AT_ONCE }),
    );
    const last = people.at(-1);
    if (!last) return;
    const guardians = columns.includes('guardians') ? await guardiansOf(ctx, people) : undefined;
    yield people.map((person) =>
      columns.map((column) => (column === 'guardians' ? (guardians?.get(person.id) ?? null) : person[column])),
    );
    after = { createdAt: last.place, id: last.id };
    written += people.length;
    await told(written);
  }
}

async function guardiansOf(ctx: JobContext, people: queries.ExportedPerson[]): Promise<Map<string, string>> {
  const students = people.filter(({ kind }) => kind === 'STUDENT').map(({ id }) => id);
  if (students.length === 0) return new Map();
  const found = await ctx.sql.many<{ studentId: string; guardians: string }>(queries.exportedGuardians(students));
  return new Map(found.map(({ studentId, guardians }) => [studentId, guardians]));
}
