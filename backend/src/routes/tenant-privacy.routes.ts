import * as privacy from '../controllers/tenant-privacy.controller.ts';
import { pageOf } from '../utils/page.ts';
import { dataExport, exportZip } from '../validators/data-export.validator.ts';
import * as v from '../validators/tenant-privacy.validator.ts';
import { tenantId } from '../validators/tenants.validator.ts';
import { endpoint, type Endpoint } from './endpoint.ts';

const access = { permission: 'tenants.privacy', tenant: 'own' } as const;

/** Requests of people about their personal data, below /tenants. */
export const tenantPrivacyEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'get',
    path: '/:id/privacy-requests',
    operationId: 'listPrivacyRequests',
    summary: 'List the requests of people about their data',
    description: 'To see, correct or remove it; with those that are overdue.',
    access,
    params: tenantId,
    query: v.listPrivacyRequestsQuery,
    response: pageOf(v.privacyRequest),
    handler: privacy.listPrivacyRequests,
  }),
  endpoint({
    method: 'post',
    path: '/:id/privacy-requests',
    operationId: 'createPrivacyRequest',
    summary: 'Note down a request about personal data',
    description:
      'Of somebody of the library. It is to be answered within the days of the setting privacy.response_days.',
    access,
    params: tenantId,
    body: v.createPrivacyRequestBody,
    response: v.privacyRequest,
    status: 201,
    audit: 'tenants.privacy_request',
    errors: ['conflict'],
    handler: privacy.createPrivacyRequest,
  }),
  endpoint({
    method: 'put',
    path: '/:id/privacy-requests/:requestId',
    operationId: 'updatePrivacyRequest',
    summary: 'Work on a request about personal data',
    description:
      'Completing one does what was asked for: an erasure removes the data for good, an access request has the file made. Not under a legal hold, nor for the last owner or the only guardian of a student under 18.',
    access,
    params: v.privacyRequestId,
    body: v.updatePrivacyRequestBody,
    response: v.privacyRequest,
    audit: 'tenants.privacy_update',
    stepUp: true,
    ifMatch: true,
    errors: ['conflict', 'invalid_transition', 'exceeds_own_permissions'],
    handler: privacy.updatePrivacyRequest,
  }),
  endpoint({
    method: 'get',
    path: '/:id/privacy-requests/:requestId/export',
    operationId: 'getPersonExport',
    summary: 'How far the file of an access request is',
    description: 'Once it is ready with a link that fetches the file without a token, for ten minutes.',
    access,
    params: v.privacyRequestId,
    response: dataExport,
    handler: privacy.getPersonExport,
  }),
  endpoint({
    method: 'get',
    path: '/:id/privacy-requests/:requestId/export/download',
    operationId: 'downloadPersonExport',
    summary: 'Download the file of an access request',
    description: 'For 24 hours after it was made.',
    access,
    params: v.privacyRequestId,
    response: exportZip,
    transaction: 'manual',
    handler: privacy.downloadPersonExport,
  }),
];
