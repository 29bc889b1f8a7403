import * as methods from '../controllers/payment-methods.controller.ts';
import { pageOf } from '../utils/page.ts';
import * as v from '../validators/payment-methods.validator.ts';
import { endpoint, type Endpoint } from './endpoint.ts';

export const revenuePaymentMethodsEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'get',
    path: '/payment-methods',
    operationId: 'listPaymentMethods',
    summary: 'List payment methods',
    description:
      'What tenants have allowed us to charge, as they recognise it. Users of a tenant see their own. Open to a suspended tenant too.',
    access: { permission: 'revenue.read', tenant: 'own' },
    query: v.listPaymentMethodsQuery,
    response: pageOf(v.paymentMethod),
    handler: methods.listPaymentMethods,
  }),
  endpoint({
    method: 'post',
    path: '/payment-methods',
    operationId: 'createPaymentMethod',
    summary: 'Begin to add a payment method',
    description:
      'Has the payment gateway begin a mandate, and answers what the browser of the payer needs to agree to it. The payment method is PENDING until the gateway says so, which takes seconds; the first that is ACTIVE becomes the default. Sent twice without an Idempotency-Key it begins two, and nothing is charged for the one that nobody agrees to.',
    access: { permission: 'revenue.pay', tenant: 'own' },
    body: v.createPaymentMethodBody,
    response: v.createdPaymentMethod,
    status: 201,
    audit: 'revenue.payment_method_create',
    transaction: 'manual',
    rateLimit: { points: 60, seconds: 3600 },
    handler: methods.createPaymentMethod,
  }),
  endpoint({
    method: 'put',
    path: '/payment-methods/:id',
    operationId: 'updatePaymentMethod',
    summary: 'Make a payment method the default',
    description: 'What is due is charged to it from now on, but for subscriptions that name another.',
    access: { permission: 'revenue.pay', tenant: 'own' },
    params: v.paymentMethodId,
    body: v.updatePaymentMethodBody,
    response: v.paymentMethod,
    audit: 'revenue.payment_method_update',
    ifMatch: true,
    errors: ['invalid_transition'],
    handler: methods.updatePaymentMethod,
  }),
  endpoint({
    method: 'delete',
    path: '/payment-methods/:id',
    operationId: 'removePaymentMethod',
    summary: 'Remove a payment method',
    description:
      'It is not charged from this moment on; the mandate ends at the gateway and at the bank within minutes. Another one that is ACTIVE becomes the default. Refused while a subscription that is charged by itself owes money and has nothing else to be charged to.',
    access: { permission: 'revenue.pay', tenant: 'own' },
    params: v.paymentMethodId,
    response: v.paymentMethod,
    audit: 'revenue.payment_method_delete',
    errors: ['invalid_transition'],
    handler: methods.removePaymentMethod,
  }),
];
