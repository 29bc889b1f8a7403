import * as addOns from '../controllers/add-ons.controller.ts';
import { pageOf } from '../utils/page.ts';
import * as v from '../validators/add-ons.validator.ts';
import { endpoint, type Endpoint } from './endpoint.ts';

/** What can be had on top of a plan. */
export const revenueAddOnsEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'get',
    path: '/add-ons',
    operationId: 'listAddOns',
    summary: 'List add-ons',
    description:
      'With how many subscriptions have each. People of a tenant see those that they can take and those they have, and not how many others have them.',
    access: { permission: 'plans.read', tenant: 'own' },
    query: v.listAddOnsQuery,
    response: pageOf(v.addOn),
    handler: addOns.listAddOns,
  }),
  endpoint({
    method: 'post',
    path: '/add-ons',
    operationId: 'createAddOn',
    summary: 'Create an add-on',
    description: 'What it costs, and what one of it adds to the limits of the plan. Its code is given once.',
    access: { permission: 'plans.manage' },
    body: v.createAddOnBody,
    response: v.addOn,
    status: 201,
    audit: 'plans.add_on_create',
    errors: ['conflict', 'tenant_mismatch'],
    handler: addOns.createAddOn,
  }),
  endpoint({
    method: 'put',
    path: '/add-ons/:id',
    operationId: 'updateAddOn',
    summary: 'Change an add-on',
    description:
      'Only the fields that are sent change, limits as a whole. Subscriptions keep the price at which they took it. Limits cannot change while somebody has it. Status ARCHIVED: nobody new gets it; ACTIVE restores it. With If-Match the change is refused when somebody else was faster.',
    access: { permission: 'plans.manage' },
    params: v.addOnId,
    body: v.updateAddOnBody,
    response: v.addOn,
    audit: 'plans.add_on_update',
    ifMatch: true,
    errors: ['conflict', 'tenant_mismatch'],
    handler: addOns.updateAddOn,
  }),
];
