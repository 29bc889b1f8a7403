import type { z } from 'zod';
import type { AuditAction } from '../config/audit-actions.ts';
import type { Permission } from '../config/permissions.ts';
import type { DataExportFormat, ExportSubject } from '../generated/prisma/enums.ts';
import type { JobContext } from '../queues/job-context.ts';
import type { Actor, ManualContext, ReadContext, WriteContext } from '../types/context.ts';
import { orNotFound } from '../utils/errors.ts';
import type { FileAnswer } from '../utils/file-answer.ts';
import type { dataExport } from '../validators/data-export.validator.ts';
import { dataExportOf, dataExportRow, expiredDataExports, lockedDataExport } from './data-exports.queries.ts';
import {
  exportExpiry,
  makeFile,
  openFile,
  removeExpiredFiles,
  type FileExportKind,
  type FileExportRow,
  type FileWriter,
} from './file-export.service.ts';
import { personalLinkTo } from './file-links.service.ts';
import { actingPerson } from './privilege.policy.ts';

// Files of personal data: people of a list, all data of a tenant, or of one person (rule 16). What is in the file is up
// to the module that asks for it; here is what they have in common.

export type DataExportView = z.input<typeof dataExport>;
export type DataExportRow = Omit<DataExportView, 'requestedBy' | 'link'> &
  FileExportRow & { requestedById: string; requestedByName: string };
export type DataExportWriter = FileWriter<DataExportRow>;

const LINK_SECONDS = 600;

const formats: Record<DataExportFormat, { ending: string; type: string }> = {
  CSV: { ending: 'csv', type: 'text/csv' },
  XLSX: { ending: 'xlsx', type: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet' },
  ZIP: { ending: 'zip', type: 'application/zip' },
};

const dataExports: FileExportKind<DataExportRow> = {
  folder: 'exports',
  row: dataExportRow,
  lockedRow: lockedDataExport,
  expired: expiredDataExports,
  change: (db, where, data) => db.dataExport.updateMany({ where, data }),
  endingOf: ({ format }) => formats[format].ending,
};

/** Where one is looked for: of this subject, and of this tenant unless the file is about all of them. */
export type DataExportPlace = { id: string; subject: ExportSubject; tenantId?: string };

/**
 * Notes down what is wanted, with its audit row; the caller hands it to the job that writes it, in the same transaction.
 * @param wanted `tenantId` null: of all tenants
 */
export async function createDataExport(
  ctx: WriteContext<Actor>,
  wanted: { tenantId: string | null; subject: ExportSubject; format: DataExportFormat; filter: object },
): Promise<DataExportView> {
  const { tenantId, subject, format } = wanted;
  const filter = JSON.parse(JSON.stringify(wanted.filter)) as object;
  const { id } = await ctx.db.dataExport.create({
    data: {
      tenantId,
      subject,
      format,
      filter,
      requestedById: actingPerson(ctx.actor),
      requestedByName: ctx.actor.name,
      createdAt: ctx.now,
      expiresAt: exportExpiry(ctx.now),
    },
  });
  ctx.audit({ resource: 'data_export', resourceId: id, tenantId, details: { subject, format, filter } });
  return viewOf(orNotFound(await ctx.sql.one<DataExportRow>(dataExportRow(id)), 'export'));
}

/** As it is shown. @param link to the file, where there is one */
export const viewOf = (row: DataExportRow, link: DataExportView['link'] = null): DataExportView => ({
  ...row,
  requestedBy: { id: row.requestedById, name: row.requestedByName },
  link,
});

/** How a file is handed out: under which name, to whom, and what the audit row says. */
export type DataExportFile = { name: string; permission: Permission; action: AuditAction };

const fileNameOf = ({ id, format }: DataExportRow, name: string): string => `${name}-${id}.${formats[format].ending}`;

/**
 * How far it is; once it is ready with a link for the caller alone, which works for ten minutes.
 * @throws AppError not_found, also for one of another subject or tenant
 */
export async function getDataExport(
  ctx: ReadContext<Actor>,
  place: DataExportPlace,
  file: DataExportFile,
): Promise<DataExportView> {
  const found = await ctx.sql.one<DataExportRow>(dataExportOf(place.id, place.subject, place.tenantId));
  const row = orNotFound(found, 'export');
  const isThere = row.status === 'READY' && new Date(row.expiresAt) > ctx.now && row.storageKey;
  if (!isThere) return viewOf(row);
  const link = personalLinkTo(ctx.actor, row.storageKey ?? '', {
    seconds: LINK_SECONDS,
    name: fileNameOf(row, file.name),
    type: formats[row.format].type,
    permission: file.permission,
    audit: { action: file.action, resource: 'data_export', resourceId: row.id },
  });
  return viewOf(row, link);
}

/** @throws AppError not_found for one that is not ready, or no longer there */
export async function downloadDataExport(
  ctx: ManualContext<Actor>,
  place: DataExportPlace,
  { action, name }: Pick<DataExportFile, 'action' | 'name'>,
): Promise<FileAnswer> {
  const row = () => dataExportOf(place.id, place.subject, place.tenantId);
  const { row: found, file } = await openFile(ctx, { ...dataExports, row }, place.id);
  try {
    const resource = { resource: 'data_export', resourceId: place.id, tenantId: found.tenantId };
    await ctx.transact(async ({ audit }) => audit({ action, ...resource }));
  } catch (error) {
    file.content.destroy();
    throw error;
  }
  return { ...file, type: formats[found.format].type, name: fileNameOf(found, name) };
}

/** Writes the file of an export; a job of the module that asked for it calls this with what is to be in it. */
export const makeDataExport = (
  ctx: JobContext,
  job: { id: string; attempts: number },
  write: DataExportWriter,
): Promise<void> => makeFile(ctx, dataExports, job, write);

/** @returns how many were removed */
export const removeExpiredDataExports = (ctx: JobContext): Promise<number> => removeExpiredFiles(ctx, dataExports);
