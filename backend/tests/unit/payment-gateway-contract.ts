import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SandboxGateway, SandboxOutcome } from '../../src/providers/payment-gateway-sandbox.provider.ts';
import {
  GatewayRefused,
  GatewayUnknown,
  type GatewayEvent,
  type GatewayPayment,
  type PaymentGateway,
} from '../../src/providers/payment-gateway.provider.ts';

export type GatewayFixture = {
  gateway: PaymentGateway;
  /** What payers and banks do at the other end. */
  sandbox: SandboxGateway;
  setTime(iso: string): void;
  close(): Promise<void>;
};

const newReceipt = (): string => randomUUID();
const payer = { email: 'asha@library.example', phone: '+919876543210' };

/** What every gateway does, whatever carries the requests. */
export function paymentGatewayContract(name: string, open: () => Promise<GatewayFixture>): void {
  describe(`${name}:`, () => {
    let fixture: GatewayFixture;
    let gateway: PaymentGateway;
    let sandbox: SandboxGateway;
    beforeAll(async () => {
      fixture = await open();
      ({ gateway, sandbox } = fixture);
    });
    afterAll(() => fixture.close());

    const newOrder = (amountPaise = 100_000, receipt = newReceipt()) =>
      gateway.createOrder({ amountPaise, currency: 'INR', receipt, notes: { invoice: 'SS/26-27/000001' } });
    const newCustomer = async () =>
      (await gateway.createCustomer({ name: 'Gyan Library', ...payer, reference: newReceipt() })).id;
    const charge = (orderId: string, tokenId: string, amountPaise = 100_000, customerId = 'cust_any') =>
      gateway.charge({
        orderId,
        amountPaise,
        customerId,
        tokenId,
        ...payer,
        description: 'Rent',
        receipt: newReceipt(),
      });
    const chargeWith = async (outcome: SandboxOutcome, amountPaise = 100_000): Promise<GatewayPayment> =>
      charge((await newOrder(amountPaise)).id, `token_${outcome}`, amountPaise);
    const events = (): GatewayEvent[] =>
      sandbox.takeWebhooks(10_000).map(({ body, eventId }) => gateway.parseWebhook(body, eventId));
    const typesOf = (paymentId: string): string[] =>
      events().flatMap(({ type, payment }) => (payment?.id === paymentId ? [type] : []));

    describe('customers and mandates', () => {
      it('knows a customer again', async () => {
        const customer = { name: 'Gyan Library', ...payer, reference: newReceipt() };
        const first = await gateway.createCustomer(customer);
        expect(await gateway.createCustomer(customer)).toEqual(first);
        expect(await gateway.createCustomer({ ...customer, reference: newReceipt() })).not.toEqual(first);
      });

      it.each(['CARD', 'UPI'] as const)('gets a token that pays from a mandate of %s', async (method) => {
        const customerId = await newCustomer();
        const reference = newReceipt();
        const expiresAt = new Date('2029-01-31T00:00:00Z');
        const mandate = { customerId, method, maxAmountPaise: 1_500_000, expiresAt, reference };
        const { orderId } = await gateway.createMandate(mandate);
        expect((await gateway.createMandate(mandate)).orderId).toBe(orderId);
        expect(await gateway.paymentsOfOrder(orderId)).toEqual([]);
        const { tokenId } = await sandbox.completeMandate(orderId);
        expect(await gateway.paymentsOfOrder(orderId)).toMatchObject([
          { status: 'CAPTURED', amountPaise: 100, method, customerId, tokenId },
        ]);
        expect(await gateway.fetchToken(customerId, tokenId)).toMatchObject({
          id: tokenId,
          method,
          mandate: { status: 'ACTIVE', maxAmountPaise: 1_500_000, expiresAt, failureReason: null },
          ...(method === 'CARD'
            ? { brand: 'HDFC', network: 'Visa', last4: '1111', expiryMonth: 12, vpa: null }
            : { brand: null, last4: null, expiryYear: null, vpa: 'ash***@upi' }),
        });
        expect(events()).toContainEqual(
          expect.objectContaining({ type: 'token.confirmed', token: expect.objectContaining({ id: tokenId }) }),
        );
        const order = await newOrder();
        expect(await charge(order.id, tokenId, 100_000, customerId)).toMatchObject({
          status: 'CAPTURED',
          tokenId,
          method,
        });
        const large = await newOrder(1_500_100);
        await expect(charge(large.id, tokenId, 1_500_100, customerId)).rejects.toThrow(/exceeds maximum/);
        await expect(charge((await newOrder()).id, tokenId)).rejects.toThrow(GatewayRefused);
      });

      it('gets none where the payer says no', async () => {
        const customerId = await newCustomer();
        const expiresAt = new Date('2029-01-31T00:00:00Z');
        const wanted = {
          customerId,
          method: 'UPI',
          maxAmountPaise: 50_000,
          expiresAt,
          reference: newReceipt(),
        } as const;
        const { orderId } = await gateway.createMandate(wanted);
        const { tokenId } = await sandbox.completeMandate(orderId, 'rejected');
        expect((await gateway.fetchToken(customerId, tokenId)).mandate).toMatchObject({
          status: 'REJECTED',
          failureReason: 'The payer said no',
        });
        expect(await gateway.paymentsOfOrder(orderId)).toMatchObject([
          { status: 'FAILED', failure: { reason: 'mandate_creation_declined', decline: 'SOFT' } },
        ]);
      });

      it('follows what the payer does with the mandate in the app of the bank', async () => {
        const customerId = await newCustomer();
        const tokenId = sandbox.addToken({ customerId, method: 'UPI', outcome: 'success' });
        for (const [status, decline] of [
          ['PAUSED', 'SOFT'],
          ['CANCELLED', 'HARD'],
        ] as const) {
          await sandbox.changeMandate(tokenId, status);
          expect((await gateway.fetchToken(customerId, tokenId)).mandate.status).toBe(status);
          expect(await charge((await newOrder()).id, tokenId, 100_000, customerId)).toMatchObject({
            status: 'FAILED',
            failure: { decline },
          });
        }
      });

      it('ends a mandate once and for all, and minds nothing that is not there', async () => {
        const customerId = await newCustomer();
        const card = sandbox.addToken({ customerId, method: 'CARD', outcome: 'success' });
        await gateway.deleteToken(customerId, card);
        await gateway.deleteToken(customerId, card);
        await expect(gateway.fetchToken(customerId, card)).rejects.toThrow(GatewayRefused);
        await expect(charge((await newOrder()).id, card, 100_000, customerId)).rejects.toThrow(GatewayRefused);
        const upi = sandbox.addToken({ customerId, method: 'UPI', outcome: 'success' });
        await gateway.deleteToken(customerId, upi);
        await gateway.deleteToken(customerId, upi);
        expect((await gateway.fetchToken(customerId, upi)).mandate.status).toBe('CANCELLED');
      });
    });

    describe('orders and charges', () => {
      it('finds the order of a receipt again, however many ask at once', async () => {
        const receipt = newReceipt();
        const orders = await Promise.all(Array.from({ length: 20 }, () => newOrder(5_000, receipt)));
        expect(new Set(orders.map(({ id }) => id)).size).toBe(1);
        expect(orders[0]).toMatchObject({ status: 'CREATED', amountPaise: 5_000, amountPaidPaise: 0, receipt });
        await expect(newOrder(5_001, receipt)).rejects.toThrow(/order over 5000 paise/);
      });

      it('charges, and tells what the gateway keeps', async () => {
        const receipt = newReceipt();
        const order = await newOrder(294_900, receipt);
        const payment = await charge(order.id, 'token_success', 294_900);
        expect(payment).toMatchObject({
          orderId: order.id,
          status: 'CAPTURED',
          amountPaise: 294_900,
          amountRefundedPaise: 0,
          // 2 % are 5,898, GST on them 1,061.64.
          feePaise: 6_960,
          taxPaise: 1_062,
          method: 'CARD',
          customerId: 'cust_any',
          tokenId: 'token_success',
          failure: null,
        });
        expect(await gateway.fetchPayment(payment.id)).toEqual(payment);
        expect(await gateway.paymentsOfOrder(order.id)).toEqual([payment]);
        expect((await newOrder(294_900, receipt)).status).toBe('PAID');
        expect(typesOf(payment.id)).toEqual(['payment.authorized', 'payment.captured', 'order.paid']);
        await expect(charge(order.id, 'token_success', 294_900)).rejects.toThrow(/already paid/);
      });

      it('keeps nothing that names the payer', async () => {
        const { raw } = await chargeWith('success');
        expect(raw).toMatchObject({ status: 'captured', notes: { receipt: expect.any(String) } });
        expect(JSON.stringify(raw)).not.toMatch(/asha|98765/i);
      });

      it.each<[SandboxOutcome, string, 'HARD' | 'SOFT']>([
        ['declined', 'payment_declined', 'SOFT'],
        ['insufficient', 'insufficient_funds', 'SOFT'],
        ['expired_card', 'card_expired', 'HARD'],
        ['mandate_revoked', 'mandate_cancelled', 'HARD'],
      ])('is a payment that failed when it is %s', async (outcome, reason, decline) => {
        const payment = await chargeWith(outcome);
        expect(payment).toMatchObject({ status: 'FAILED', feePaise: 0, failure: { reason, decline } });
        expect(payment.failure?.description).not.toBe('');
        expect(typesOf(payment.id)).toEqual(['payment.failed']);
      });

      it('may pay the same order after a decline', async () => {
        const order = await newOrder();
        await charge(order.id, 'token_insufficient');
        await charge(order.id, 'token_success');
        const payments = await gateway.paymentsOfOrder(order.id);
        expect(payments.map(({ status }) => status)).toEqual(['FAILED', 'CAPTURED']);
      });

      it.each<[SandboxOutcome, GatewayPayment['status'][]]>([
        ['timeout_captured', ['CAPTURED']],
        ['timeout_failed', ['FAILED']],
        ['timeout_lost', []],
      ])('does not know what became of it, and can ask: %s', async (outcome, statuses) => {
        const order = await newOrder();
        await expect(charge(order.id, `token_${outcome}`)).rejects.toThrow(GatewayUnknown);
        const payments = await gateway.paymentsOfOrder(order.id);
        expect(payments.map(({ status }) => status)).toEqual(statuses);
      });

      it('declines the first two charges of a customer where the token says so', async () => {
        const customerId = await newCustomer();
        const statuses: string[] = [];
        for (let count = 0; count < 4; count += 1) {
          const payment = await charge((await newOrder()).id, 'token_fails_twice', 100_000, customerId);
          statuses.push(payment.status);
        }
        expect(statuses).toEqual(['FAILED', 'FAILED', 'CAPTURED', 'CAPTURED']);
      });

      it('waits for banks that take their time', async () => {
        const payment = await chargeWith('pending');
        expect(payment).toMatchObject({ status: 'CREATED', failure: null });
        expect(typesOf(payment.id)).toEqual([]);
        await sandbox.finishPayment(payment.id, 'insufficient');
        expect(await gateway.fetchPayment(payment.id)).toMatchObject({
          status: 'FAILED',
          failure: { reason: 'insufficient_funds' },
        });
        await expect(sandbox.finishPayment(payment.id)).rejects.toThrow(/done with/);
      });

      it('captures what is held: all of it, once', async () => {
        const payment = await chargeWith('authorized');
        expect(payment).toMatchObject({ status: 'AUTHORIZED', feePaise: 0 });
        await expect(gateway.capture(payment.id, 99_999)).rejects.toThrow(/equal to the amount authorized/);
        const captures = await Promise.all([1, 2, 3].map(() => gateway.capture(payment.id, 100_000)));
        for (const captured of captures) expect(captured).toMatchObject({ status: 'CAPTURED', feePaise: 2_360 });
        expect(typesOf(payment.id)).toEqual(['payment.authorized', 'payment.captured', 'order.paid']);
        await expect(gateway.capture((await chargeWith('declined')).id, 100_000)).rejects.toThrow(GatewayRefused);
      });
    });

    describe('refunds', () => {
      const refund = (paymentId: string, amountPaise: number, receipt = newReceipt()) =>
        gateway.refund({ paymentId, amountPaise, receipt, notes: { creditNote: 'SSCN/26-27/00001' } });

      it('gives back in parts, until nothing is left', async () => {
        const payment = await chargeWith('success', 10_000);
        const receipt = newReceipt();
        const first = await refund(payment.id, 4_000, receipt);
        expect(first).toMatchObject({ paymentId: payment.id, amountPaise: 4_000, status: 'PROCESSED', receipt });
        expect(await gateway.fetchRefund(first.id)).toEqual(first);
        expect(await gateway.fetchPayment(payment.id)).toMatchObject({
          status: 'CAPTURED',
          amountRefundedPaise: 4_000,
        });
        await refund(payment.id, 6_000);
        expect(await gateway.fetchPayment(payment.id)).toMatchObject({
          status: 'REFUNDED',
          amountRefundedPaise: 10_000,
        });
        await expect(refund(payment.id, 100)).rejects.toThrow(/fully refunded/);
        const seen = events().filter(({ refund: its }) => its?.id === first.id);
        expect(seen).toMatchObject([
          { type: 'refund.created', refund: { receipt }, payment: { amountRefundedPaise: 4_000 } },
          { type: 'refund.processed' },
        ]);
      });

      it('never gives back more than came: of two refunds of 60 on 100 one succeeds', async () => {
        const payment = await chargeWith('success', 10_000);
        const refunds = await Promise.allSettled([refund(payment.id, 6_000), refund(payment.id, 6_000)]);
        expect(refunds.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
        expect((await gateway.fetchPayment(payment.id)).amountRefundedPaise).toBe(6_000);
      });

      it('gives back once for a receipt', async () => {
        const payment = await chargeWith('success', 10_000);
        const receipt = newReceipt();
        const refunds = await Promise.all([1, 2, 3, 4].map(() => refund(payment.id, 2_000, receipt)));
        expect(new Set(refunds.map(({ id }) => id)).size).toBe(1);
        expect((await gateway.fetchPayment(payment.id)).amountRefundedPaise).toBe(2_000);
        await expect(refund(payment.id, 2_001, receipt)).rejects.toThrow(GatewayRefused);
      });

      it('gives nothing back of what did not come', async () => {
        for (const outcome of ['declined', 'authorized'] as const) {
          await expect(refund((await chargeWith(outcome)).id, 1_000)).rejects.toThrow(/should be captured/);
        }
      });
    });

    describe('payment links', () => {
      const newLink = (reference = newReceipt(), amountPaise = 50_000) =>
        gateway.createPaymentLink({
          amountPaise,
          description: 'Invoice SS/26-27/000001',
          customer: { name: 'Asha Menon', ...payer },
          reference,
          expiresAt: new Date('2026-12-10T12:00:00Z'),
          notes: { invoice: 'x' },
          callbackUrl: 'https://portal.studyspot.example/paid',
        });

      it('is paid once', async () => {
        const reference = newReceipt();
        const link = await newLink(reference);
        expect(link).toMatchObject({ status: 'CREATED', amountPaidPaise: 0, reference });
        expect(link.expiresAt).toEqual(new Date('2026-12-10T12:00:00Z'));
        expect(new URL(link.url).protocol).toBe('https:');
        await sandbox.payLink(link.id, 'declined');
        expect(await gateway.fetchPaymentLink(link.id)).toMatchObject({ status: 'CREATED', payments: [] });
        const { paymentId } = await sandbox.payLink(link.id);
        expect(await gateway.fetchPaymentLink(link.id)).toMatchObject({
          status: 'PAID',
          amountPaidPaise: 50_000,
          payments: [{ id: paymentId, status: 'CAPTURED', method: 'UPI', feePaise: 1_180 }],
        });
        expect(typesOf(paymentId)).toContain('payment_link.paid');
        await expect(sandbox.payLink(link.id)).rejects.toThrow(/already paid/);
        await expect(gateway.cancelPaymentLink(link.id)).rejects.toThrow(/already paid/);
      });

      it('is found again by its reference', async () => {
        const reference = newReceipt();
        const links = await Promise.all([1, 2, 3, 4].map(() => newLink(reference)));
        expect(new Set(links.map(({ id }) => id)).size).toBe(1);
        await expect(newLink(reference, 50_001)).rejects.toThrow(/link over 50000 paise/);
      });

      it('cannot be paid when it is cancelled, which may be said twice', async () => {
        const { id } = await newLink();
        await gateway.cancelPaymentLink(id);
        await gateway.cancelPaymentLink(id);
        expect((await gateway.fetchPaymentLink(id)).status).toBe('CANCELLED');
        await expect(sandbox.payLink(id)).rejects.toThrow(/cancelled/);
        expect(events()).toContainEqual(
          expect.objectContaining({
            type: 'payment_link.cancelled',
            paymentLink: expect.objectContaining({ id, status: 'CANCELLED' }),
          }),
        );
        await expect(gateway.cancelPaymentLink('plink_none')).rejects.toThrow(GatewayRefused);
      });

      it('expires', async () => {
        const { id } = await newLink();
        fixture.setTime('2026-12-10T12:00:00Z');
        await expect(sandbox.payLink(id)).rejects.toThrow(/expired/);
        expect((await gateway.fetchPaymentLink(id)).status).toBe('EXPIRED');
        await gateway.cancelPaymentLink(id);
        fixture.setTime('2026-11-26T06:00:00Z');
      });
    });

    it.each<[string, () => Promise<unknown>]>([
      ['rupees with a fraction', () => newOrder(99.5)],
      ['less than a rupee', () => newOrder(99)],
      ['no number', () => newOrder(Number.NaN)],
      ['more than can be counted', () => newOrder(2 ** 60)],
      ['a receipt that is cut off', () => newOrder(1_000, 'x'.repeat(41))],
      ['no receipt', () => newOrder(1_000, '')],
      ['a receipt in another script', () => newOrder(1_000, 'रसीद')],
      [
        'too many notes',
        () => {
          const notes = Object.fromEntries(Array.from({ length: 16 }, (_, index) => [`note${index}`, 'x']));
          return gateway.createOrder({ amountPaise: 1_000, currency: 'INR', receipt: newReceipt(), notes });
        },
      ],
      ['a payment that is not there', () => gateway.fetchPayment('pay_none')],
      ['an order that is not there', () => charge('order_none', 'token_success')],
      ['a token that is not there', async () => charge((await newOrder()).id, 'token_none')],
      ['an id that leads elsewhere', () => gateway.fetchRefund('../payments/pay_x')],
      ['another amount than the order has', async () => charge((await newOrder()).id, 'token_success', 100_001)],
    ])('refuses %s', async (_, call) => {
      await expect(call()).rejects.toThrow(GatewayRefused);
    });
  });
}
