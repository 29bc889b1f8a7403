import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../src/utils/ids.ts';
import { buildPaymentMethod, freshKey, resetClock, runJob } from '../../support/billing.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import {
  buildDebtor,
  buildRenewal,
  collect,
  collectionRun,
  creditOf,
  deliverAll,
  dunningOf,
  invoiceOf,
  minute,
  paymentsOf,
  renewedAt,
  startPaymentsApp,
  takenAtGateway,
  workOff,
  type PaymentsApp,
} from './payments-support.ts';

// Charges of which it is not known what came of them, and money that comes late.

let app: PaymentsApp;
beforeAll(async () => {
  app = await startPaymentsApp();
});
afterEach(resetClock);
afterAll(() => app.close());

describe('rule 22: where the gateway does not say what came of a charge', () => {
  it.each([
    ['token_timeout_captured', 'SUCCEEDED', 'PAID'],
    ['token_timeout_failed', 'FAILED', 'OPEN'],
  ])('it is asked, and never charged again meanwhile: %s', async (tokenId, status, invoiceStatus) => {
    const { invoice, token } = await buildRenewal(app, tokenId);
    await collectionRun();
    expect(await paymentsOf(app, invoice.id)).toMatchObject([{ status: 'UNKNOWN', polls: 1 }]);
    // Neither a person nor a run can charge now.
    expectError(await collect(app, invoice.id, token), 409, 'conflict');
    await collectionRun();
    expect(await paymentsOf(app, invoice.id)).toMatchObject([{ status: 'UNKNOWN', polls: 1 }]);
    minute(1);
    await collectionRun();
    expect(await paymentsOf(app, invoice.id)).toMatchObject([{ status }]);
    expect(await invoiceOf(app, invoice.id)).toMatchObject({ status: invoiceStatus, collect_after: null });
    expect(await dunningOf(app, invoice.id)).toHaveLength(status === 'FAILED' ? 1 : 0);
    expect(await takenAtGateway(app, invoice.id)).toHaveLength(status === 'FAILED' ? 0 : 1);
  });

  it('and never had it, that shows within an hour and a half; then it is charged anew, and not dunned for', async () => {
    const { invoice, methodId } = await buildRenewal(app, 'token_timeout_lost');
    await collectionRun();
    for (const [minutes, polls] of [
      [2, 2],
      [8, 3],
      [24, 4],
    ]) {
      minute(minutes as number);
      await collectionRun();
      expect(await paymentsOf(app, invoice.id)).toMatchObject([{ status: 'UNKNOWN', polls }]);
    }
    await app.query(`update payment_methods set gateway_token_id = 'token_success' where id = $1`, [methodId]);
    minute(85);
    await collectionRun();
    expect(await paymentsOf(app, invoice.id)).toMatchObject([
      { status: 'FAILED', failure_code: 'not_attempted', decline: null },
      { status: 'SUCCEEDED', initiated_by: 'RENEWAL' },
    ]);
    expect(await dunningOf(app, invoice.id)).toEqual([]);
    expect(await takenAtGateway(app, invoice.id)).toHaveLength(1);
  });

  it('a person is told that it is not known yet', async () => {
    const { invoice, tenantId, token } = await buildDebtor(app);
    await buildPaymentMethod(app, tenantId, 'token_timeout_captured');
    const answer = await collect(app, invoice.id, token);
    expectSuccess(answer);
    expect(answer.body.data).toMatchObject({ payment: { status: 'UNKNOWN' }, invoice: { status: 'OPEN' } });
  });

  it('a bank that takes its time is waited for', async () => {
    const { invoice } = await buildRenewal(app, 'token_pending');
    await collectionRun();
    const [row] = await paymentsOf(app, invoice.id);
    expect(row).toMatchObject({ status: 'UNKNOWN', gateway_payment_id: expect.stringMatching(/^pay_/) });
    for (const minutes of [2, 8, 24, 85, 146]) {
      minute(minutes);
      await collectionRun();
    }
    expect(await paymentsOf(app, invoice.id)).toMatchObject([{ status: 'UNKNOWN', polls: 6 }]);
    await app.sandbox.finishPayment(row?.gateway_payment_id ?? '', 'success');
    minute(207);
    await collectionRun();
    expect(await paymentsOf(app, invoice.id)).toMatchObject([{ status: 'SUCCEEDED' }]);
  });
});

