import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { razorpayGateway } from '../../src/providers/payment-gateway-razorpay.provider.ts';
import { sandboxGateway } from '../../src/providers/payment-gateway-sandbox.provider.ts';
import { GatewayRefused } from '../../src/providers/payment-gateway.provider.ts';
import * as samples from '../support/razorpay-samples.ts';
import { key, razorpayForTests, startServerOver } from '../support/razorpay-server.ts';
import { paymentGatewayContract } from './payment-gateway-contract.ts';

const root = mkdtempSync(path.join(tmpdir(), 'studyspot-razorpay-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

paymentGatewayContract('The adapter of Razorpay', async () => {
  let time = new Date('2026-11-26T06:00:00Z');
  const sandbox = sandboxGateway(root, 'secret', () => time);
  const server = await startServerOver(sandbox.transport);
  return {
    gateway: razorpayGateway({ apiUrl: server.apiUrl, ...key }),
    sandbox,
    setTime: (iso) => void (time = new Date(iso)),
    close: server.close,
  };
});

describe('The adapter of Razorpay', () => {
  const razorpay = razorpayForTests();
  const { chargeOfSamples: charge, refundOfSamples: refund, chargePath, refundPath, refundsPath } = samples;
  const order = { amountPaise: 50_000, currency: 'INR', receipt: 'invoice-1', notes: {} } as const;

  describe('asks as it is documented', () => {
    it('for a customer', async () => {
      const { gateway, asked } = await razorpay({ 'POST /customers': { json: samples.customerSample } });
      const customer = { name: 'Gyan – "Library" & Co.', email: 'asha@library.example', reference: 'tenant-1' };
      expect(await gateway.createCustomer({ ...customer, phone: '+919876543210' })).toEqual({
        id: samples.customerSample.id,
      });
      await gateway.createCustomer({ ...customer, name: 'ज्ञान पुस्तकालय' });
      expect(asked.map(({ body }) => body)).toEqual([
        {
          name: 'Gyan Library Co.',
          email: 'asha@library.example',
          contact: '+919876543210',
          fail_existing: '0',
          notes: { reference: 'tenant-1' },
        },
        expect.objectContaining({ name: 'tenant-1' }),
      ]);
      expect(asked[0]).toMatchObject({
        url: '/v1/customers',
        headers: {
          authorization: `Basic ${Buffer.from('rzp_test_key:key-secret').toString('base64')}`,
          'content-type': 'application/json',
        },
      });
    });

    it('for a mandate', async () => {
      const { gateway, asked } = await razorpay({
        'GET /orders': { json: samples.collection() },
        'POST /orders': { json: { ...samples.orderSample, amount: 100, receipt: 'mandate-1' } },
      });
      const mandate = {
        customerId: 'cust_1',
        method: 'UPI',
        maxAmountPaise: 1_500_000,
        expiresAt: new Date('2029-01-31T00:00:00Z'),
        reference: 'mandate-1',
      } as const;
      expect(await gateway.createMandate(mandate)).toEqual({ orderId: samples.orderSample.id, keyId: 'rzp_test_key' });
      expect(asked[1]?.body).toEqual({
        amount: 100,
        currency: 'INR',
        receipt: 'mandate-1',
        payment_capture: true,
        customer_id: 'cust_1',
        method: 'upi',
        token: { max_amount: 1_500_000, expire_at: 1_864_512_000, frequency: 'as_presented' },
      });
    });

    it('for an order, after looking whether it is there', async () => {
      const { gateway, asked } = await razorpay({
        // It finds receipts that hold what is looked for, too.
        'GET /orders': { json: samples.collection({ ...samples.orderSample, receipt: 'invoice-12' }) },
        'POST /orders': { json: samples.orderSample },
      });
      expect(await gateway.createOrder({ ...order, notes: { tenant: 't' } })).toEqual({
        id: samples.orderSample.id,
        status: 'CREATED',
        amountPaise: 50_000,
        amountPaidPaise: 0,
        receipt: 'invoice-1',
      });
      expect(asked.map(({ method, url }) => `${method} ${url}`)).toEqual([
        'GET /v1/orders?receipt=invoice-1&count=100',
        'POST /v1/orders',
      ]);
      expect(asked[1]?.body).toMatchObject({ amount: 50_000, receipt: 'invoice-1', notes: { tenant: 't' } });
    });

    it('for the oldest order, where a crash has left several', async () => {
      const newer = { ...samples.orderSample, id: 'order_newer' };
      const { gateway, asked } = await razorpay({
        'GET /orders': { json: samples.collection(newer, samples.orderSample) },
      });
      expect((await gateway.createOrder(order)).id).toBe(samples.orderSample.id);
      expect(asked).toHaveLength(1);
    });

    it('for a charge, whose payment it reads then', async () => {
      const { gateway, asked } = await razorpay({
        [chargePath]: { json: { razorpay_payment_id: samples.paymentSample.id } },
        [`GET /payments/${samples.paymentSample.id}`]: { json: samples.createdPaymentSample },
      });
      expect(await gateway.charge(charge)).toMatchObject({
        id: samples.paymentSample.id,
        status: 'CREATED',
        feePaise: 0,
        failure: null,
      });
      expect(asked[0]?.body).toEqual({
        email: 'asha@library.example',
        contact: '+919876543210',
        amount: 50_000,
        currency: 'INR',
        order_id: samples.orderSample.id,
        customer_id: samples.customerSample.id,
        token: samples.cardTokenSample.id,
        recurring: true,
        description: 'Invoice SS/26-27/000001',
        notes: { receipt: 'invoice-1' },
      });
    });

    it('for a refund, under a key of its own, after looking whether it is there', async () => {
      const { gateway, asked } = await razorpay({
        [refundsPath]: { json: samples.collection({ ...samples.refundSample, id: 'rfnd_x', receipt: null }) },
        [refundPath]: { json: samples.refundSample },
        [`GET /refunds/${samples.refundSample.id}`]: { json: { ...samples.refundSample, status: 'processed' } },
      });
      expect(await gateway.refund(refund)).toEqual({
        id: samples.refundSample.id,
        paymentId: samples.paymentSample.id,
        amountPaise: 20_000,
        status: 'PENDING',
        receipt: 'refund-1',
        createdAt: new Date(1_764_140_400_000),
      });
      await gateway.refund(refund);
      const posted = asked.filter(({ method }) => method === 'POST');
      expect(posted[0]?.body).toEqual({ amount: 20_000, speed: 'normal', receipt: 'refund-1', notes: {} });
      const keys = posted.map(({ headers }) => headers['x-refund-idempotency']);
      expect(keys[0]).toMatch(/^[\w-]{10,}$/);
      expect(keys[1]).toBe(keys[0]);
      expect((await gateway.fetchRefund(samples.refundSample.id)).status).toBe('PROCESSED');
    });

    it('for no second refund where the first is there', async () => {
      const { gateway, asked } = await razorpay({ [refundsPath]: { json: samples.collection(samples.refundSample) } });
      expect((await gateway.refund(refund)).id).toBe(samples.refundSample.id);
      await expect(gateway.refund({ ...refund, amountPaise: 30_000 })).rejects.toThrow(GatewayRefused);
      expect(asked.every(({ method }) => method === 'GET')).toBe(true);
    });

    it('for a payment link, of which we tell the payer', async () => {
      const { gateway, asked } = await razorpay({
        'GET /payment_links': { json: { payment_links: [] } },
        'POST /payment_links': { json: samples.linkSample },
        [`GET /payment_links/${samples.linkSample.id}`]: { json: samples.paidLinkSample },
        [`GET /payments/${samples.paymentSample.id}`]: { json: samples.paymentSample },
      });
      const expiresAt = new Date(1_765_346_400_000);
      const link = await gateway.createPaymentLink({
        amountPaise: 50_000,
        description: 'Invoice SS/26-27/000001',
        customer: { name: 'Asha Menon', email: 'asha@library.example' },
        reference: 'invoice-1',
        expiresAt,
        notes: { invoice: 'x' },
        callbackUrl: 'https://portal.studyspot.example/paid',
      });
      expect(link).toMatchObject({ id: samples.linkSample.id, url: 'https://rzp.io/i/nxrHnLJ', expiresAt });
      expect(asked[0]?.url).toBe('/v1/payment_links?reference_id=invoice-1');
      expect(asked[1]?.body).toEqual({
        amount: 50_000,
        currency: 'INR',
        accept_partial: false,
        description: 'Invoice SS/26-27/000001',
        reference_id: 'invoice-1',
        customer: { name: 'Asha Menon', email: 'asha@library.example' },
        expire_by: 1_765_346_400,
        notify: { sms: false, email: false },
        reminder_enable: false,
        notes: { invoice: 'x' },
        callback_url: 'https://portal.studyspot.example/paid',
        callback_method: 'get',
      });
      expect(await gateway.fetchPaymentLink(link.id)).toMatchObject({
        status: 'PAID',
        amountPaidPaise: 50_000,
        payments: [{ id: samples.paymentSample.id, status: 'CAPTURED' }],
      });
    });

    it('for the end of a mandate, at the bank where it is one of UPI', async () => {
      const { gateway, asked } = await razorpay({
        'GET /customers/c/tokens/card': { json: samples.cardTokenSample },
        'DELETE /customers/c/tokens/card': { json: { deleted: true } },
        'GET /customers/c/tokens/upi': { json: samples.upiTokenSample },
        'PUT /customers/c/tokens/upi/cancel': { json: { status: 'cancellation_initiated' } },
      });
      await gateway.deleteToken('c', 'card');
      await gateway.deleteToken('c', 'upi');
      expect(asked.map(({ method }) => method)).toEqual(['GET', 'DELETE', 'GET', 'PUT']);
    });
  });

  describe('reads what is documented', () => {
    const readPayment = async (json: unknown) => {
      const { gateway } = await razorpay({ 'GET /payments/pay_1': { json } });
      return gateway.fetchPayment('pay_1');
    };

    it('of a payment by card', async () => {
      const payment = await readPayment(samples.paymentSample);
      expect(payment).toMatchObject({
        id: samples.paymentSample.id,
        orderId: samples.orderSample.id,
        status: 'CAPTURED',
        amountPaise: 50_000,
        feePaise: 1_180,
        taxPaise: 180,
        method: 'CARD',
        tokenId: samples.cardTokenSample.id,
        customerId: samples.customerSample.id,
        failure: null,
        createdAt: new Date(1_764_136_860_000),
      });
      expect(payment.raw).toMatchObject({
        card: { last4: '2002', network: 'Visa', type: 'credit', issuer: 'CITI' },
        acquirer_data: { rrn: '322206890934' },
      });
      expect(JSON.stringify(payment.raw)).not.toMatch(/asha|98765|999999/i);
    });

    it.each([
      ['upi', samples.upiPaymentSample, { method: 'UPI' }],
      ['netbanking', { ...samples.paymentSample, method: 'netbanking', bank: 'ICIC' }, { method: 'NETBANKING' }],
      ['nach', { ...samples.paymentSample, method: 'nach' }, { method: 'EMANDATE' }],
      ['paylater', { ...samples.paymentSample, method: 'paylater' }, { method: 'OTHER' }],
      ['no token', { ...samples.paymentSample, token_id: undefined }, { tokenId: null }],
      ['empty texts', samples.emptyTextsPaymentSample, { status: 'AUTHORIZED', failure: null }],
      [
        'a part that went back',
        { ...samples.paymentSample, amount_refunded: 19_000, refund_status: 'partial' },
        { status: 'CAPTURED', amountRefundedPaise: 19_000 },
      ],
      [
        'all that went back',
        { ...samples.paymentSample, status: 'refunded', amount_refunded: 50_000 },
        { status: 'REFUNDED' },
      ],
      [
        'what nobody decides by',
        { ...samples.paymentSample, acquirer_data: 'x', card: [], notes: 7 },
        { status: 'CAPTURED' },
      ],
    ])('of a payment with %s', async (_, json, expected) => {
      const payment = await readPayment(json);
      expect(payment).toMatchObject(expected);
      expect(JSON.stringify(payment.raw)).not.toMatch(/asha|98765/i);
    });

    it('of one that failed', async () => {
      expect(await readPayment(samples.failedPaymentSample)).toMatchObject({
        status: 'FAILED',
        feePaise: 0,
        failure: {
          code: 'BAD_REQUEST_ERROR',
          reason: 'insufficient_funds',
          description: 'Transaction failed due to insufficient funds.',
          decline: 'SOFT',
        },
      });
      const unnamed = { ...samples.failedPaymentSample, error_reason: 'NA', error_code: null };
      expect((await readPayment(unnamed)).failure).toMatchObject({
        code: 'unknown',
        reason: 'unknown',
        decline: 'SOFT',
      });
    });

    it('of every payment of an order', async () => {
      const { gateway } = await razorpay({
        'GET /orders/order_1/payments': {
          json: samples.collection(samples.failedPaymentSample, samples.upiPaymentSample),
        },
      });
      expect(await gateway.paymentsOfOrder('order_1')).toMatchObject([{ status: 'FAILED' }, { status: 'CAPTURED' }]);
    });

    it('of tokens', async () => {
      const { gateway } = await razorpay({
        'GET /customers/c/tokens/card': { json: samples.cardTokenSample },
        'GET /customers/c/tokens/upi': { json: samples.upiTokenSample },
        'GET /customers/c/tokens/bare': { json: { id: 'token_1', entity: 'token', method: 'card' } },
      });
      expect(await gateway.fetchToken('c', 'card')).toEqual({
        id: 'token_1Aa00000000005',
        method: 'CARD',
        brand: 'CITI',
        network: 'Visa',
        last4: '2002',
        expiryMonth: 1,
        expiryYear: 2029,
        vpa: null,
        mandate: {
          status: 'ACTIVE',
          maxAmountPaise: 1_500_000,
          expiresAt: new Date(1_869_676_199_000),
          failureReason: null,
        },
      });
      expect(await gateway.fetchToken('c', 'upi')).toMatchObject({
        method: 'UPI',
        last4: null,
        vpa: 'ash***@upi',
        mandate: { status: 'PAUSED', maxAmountPaise: null, expiresAt: null },
      });
      expect((await gateway.fetchToken('c', 'bare')).mandate.status).toBe('INITIATED');
    });
  });
});
