import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRefund } from '../../../src/services/refunds.service.ts';
import { decimal } from '../../../src/utils/money.ts';
import { buildPaymentMethod, freshKey, runJob } from '../../support/billing.ts';
import { asSystem } from '../../support/dunning.ts';
import { expectSuccess } from '../../support/expectations.ts';
import {
  buildDebtor,
  collect,
  creditOf,
  deliverAll,
  paymentsOf,
  sendWebhook,
  startPaymentsApp,
  workOff,
  type PaymentsApp,
} from './payments-support.ts';

let app: PaymentsApp;
beforeAll(async () => {
  app = await startPaymentsApp();
});
afterAll(() => app.close());

/** An invoice over 1,180.00 that was charged. */
async function buildPaid() {
  const debtor = await buildDebtor(app);
  await buildPaymentMethod(app, debtor.tenantId);
  expectSuccess(await collect(app, debtor.invoice.id, debtor.token));
  const [payment] = await paymentsOf(app, debtor.invoice.id);
  return { ...debtor, paymentId: payment?.id ?? '', gatewayPaymentId: payment?.gateway_payment_id ?? '' };
}
const refund = (paymentId: string, amount: string) =>
  asSystem((tx) => createRefund(tx, { paymentId, amount: decimal(amount), creditNoteId: null }));
const refundsOf = (paymentId: string) =>
  app.query<{ id: string; status: string; amount: string; failure_message: string | null }>(
    'select id, status, amount::text, failure_message from refunds where payment_id = $1 order by created_at, id',
    [paymentId],
  );
const refundedOf = async (paymentId: string) =>
  (
    await app.query<{ refunded: string }>('select amount_refunded::text as refunded from payments where id = $1', [
      paymentId,
    ])
  )[0]?.refunded;

