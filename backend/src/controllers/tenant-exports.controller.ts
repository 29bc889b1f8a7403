import { downloadDataExport, getDataExport } from '../services/data-exports.service.ts';
import { createTenantExport } from '../services/tenant-exports.service.ts';
import type { Actor, ManualContext, ReadContext, WriteContext } from '../types/context.ts';

type Of = { params: { id: string } };
type OfExport = { params: { id: string; exportId: string } };

const FILE = { name: 'library', permission: 'tenants.export', action: 'tenants.export_download' } as const;

const placeOf = ({ id, exportId }: OfExport['params']) => ({ id: exportId, subject: 'TENANT', tenantId: id }) as const;

export const createExport = (ctx: WriteContext<Actor>, { params }: Of) => createTenantExport(ctx, params.id);

export const getExport = (ctx: ReadContext<Actor>, { params }: OfExport) => getDataExport(ctx, placeOf(params), FILE);

export const downloadExport = (ctx: ManualContext<Actor>, { params }: OfExport) =>
  downloadDataExport(ctx, placeOf(params), FILE);
