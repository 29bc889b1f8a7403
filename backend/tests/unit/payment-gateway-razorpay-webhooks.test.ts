import { describe, expect, it } from 'vitest';
import { razorpayGateway } from '../../src/providers/payment-gateway-razorpay.provider.ts';
import { GatewayRefused } from '../../src/providers/payment-gateway.provider.ts';
import * as samples from '../support/razorpay-samples.ts';
import { key } from '../support/razorpay-server.ts';

describe('The adapter of Razorpay', () => {
  describe('reads webhooks', () => {
    const gateway = razorpayGateway({ apiUrl: 'https://razorpay.invalid', ...key });
    const parse = (body: unknown) => gateway.parseWebhook(Buffer.from(JSON.stringify(body)), 'evt_1');

    it.each([
      ['payment.captured', { payment: samples.paymentSample }, { payment: { status: 'CAPTURED', feePaise: 1_180 } }],
      ['payment.failed', { payment: samples.failedPaymentSample }, { payment: { failure: { decline: 'SOFT' } } }],
      [
        'order.paid',
        { payment: samples.upiPaymentSample, order: { ...samples.orderSample, status: 'paid', amount_paid: 50_000 } },
        { order: { id: samples.orderSample.id, status: 'PAID', amountPaidPaise: 50_000 }, payment: { method: 'UPI' } },
      ],
      [
        'refund.failed',
        { refund: { ...samples.refundSample, status: 'failed' }, payment: samples.paymentSample },
        { refund: { status: 'FAILED', receipt: 'refund-1' } },
      ],
      [
        'payment_link.paid',
        { payment_link: samples.paidLinkSample, order: samples.linkOrderSample, payment: samples.paymentSample },
        { paymentLink: { status: 'PAID', reference: 'invoice-1' }, order: { id: samples.orderSample.id } },
      ],
      ['token.confirmed', { token: samples.cardTokenSample }, { token: { mandate: { status: 'ACTIVE' } } }],
      [
        'token.cancelled',
        { token: { ...samples.upiTokenSample, recurring_details: { status: 'cancelled', failure_reason: null } } },
        { token: { vpa: 'ash***@upi', mandate: { status: 'CANCELLED' } } },
      ],
      ['subscription.charged', { subscription: { id: 'sub_1' } }, { type: 'subscription.charged' }],
    ])('of %s', (event, payload, expected) => {
      const read = parse(samples.eventSample(event, payload));
      expect(read).toMatchObject({ id: 'evt_1', type: event, createdAt: new Date(1_764_136_865_000), ...expected });
      expect(JSON.stringify(read)).not.toMatch(/asha|98765/i);
    });

    it('of a notice to the payer, whose time stands elsewhere', () => {
      const notice = samples.eventSample('order.notification.delivered', {}, { created_at: undefined });
      const body = { ...notice, payload: { notification: { entity: { id: 'n' } }, created_at: 1_764_136_800 } };
      expect(parse(body)).toEqual({
        id: 'evt_1',
        type: 'order.notification.delivered',
        createdAt: new Date(1_764_136_800_000),
      });
      expect(parse({ event: 'x', payload: {} }).createdAt).toBeNull();
    });

    it.each([
      ['no JSON', 'payment.captured'],
      ['no event', JSON.stringify({ payload: {} })],
      [
        'a payment without an amount',
        JSON.stringify(samples.eventSample('payment.captured', { payment: { id: 'pay_1' } })),
      ],
      ['a list', '[]'],
    ])('and refuses %s', (_, text) => {
      expect(() => gateway.parseWebhook(Buffer.from(text), 'evt_1')).toThrow(GatewayRefused);
    });
  });
});
