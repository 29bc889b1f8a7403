import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { declineOf } from '../../src/providers/payment-gateway-declines.ts';
import { razorpayGateway } from '../../src/providers/payment-gateway-razorpay.provider.ts';
import { GatewayRefused, GatewayUnavailable, GatewayUnknown } from '../../src/providers/payment-gateway.provider.ts';
import * as samples from '../support/razorpay-samples.ts';
import { key, razorpayForTests, refusal, type Told } from '../support/razorpay-server.ts';

describe('The adapter of Razorpay', () => {
  const razorpay = razorpayForTests();
  const { chargeOfSamples: charge, refundOfSamples: refund, chargePath, refundPath, refundsPath } = samples;

  describe('tells a no from a perhaps', () => {
    const noSuchThing = { status: 400, json: refusal('The id provided does not exist') };

    it.each<[string, Told, new (...all: never[]) => Error]>([
      ['400', noSuchThing, GatewayRefused],
      ['404', { status: 404, json: refusal('The requested URL was not found on the server.') }, GatewayRefused],
      ['a wrong key', { status: 401, json: refusal('The api key provided is invalid') }, GatewayUnavailable],
      ['403', { status: 403, text: '<h1>Forbidden</h1>' }, GatewayUnavailable],
      ['too many requests', { status: 429, json: refusal('Request failed') }, GatewayUnavailable],
      ['500', { status: 500, json: refusal('Server error', { code: 'SERVER_ERROR' }) }, GatewayUnavailable],
      ['the page of a proxy', { status: 502, text: '<h1>Bad gateway</h1>' }, GatewayUnavailable],
      ['no answer', 'lost', GatewayUnavailable],
      ['an answer of another shape', { json: { id: 'pay_1' } }, GatewayUnavailable],
      ['an answer that is no JSON', { text: 'fine' }, GatewayUnavailable],
      ['rupees of another country', { json: { ...samples.paymentSample, currency: 'SGD' } }, GatewayUnavailable],
    ])('where nothing moves: %s', async (_, told, error) => {
      const { gateway } = await razorpay({ 'GET /payments/pay_1': told });
      await expect(gateway.fetchPayment('pay_1')).rejects.toThrow(error);
    });

    it.each<[string, Told, new (...all: never[]) => Error]>([
      ['400', noSuchThing, GatewayRefused],
      ['a wrong key', { status: 401, json: refusal('The api key provided is invalid') }, GatewayUnavailable],
      ['too many requests', { status: 429, json: refusal('Request failed') }, GatewayUnavailable],
      ['500', { status: 500, json: refusal('Server error', { code: 'SERVER_ERROR' }) }, GatewayUnknown],
      ['503', { status: 503, text: '' }, GatewayUnknown],
      ['the page of a proxy', { status: 504, text: '<h1>Gateway time-out</h1>' }, GatewayUnknown],
      ['no answer', 'lost', GatewayUnknown],
      ['an answer that is no JSON', { text: 'fine' }, GatewayUnknown],
      ['an answer without a payment', { json: {} }, GatewayUnknown],
      ['another address', { status: 307, headers: { location: 'https://elsewhere.invalid/' } }, GatewayUnknown],
    ])('of a charge: %s', async (_, told, error) => {
      const { gateway, asked } = await razorpay({ [chargePath]: told });
      await expect(gateway.charge(charge)).rejects.toThrow(error);
      // Nothing is ever sent a second time.
      expect(asked).toHaveLength(1);
    });

    it('knows no more when the answer takes too long', async () => {
      const { gateway } = await razorpay({ [chargePath]: 'never', 'GET /payments/pay_1': 'never' }, 100);
      await expect(gateway.charge(charge)).rejects.toThrow(/did not answer|no answer came/);
      await expect(gateway.charge(charge)).rejects.toThrow(GatewayUnknown);
      await expect(gateway.fetchPayment('pay_1')).rejects.toThrow(GatewayUnavailable);
    });

    it('may try again what never left', async () => {
      const free = createServer();
      await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve));
      const { port } = free.address() as AddressInfo;
      await new Promise((resolve) => free.close(resolve));
      for (const apiUrl of [`http://127.0.0.1:${port}`, 'https://razorpay.invalid']) {
        const gateway = razorpayGateway({ apiUrl, ...key });
        await expect(gateway.charge(charge)).rejects.toThrow(GatewayUnavailable);
      }
    });

    it.each([
      ['400', 400, 'BAD_REQUEST_ERROR'],
      ['502', 502, 'GATEWAY_ERROR'],
    ])('reads the payment that a decline names: %s', async (_, status, code) => {
      const { id } = samples.failedPaymentSample;
      const error = { code, reason: 'insufficient_funds', metadata: { payment_id: id, order_id: charge.orderId } };
      const { gateway } = await razorpay({
        [chargePath]: { status, json: refusal('Transaction failed due to insufficient funds.', error) },
        [`GET /payments/${id}`]: { json: samples.failedPaymentSample },
      });
      expect(await gateway.charge(charge)).toMatchObject({ id, status: 'FAILED', failure: { decline: 'SOFT' } });
    });

    it('takes the payment of another order for none of its own', async () => {
      const error = { reason: 'order_already_paid', metadata: { payment_id: 'pay_other' } };
      const { gateway } = await razorpay({
        [chargePath]: { status: 400, json: refusal('Already paid', error) },
        'GET /payments/pay_other': { json: { ...samples.paymentSample, order_id: 'order_other' } },
      });
      await expect(gateway.charge(charge)).rejects.toThrow(GatewayRefused);
    });

    it('tells the reason of a decline that names no payment', async () => {
      const { gateway } = await razorpay({
        [chargePath]: { status: 400, json: refusal('The card has expired', { reason: 'card_expired' }) },
      });
      const refused = await gateway.charge(charge).catch((error: unknown) => error as GatewayRefused);
      expect(refused).toMatchObject({ failure: { reason: 'card_expired', decline: 'HARD' }, paymentId: undefined });
    });

    it('names the payment that was begun and cannot be read', async () => {
      const { gateway } = await razorpay({
        [chargePath]: { json: { razorpay_payment_id: 'pay_begun' } },
        'GET /payments/pay_begun': { status: 500, json: {} },
      });
      const unknown = await gateway.charge(charge).catch((error: unknown) => error as GatewayUnknown);
      expect(unknown).toBeInstanceOf(GatewayUnknown);
      expect(unknown).toMatchObject({ paymentId: 'pay_begun' });
    });

    it('knows that a refund is under way', async () => {
      const inProgress = refusal('Another request with the same idempotency key is still in progress.');
      const different = refusal('Different request with the same idempotency key has already been processed.');
      for (const [json, error] of [
        [inProgress, GatewayUnknown],
        [different, GatewayRefused],
      ] as const) {
        const { gateway } = await razorpay({
          [refundsPath]: { json: samples.collection() },
          [refundPath]: { status: 409, json },
        });
        await expect(gateway.refund(refund)).rejects.toThrow(error);
      }
    });

    it('takes a payment that was captured before for captured', async () => {
      const { gateway } = await razorpay({
        'POST /payments/pay_1/capture': { status: 400, json: refusal('This payment has already been captured') },
        'GET /payments/pay_1': { json: samples.paymentSample },
      });
      expect(await gateway.capture('pay_1', 50_000)).toMatchObject({ status: 'CAPTURED' });
      await expect(gateway.capture('pay_1', 40_000)).rejects.toThrow(GatewayRefused);
    });

    it('says neither key nor payer in its errors', async () => {
      const { gateway } = await razorpay({ [chargePath]: noSuchThing }, 200);
      const lost = razorpayGateway({ apiUrl: 'https://razorpay.invalid', ...key });
      for (const call of [() => gateway.charge(charge), () => lost.charge(charge)]) {
        const error = await call().catch((thrown: unknown) => thrown);
        const { message, stack } = error as Error;
        expect(`${message} ${stack}`).not.toMatch(/key-secret|asha@|98765/);
      }
    });
  });

  it.each([
    'account_closed',
    'bank_account_invalid',
    'card_expired',
    'card_lost',
    'card_stolen',
    'invalid_card',
    'invalid_token',
    'mandate_cancelled',
    'payment_mandate_cancelled',
    'payment_mandate_revoked',
  ])('tries no more after %s', (reason) => expect(declineOf(reason)).toBe('HARD'));

  it.each([
    'a_reason_of_tomorrow',
    'bank_not_available',
    'gateway_technical_error',
    'insufficient_funds',
    'mandate_paused',
    'payment_mandate_not_active',
    'payment_timed_out',
    'transaction_limit_exceeded',
    'unknown',
  ])('tries again after %s', (reason) => expect(declineOf(reason)).toBe('SOFT'));
});
