import * as exports from '../controllers/tenant-exports.controller.ts';
import { dataExport, exportZip, tenantExportId } from '../validators/data-export.validator.ts';
import { tenantId } from '../validators/tenants.validator.ts';
import { endpoint, type Endpoint } from './endpoint.ts';

const access = { permission: 'tenants.export', tenant: 'own' } as const;

/** Exports of all data of a tenant, below /tenants. Open to its people also while it is shut out (rule 11). */
export const tenantExportEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'post',
    path: '/:id/exports',
    operationId: 'createTenantExport',
    summary: 'Export all data of a tenant',
    description:
      'A zip, made in the background: JSON lines for each table, uploaded files, and a manifest with counts and SHA-256. Without passwords and other secrets. While one is being written, the answer is that one.',
    access,
    params: tenantId,
    response: dataExport,
    status: 202,
    audit: 'tenants.export',
    stepUp: true,
    rateLimit: { points: 10, seconds: 60 },
    handler: exports.createExport,
  }),
  endpoint({
    method: 'get',
    path: '/:id/exports/:exportId',
    operationId: 'getTenantExport',
    summary: 'How far an export of a tenant is',
    description: 'Once it is ready with a link that fetches the file without a token, for ten minutes.',
    access,
    params: tenantExportId,
    response: dataExport,
    handler: exports.getExport,
  }),
  endpoint({
    method: 'get',
    path: '/:id/exports/:exportId/download',
    operationId: 'downloadTenantExport',
    summary: 'Download an export of a tenant',
    description: 'For 24 hours after it was made.',
    access,
    params: tenantExportId,
    response: exportZip,
    transaction: 'manual',
    handler: exports.downloadExport,
  }),
];
