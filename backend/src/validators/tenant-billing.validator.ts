import { listInvoicesQuery } from './invoices.validator.ts';
import { listPaymentsQuery } from './payments.validator.ts';

export const invoicesOfTenantQuery = listInvoicesQuery.omit({ tenantId: true });
export const paymentsOfTenantQuery = listPaymentsQuery;
