import * as taxes from '../controllers/taxes.controller.ts';
import { pageOf } from '../utils/page.ts';
import * as v from '../validators/taxes.validator.ts';
import { endpoint, type Endpoint } from './endpoint.ts';

/** GST by service accounting code, from which day on. */
export const revenueTaxesEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'get',
    path: '/taxes',
    operationId: 'listTaxes',
    summary: 'List tax rates',
    description: 'By service accounting code: the rate that holds today in India, the next one, and all there were.',
    access: { permission: 'plans.read' },
    query: v.listTaxesQuery,
    response: pageOf(v.tax),
    handler: taxes.listTaxes,
  }),
  endpoint({
    method: 'put',
    path: '/taxes',
    operationId: 'setTaxes',
    summary: 'Add tax rates',
    description:
      'All of them, or none. A rate holds from its day until the next one of its code, and is never changed. The day is today or later, since invoices were issued by what held before; a code that had no rate yet may begin earlier. What is there already is left as it is: sent twice, nothing more happens.',
    access: { permission: 'plans.manage' },
    body: v.setTaxesBody,
    response: v.taxes,
    audit: 'plans.taxes_update',
    errors: ['conflict', 'tenant_mismatch'],
    handler: taxes.setTaxes,
  }),
];