describe('Where the process dies', () => {
  /** As if the connection were gone at the very moment when a payment is written down. */
  const breakOutcomes = (tenantId: string) =>
    app.query(
      `create function fail_outcome() returns trigger language plpgsql as $$
         begin if new.status <> 'CREATED' and new.tenant_id = '${tenantId}' then raise exception 'gone'; end if; return new; end $$;
       create trigger fail_outcome before update on payments for each row execute function fail_outcome()`,
    );
  const mend = () => app.query('drop trigger fail_outcome on payments; drop function fail_outcome()');

  it('between the charge and its record, the poll finds out: one charge', async () => {
    const { invoice, tenantId } = await buildRenewal(app, 'token_success');
    await breakOutcomes(tenantId);
    await collectionRun();
    await mend();
    expect(await paymentsOf(app, invoice.id)).toMatchObject([{ status: 'CREATED', gateway_payment_id: null }]);
    expect(await takenAtGateway(app, invoice.id)).toHaveLength(1);
    minute(6);
    await collectionRun();
    expect(await paymentsOf(app, invoice.id)).toMatchObject([{ status: 'SUCCEEDED' }]);
    expect(await invoiceOf(app, invoice.id)).toMatchObject({ status: 'PAID', paid: '1180.00' });
    expect(await takenAtGateway(app, invoice.id)).toHaveLength(1);
  });

  it('there, the webhook does as well', async () => {
    const { invoice, tenantId, token } = await buildDebtor(app);
    await buildPaymentMethod(app, tenantId);
    await breakOutcomes(tenantId);
    expect((await collect(app, invoice.id, token)).status).toBe(500);
    await mend();
    await deliverAll(app);
    expect(await paymentsOf(app, invoice.id)).toMatchObject([{ status: 'SUCCEEDED' }]);
    expect(await takenAtGateway(app, invoice.id)).toHaveLength(1);
  });

  it.each([
    ['before the order was noted down', 'PAID', 'SUCCEEDED'],
    ['and the invoice was paid meanwhile', 'PAID', 'FAILED'],
  ])('before anything was charged, the poll charges: %s', async (_, invoiceStatus, status) => {
    const { invoice, tenantId, methodId } = await buildRenewal(app, 'token_success');
    await app.query(`update invoices set collect_after = null where id = $1`, [invoice.id]);
    await app.query(
      `insert into payments (id, tenant_id, invoice_id, transaction_id, amount, method, status, initiated_by, gateway, payment_method_id,
                             poll_after, created_at, updated_at)
       values ($1, $2, $3, $1, 1180, 'CARD', 'CREATED', 'RENEWAL', 'sandbox', $4, $5, $5, now())`,
      [newId(), tenantId, invoice.id, methodId, renewedAt],
    );
    if (status === 'FAILED') {
      const body = { amount: '1180.00', method: 'CASH' };
      const path = `/api/revenue/invoices/${invoice.id}/payments`;
      expectSuccess(await app.call('POST', path, { token: app.finance, body, headers: freshKey() }), 201);
    }
    minute(6);
    await collectionRun();
    expect((await paymentsOf(app, invoice.id))[0]).toMatchObject({ status });
    expect(await invoiceOf(app, invoice.id)).toMatchObject({ status: invoiceStatus, paid: '1180.00' });
    expect(await creditOf(app, tenantId)).toBe('0.00');
  });
});

