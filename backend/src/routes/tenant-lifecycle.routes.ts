import * as lifecycle from '../controllers/tenant-lifecycle.controller.ts';
import * as v from '../validators/tenant-lifecycle.validator.ts';
import { tenantId } from '../validators/tenants.validator.ts';
import { endpoint, type Endpoint } from './endpoint.ts';

const offboarding = {
  access: { permission: 'tenants.delete' },
  params: tenantId,
  response: v.offboardingState,
} as const;

const begins =
  'Its people are signed out and can do nothing but pay and export, and its subscription ends at once. After 30 days of grace (tenants.offboarding_grace_days), of which owners are told again 48 hours before the end, all its data is removed but its books; while an invoice is unpaid or money is under way that waits. Until then it can be called off.';

/** How a tenant leaves, below /tenants. */
export const tenantLifecycleEndpoints: readonly Endpoint[] = [
  endpoint({
    ...offboarding,
    method: 'delete',
    path: '/:id',
    operationId: 'deleteTenant',
    summary: 'Off-board a tenant',
    description: `The same as POST /tenants/:id/offboard; no row is removed at once. ${begins}`,
    body: v.offboardBody,
    audit: 'tenants.offboard',
    stepUp: true,
    errors: ['invalid_transition'],
    handler: lifecycle.offboardTenant,
  }),
  endpoint({
    ...offboarding,
    method: 'post',
    path: '/:id/offboard',
    operationId: 'offboardTenant',
    summary: 'Begin the off-boarding of a tenant',
    description: begins,
    body: v.offboardBody,
    audit: 'tenants.offboard',
    stepUp: true,
    errors: ['invalid_transition'],
    handler: lifecycle.offboardTenant,
  }),
  endpoint({
    ...offboarding,
    method: 'post',
    path: '/:id/offboard/cancel',
    operationId: 'cancelOffboarding',
    summary: 'Call off the off-boarding of a tenant',
    description:
      'The tenant is again what it was before; its subscription stays ended, and can be reactivated. Not once the purge has begun.',
    body: v.cancelOffboardingBody,
    audit: 'tenants.offboard_cancel',
    errors: ['conflict', 'invalid_transition'],
    handler: lifecycle.cancelOffboarding,
  }),
  endpoint({
    ...offboarding,
    method: 'get',
    path: '/:id/offboarding',
    operationId: 'getOffboarding',
    summary: 'See where the off-boarding of a tenant stands',
    description:
      'Also of a tenant that is purged: then with the certificate of what was removed and what is kept. What is owed or under way, and keeps the purge waiting, is told as `unsettled`.',
    handler: lifecycle.getOffboarding,
  }),
  endpoint({
    ...offboarding,
    method: 'put',
    path: '/:id/legal-hold',
    operationId: 'setLegalHold',
    summary: 'Place or lift a legal hold',
    description: 'While one is in force nothing of the tenant is purged, and nobody of it is erased.',
    body: v.legalHoldBody,
    audit: 'tenants.legal_hold',
    stepUp: true,
    errors: ['conflict'],
    handler: lifecycle.setLegalHold,
  }),
];
