import * as payments from '../controllers/invoice-payments.controller.ts';
import * as v from '../validators/invoice-payments.validator.ts';
import { endpoint, type Endpoint } from './endpoint.ts';

export const revenueInvoicePaymentsEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'post',
    path: '/invoices/:id/payments',
    operationId: 'recordInvoicePayment',
    summary: 'Note down a payment that came otherwise',
    description:
      'By bank transfer, cheque, cash or UPI. Less than is due leaves the invoice open with the rest; what is more pays the invoices of `alsoSettle`, and what is left then goes to the credit balance of the tenant, as the answer tells. Sent again under the same Idempotency-Key it gives the first answer again; under another one the reference is refused, which is taken once.',
    access: { permission: 'revenue.invoices' },
    params: v.paidInvoiceId,
    body: v.offlinePaymentBody,
    response: v.offlinePaymentResult,
    status: 201,
    audit: 'revenue.payment_record',
    idempotency: 'required',
    errors: ['invalid_transition'],
    handler: payments.recordPayment,
  }),
  endpoint({
    method: 'post',
    path: '/invoices/:id/collect',
    operationId: 'collectInvoice',
    summary: 'Charge an invoice to a payment method',
    description:
      'All that is due of it, now. An invoice has one charge at a time. Where the gateway does not say what came of it the payment is UNKNOWN: it is asked again until it does, and nothing is charged meanwhile. Sent again under the same Idempotency-Key it gives the first answer again; a charge that was declined is no answer, and is tried again. Open to a suspended tenant too.',
    access: { permission: 'revenue.pay', tenant: 'own' },
    params: v.paidInvoiceId,
    body: v.collectBody,
    response: v.collectResult,
    audit: 'revenue.invoice_collect',
    transaction: 'manual',
    idempotency: 'required',
    errors: ['payment_failed'],
    handler: payments.collectInvoice,
  }),
  endpoint({
    method: 'post',
    path: '/invoices/:id/payment-link',
    operationId: 'createPaymentLink',
    summary: 'Get a page on which an invoice can be paid',
    description:
      'Of the payment gateway, for all that is due, for a week. As long as it is valid and the amount is the same it is answered again, whoever asks; one over another amount is cancelled. Open to a suspended tenant too.',
    access: { permission: 'revenue.pay', tenant: 'own' },
    params: v.paidInvoiceId,
    response: v.paymentLink,
    audit: 'revenue.payment_link',
    transaction: 'manual',
    idempotency: 'required',
    errors: ['invalid_transition'],
    handler: payments.makePaymentLink,
  }),
];
