import * as billing from '../controllers/tenant-billing.controller.ts';
import { pageOf } from '../utils/page.ts';
import { invoiceListItem } from '../validators/invoices.validator.ts';
import { payment } from '../validators/payments.validator.ts';
import * as v from '../validators/tenant-billing.validator.ts';
import { tenantId } from '../validators/tenants.validator.ts';
import { endpoint } from './endpoint.ts';

/** What a tenant was billed and has paid, below /tenants. Open to a suspended tenant too. */
export const tenantBillingEndpoints = [
  endpoint({
    method: 'get',
    path: '/:id/invoices',
    operationId: 'listTenantInvoices',
    summary: 'List the invoices of a tenant',
    description: 'With the filters of all invoices. Users of a tenant get their own, and those that were issued.',
    access: { permission: 'revenue.read', tenant: 'own' },
    params: tenantId,
    query: v.invoicesOfTenantQuery,
    response: pageOf(invoiceListItem),
    handler: billing.listInvoices,
  }),
  endpoint({
    method: 'get',
    path: '/:id/payments',
    operationId: 'listTenantPayments',
    summary: 'List the payments of a tenant',
    description: 'What came, and attempts at it, the newest first, each with the invoices that it has paid.',
    access: { permission: 'payments.read', tenant: 'own' },
    params: tenantId,
    query: v.paymentsOfTenantQuery,
    response: pageOf(payment),
    handler: billing.listPayments,
  }),
];
