import { jobs } from '../queues/index.ts';
import type { JobContext } from '../queues/job-context.ts';
import type { Actor, WriteContext } from '../types/context.ts';
import { personArchive, tenantArchive } from './data-archive.service.ts';
import { runningDataExport } from './data-exports.queries.ts';
import {
  createDataExport,
  makeDataExport,
  viewOf,
  type DataExportRow,
  type DataExportView,
} from './data-exports.service.ts';
import { lockedTenant } from './tenant-status.service.ts';

/**
 * Has all data of a tenant written into a zip. While one is being written there is no second: whoever asks gets the one
 * under way.
 * @throws AppError not_found
 */
export async function createTenantExport(ctx: WriteContext<Actor>, tenantId: string): Promise<DataExportView> {
  await lockedTenant(ctx, tenantId);
  const running = await ctx.sql.one<DataExportRow>(runningDataExport(tenantId, 'TENANT', ctx.now));
  if (running) {
    const details = { note: 'One was under way already' };
    ctx.audit({ resource: 'data_export', resourceId: running.id, tenantId, details });
    return viewOf(running);
  }
  const made = await createDataExport(ctx, { tenantId, subject: 'TENANT', format: 'ZIP', filter: {} });
  ctx.enqueue('report.tenant-export', { exportId: made.id }, { tenantId, dedupeKey: `data-export-${made.id}` });
  return made;
}

/** Has what is known of one person of a tenant written into a zip, to answer their request. */
export async function createPersonExport(
  ctx: WriteContext<Actor>,
  { tenantId, userId }: { tenantId: string; userId: string },
): Promise<DataExportView> {
  const made = await createDataExport(ctx, { tenantId, subject: 'PERSON', format: 'ZIP', filter: { userId } });
  ctx.enqueue('report.person-export', { exportId: made.id }, { tenantId, dedupeKey: `data-export-${made.id}` });
  return made;
}

/** Writes the zip of a tenant. Any number of tries may be at it. */
export const makeTenantExport = (ctx: JobContext, id: string): Promise<void> =>
  makeDataExport(ctx, { id, attempts: jobs['report.tenant-export'].attempts }, (row, told) =>
    tenantArchive(ctx, { head: { ...headOf(ctx, row), subject: 'TENANT' }, told }),
  );

/** Writes the zip of a person. Any number of tries may be at it. */
export const makePersonExport = (ctx: JobContext, id: string): Promise<void> =>
  makeDataExport(ctx, { id, attempts: jobs['report.person-export'].attempts }, (row, told) => {
    const userId = String(row.filter.userId);
    return personArchive(ctx, { head: { ...headOf(ctx, row), subject: 'PERSON', userId }, told });
  });

const headOf = (ctx: JobContext, { id, tenantId }: DataExportRow) => ({
  exportId: id,
  tenantId: tenantId ?? '',
  exportedAt: ctx.now.toISOString(),
});