describe('Money that comes after all', () => {
  it('pays what is still due, also where the charge had been given up', async () => {
    const { invoice, tenantId } = await buildRenewal(app, 'token_pending');
    await collectionRun();
    const [row] = await paymentsOf(app, invoice.id);
    await app.query(
      `update payments set status = 'FAILED', failure_code = 'not_attempted', failed_at = now(), poll_after = null where id = $1`,
      [row?.id],
    );
    await app.sandbox.finishPayment(row?.gateway_payment_id ?? '', 'success');
    await deliverAll(app);
    expect(await paymentsOf(app, invoice.id)).toMatchObject([{ status: 'SUCCEEDED', failure_code: null }]);
    expect(await invoiceOf(app, invoice.id)).toMatchObject({ status: 'PAID' });
    expect(await creditOf(app, tenantId)).toBe('0.00');
  });

  it('is credited where the invoice was paid otherwise', async () => {
    const { invoice, tenantId } = await buildRenewal(app, 'token_pending');
    await collectionRun();
    const [row] = await paymentsOf(app, invoice.id);
    const body = { amount: '1180.00', method: 'BANK_TRANSFER', reference: 'UTR-LATE-1' };
    const path = `/api/revenue/invoices/${invoice.id}/payments`;
    expectSuccess(await app.call('POST', path, { token: app.finance, body, headers: freshKey() }), 201);
    await app.sandbox.finishPayment(row?.gateway_payment_id ?? '', 'success');
    await deliverAll(app);
    expect(await creditOf(app, tenantId)).toBe('1180.00');
    expect(await invoiceOf(app, invoice.id)).toMatchObject({ status: 'PAID', paid: '1180.00' });
  });
});

describe('A gateway that cannot be reached', () => {
  it('has charged nothing: a person is told to try again, and what is charged by itself waits', async () => {
    const { paymentGateway } = await import('../../../src/services/payment-gateway.service.ts');
    const { GatewayUnavailable } = await import('../../../src/providers/payment-gateway.provider.ts');
    const gateway = paymentGateway();
    const createOrder = gateway.createOrder.bind(gateway);
    gateway.createOrder = async () => {
      throw new GatewayUnavailable('It is away');
    };
    const person = await buildDebtor(app);
    await buildPaymentMethod(app, person.tenantId);
    const renewal = await buildRenewal(app, 'token_success');
    try {
      expectError(await collect(app, person.invoice.id, person.token), 503, 'service_unavailable');
      await collectionRun();
    } finally {
      gateway.createOrder = createOrder;
    }
    expect(await paymentsOf(app, person.invoice.id)).toMatchObject([
      { status: 'FAILED', failure_code: 'not_attempted' },
    ]);
    expect(await paymentsOf(app, renewal.invoice.id)).toMatchObject([{ status: 'CREATED', gateway_order_id: null }]);
    expect(await dunningOf(app, renewal.invoice.id)).toEqual([]);
    minute(2);
    await collectionRun();
    expect(await paymentsOf(app, renewal.invoice.id)).toMatchObject([{ status: 'SUCCEEDED' }]);
    expectSuccess(await collect(app, person.invoice.id, person.token));
  });
});

describe('Mails', () => {
  it('confirm what came, and tell a day ahead what will be charged', async () => {
    const { invoice, tenantId } = await buildRenewal(app, 'token_success');
    await runJob('email.debit-notice', { invoiceId: invoice.id }, tenantId);
    await collectionRun();
    await workOff(app, 'email.payment-received');
    // Nothing is left to be charged: nobody is told.
    await runJob('email.debit-notice', { invoiceId: invoice.id }, tenantId);
    const mails = await app.query<{ template: string; recipient: string; subject: string }>(
      `select template, recipient, subject from email_deliveries where tenant_id = $1 order by created_at`,
      [tenantId],
    );
    expect(mails).toEqual([
      {
        template: 'debit-notice',
        recipient: 'accounts@saraswati.example',
        subject: `₹1,180.00 will be charged on 4 August 2026: invoice ${invoice.number}`,
      },
      {
        template: 'payment-received',
        recipient: 'accounts@saraswati.example',
        subject: 'Payment of ₹1,180.00 received',
      },
    ]);
  });
});
