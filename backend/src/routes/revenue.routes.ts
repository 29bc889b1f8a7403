import type { Module } from './endpoint.ts';
import { revenueAddOnsEndpoints } from './revenue-add-ons.routes.ts';
import { revenueBooksEndpoints } from './revenue-books.routes.ts';
import { revenueCouponsEndpoints } from './revenue-coupons.routes.ts';
import { revenueCreditNotesEndpoints } from './revenue-credit-notes.routes.ts';
import { revenueDunningEndpoints } from './revenue-dunning.routes.ts';
import { revenueInvoicePaymentsEndpoints } from './revenue-invoice-payments.routes.ts';
import { revenueInvoicesEndpoints } from './revenue-invoices.routes.ts';
import { revenueMetricsEndpoints } from './revenue-metrics.routes.ts';
import { revenuePaymentMethodsEndpoints } from './revenue-payment-methods.routes.ts';
import { revenuePlansEndpoints } from './revenue-plans.routes.ts';
import { revenueReportsEndpoints } from './revenue-reports.routes.ts';
import { revenueTaxesEndpoints } from './revenue-taxes.routes.ts';

/** What is sold, billed, collected and earned; each part in a file of its own. */
export const revenueModule: Module = {
  tag: 'Revenue',
  description: 'Plans, invoices, credit notes, payment methods, dunning, tax and the figures of the business',
  prefix: '/revenue',
  endpoints: [
    ...revenueMetricsEndpoints,
    ...revenuePlansEndpoints,
    ...revenueAddOnsEndpoints,
    ...revenueCouponsEndpoints,
    ...revenueTaxesEndpoints,
    ...revenueInvoicesEndpoints,
    ...revenueInvoicePaymentsEndpoints,
    ...revenueCreditNotesEndpoints,
    ...revenuePaymentMethodsEndpoints,
    ...revenueDunningEndpoints,
    ...revenueReportsEndpoints,
    ...revenueBooksEndpoints,
  ],
};
