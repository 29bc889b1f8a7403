import * as payments from '../controllers/test-payments.controller.ts';
import * as test from '../controllers/test.controller.ts';
import { paidInvoiceId as id } from '../validators/invoice-payments.validator.ts';
import * as v from '../validators/test.validator.ts';
import { endpoint, type Module } from './endpoint.ts';

/** To play time, and what payers do. It is not there in production. */
export const testModule: Module = {
  tag: 'Test',
  description: 'The clock of the application and payers of the sandbox, outside production',
  prefix: '/test',
  endpoints: [
    endpoint({
      method: 'get',
      path: '/clock',
      operationId: 'getClock',
      summary: 'What time the application takes it to be',
      description: 'The same for every process of the database, within a second.',
      access: { role: 'super_admin' },
      response: v.clock,
      handler: test.getClock,
    }),
    endpoint({
      method: 'post',
      path: '/clock/advance',
      operationId: 'advanceClock',
      summary: 'Set the clock ahead',
      description:
        'Renewals, collection and dunning that are due by then are handed to their queues. It never goes back.',
      access: { role: 'super_admin' },
      body: v.advanceClockBody,
      response: v.clock,
      audit: 'test.clock',
      transaction: 'manual',
      idempotency: 'none',
      handler: test.advanceClock,
    }),
    endpoint({
      method: 'post',
      path: '/payment-methods/:id/complete',
      operationId: 'completePaymentMethod',
      summary: 'Agree to a mandate at the sandbox, or say no',
      description:
        'As the payer does on the page of the gateway. Its webhooks are taken at once, and worked on by jobs.',
      access: { role: 'super_admin' },
      params: id,
      body: v.completeMandateBody,
      response: v.played,
      audit: { none: 'what comes of it is audited' },
      transaction: 'manual',
      idempotency: 'none',
      handler: payments.completeMandate,
    }),
    endpoint({
      method: 'post',
      path: '/payment-links/:id/pay',
      operationId: 'payPaymentLink',
      summary: 'Pay by a payment link of the sandbox',
      description: 'As whoever follows the link does. Its webhooks are taken at once, and worked on by jobs.',
      access: { role: 'super_admin' },
      params: id,
      body: v.payLinkBody,
      response: v.played,
      audit: { none: 'what comes of it is audited' },
      transaction: 'manual',
      idempotency: 'none',
      handler: payments.payLink,
    }),
  ],
};