describe('A refund', () => {
  it('is decided on first, then sent once, however often the job runs', async () => {
    const { paymentId, gatewayPaymentId, tenantId } = await buildPaid();
    const id = await refund(paymentId, '180.00');
    expect(await refundsOf(paymentId)).toMatchObject([{ status: 'PENDING', amount: '180.00' }]);
    expect(await refundedOf(paymentId)).toBe('180.00');
    expect((await app.sandbox.fetchPayment(gatewayPaymentId)).amountRefundedPaise).toBe(0);
    await workOff(app, 'invoice.refund');
    await runJob('invoice.refund', { refundId: id }, tenantId);
    expect(await refundsOf(paymentId)).toMatchObject([{ status: 'SUCCEEDED' }]);
    expect((await app.sandbox.fetchPayment(gatewayPaymentId)).amountRefundedPaise).toBe(18_000);
    await deliverAll(app);
    expect(await refundsOf(paymentId)).toMatchObject([{ status: 'SUCCEEDED' }]);
    const audit = await app.query<{ changes: { status: string } }>(
      `select changes from audit_logs where action = 'revenue.refund' and resource_id = $1 order by sequence`,
      [id],
    );
    expect(audit.map(({ changes }) => changes.status)).toEqual(['PENDING', 'SUCCEEDED']);
  });

  it('rule 22: of two of 60 on 100 at once exactly one succeeds', async () => {
    const { paymentId, gatewayPaymentId } = await buildPaid();
    await refund(paymentId, '1080.00');
    const both = await Promise.allSettled([refund(paymentId, '60.00'), refund(paymentId, '60.00')]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const refused = both.find((one) => one.status === 'rejected');
    expect(refused?.reason).toMatchObject({ code: 'conflict', details: { refundable: '40.00' } });
    expect(await refundedOf(paymentId)).toBe('1140.00');
    await workOff(app, 'invoice.refund');
    expect((await app.sandbox.fetchPayment(gatewayPaymentId)).amountRefundedPaise).toBe(114_000);
    await refund(paymentId, '40.00');
    await expect(refund(paymentId, '1.00')).rejects.toMatchObject({ code: 'conflict' });
  });

  it('that the gateway refuses is the credit of the tenant instead', async () => {
    const { paymentId, gatewayPaymentId, tenantId } = await buildPaid();
    // Somebody has given it back at the gateway, past us.
    await app.sandbox.refund({ paymentId: gatewayPaymentId, amountPaise: 100_000, receipt: 'by hand', notes: {} });
    await refund(paymentId, '500.00');
    await workOff(app, 'invoice.refund');
    expect(await refundsOf(paymentId)).toMatchObject([
      { status: 'FAILED', failure_message: expect.stringContaining('greater') },
    ]);
    expect(await refundedOf(paymentId)).toBe('0.00');
    expect(await creditOf(app, tenantId)).toBe('500.00');
    await deliverAll(app);
    expect(await creditOf(app, tenantId)).toBe('500.00');
  });

  it('that the bank sends back is the credit of the tenant, whatever is told after that', async () => {
    const { paymentId, gatewayPaymentId, tenantId } = await buildPaid();
    const id = await refund(paymentId, '80.00');
    const tell = async (status: 'failed' | 'processed') => {
      const entity = {
        id: `rfnd_${id.slice(-14)}`,
        entity: 'refund',
        amount: 8_000,
        currency: 'INR',
        payment_id: gatewayPaymentId,
        receipt: id,
        notes: {},
        status,
        created_at: 1_790_000_000,
      };
      const body = JSON.stringify({ event: `refund.${status}`, payload: { refund: { entity } } });
      expectSuccess(await sendWebhook(app, { body }));
      await workOff(app, 'invoice.gateway-event');
    };
    await tell('failed');
    await tell('processed');
    expect(await refundsOf(paymentId)).toMatchObject([{ status: 'FAILED' }]);
    expect(await refundedOf(paymentId)).toBe('0.00');
    expect(await creditOf(app, tenantId)).toBe('80.00');
    // Its job comes late, and finds that it is over.
    await workOff(app, 'invoice.refund');
    expect((await app.sandbox.fetchPayment(gatewayPaymentId)).amountRefundedPaise).toBe(0);
  });

  it('that nobody sent is sent by the collection run', async () => {
    const { paymentId } = await buildPaid();
    const id = await refund(paymentId, '5.00');
    await app.query(`update refunds set created_at = now() - interval '20 minutes' where id = $1`, [id]);
    await runJob('invoice.collection-run', {});
    expect(await refundsOf(paymentId)).toMatchObject([{ status: 'SUCCEEDED' }]);
  });

  it('while the gateway is away stays PENDING, and the job is tried again', async () => {
    const { paymentId, gatewayPaymentId, tenantId } = await buildPaid();
    const { paymentGateway } = await import('../../../src/services/payment-gateway.service.ts');
    const { GatewayUnknown } = await import('../../../src/providers/payment-gateway.provider.ts');
    const gateway = paymentGateway();
    const send = gateway.refund.bind(gateway);
    gateway.refund = async (order) => {
      await send(order);
      throw new GatewayUnknown('The answer was lost');
    };
    const id = await refund(paymentId, '10.00');
    try {
      await expect(runJob('invoice.refund', { refundId: id }, tenantId)).rejects.toThrow('The answer was lost');
    } finally {
      gateway.refund = send;
    }
    expect(await refundsOf(paymentId)).toMatchObject([{ status: 'PENDING' }]);
    await runJob('invoice.refund', { refundId: id }, tenantId);
    expect(await refundsOf(paymentId)).toMatchObject([{ status: 'SUCCEEDED' }]);
    expect((await app.sandbox.fetchPayment(gatewayPaymentId)).amountRefundedPaise).toBe(1_000);
  });

  it('is refused of what did not come through the gateway, did not come at all, or is less than a rupee', async () => {
    const { invoice } = await buildDebtor(app);
    const path = `/api/revenue/invoices/${invoice.id}/payments`;
    const body = { amount: '100.00', method: 'CASH' };
    const cash = await app.call('POST', path, { token: app.finance, body, headers: freshKey() });
    await expect(refund(cash.body.data.payment.id, '10.00')).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('credit balance'),
    });
    const failed = await buildDebtor(app);
    await buildPaymentMethod(app, failed.tenantId, 'token_declined');
    await collect(app, failed.invoice.id, failed.token);
    const [payment] = await paymentsOf(app, failed.invoice.id);
    await expect(refund(payment?.id ?? '', '10.00')).rejects.toMatchObject({ code: 'conflict' });
    const { paymentId } = await buildPaid();
    await expect(refund(paymentId, '0.50')).rejects.toMatchObject({ code: 'conflict' });
    await expect(refund('cm3k8v1x40000qp2h9d7f5a6b', '10.00')).rejects.toMatchObject({ code: 'not_found' });
  });
});
