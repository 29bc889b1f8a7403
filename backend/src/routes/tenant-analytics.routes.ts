import { getTenantAnalytics } from '../controllers/tenant-analytics.controller.ts';
import { tenantAnalytics } from '../validators/tenant-analytics.validator.ts';
import { tenantId } from '../validators/tenants.validator.ts';
import { endpoint, type Endpoint } from './endpoint.ts';

export const tenantAnalyticsEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'get',
    path: '/:id/analytics',
    operationId: 'getTenantAnalytics',
    summary: 'Figures of a tenant',
    description:
      'People, growth, activity, courses, and how full the libraries are. Counted at most an hour ago, and after every change of its people and libraries: `asOf` tells when.',
    access: { permission: 'tenants.read', tenant: 'own' },
    params: tenantId,
    response: tenantAnalytics,
    handler: getTenantAnalytics,
  }),
];
