import { takeGatewayWebhook } from '../controllers/payment-webhooks.controller.ts';
import * as v from '../validators/payment-webhooks.validator.ts';
import { endpoint, type Module } from './endpoint.ts';

/** What payment gateways tell. */
export const paymentsModule: Module = {
  tag: 'Payments',
  description: 'What payment gateways tell of payments',
  prefix: '/payments',
  endpoints: [
    endpoint({
      method: 'post',
      path: '/webhooks/:provider',
      operationId: 'takeGatewayWebhook',
      summary: 'Take what a payment gateway tells',
      description:
        'Kept as it comes, then worked on. The same event is worked on once however often it is delivered, as the header x-razorpay-event-id names it; the order does not matter.',
      access: 'public',
      signed: {
        header: 'x-razorpay-signature',
        description: 'HMAC-SHA-256 over the bytes of the body with the secret of the webhook, hex',
      },
      params: v.provider,
      response: v.webhookTaken,
      audit: { none: 'the event itself is kept, and what comes of it is audited' },
      rateLimit: { points: 6000, seconds: 60 },
      handler: takeGatewayWebhook,
    }),
  ],
};
