import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { buildPaymentMethod, freshKey, resetClock } from '../../support/billing.ts';
import { statusesOf } from '../../support/calls.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import {
  buildDebtor,
  buildRenewal,
  collect,
  collectionRun,
  creditOf,
  dunningOf,
  invoiceOf,
  issue,
  minute,
  paymentsOf,
  renewedAt,
  startPaymentsApp,
  takenAtGateway,
  type PaymentsApp,
} from './payments-support.ts';

let app: PaymentsApp;
beforeAll(async () => {
  app = await startPaymentsApp();
});
afterEach(resetClock);
afterAll(() => app.close());

const methodOf = async (id: string) =>
  (
    await app.query<{ status: string; is_default: boolean }>(
      'select status, is_default from payment_methods where id = $1',
      [id],
    )
  )[0];

const subscriptionStatus = async (id: string) =>
  (await app.query<{ status: string }>('select status from subscriptions where id = $1', [id]))[0]?.status;

describe('A person who has an invoice charged', () => {
  it('pays it, and is told what came of it', async () => {
    const { invoice, tenantId, token } = await buildDebtor(app);
    const methodId = await buildPaymentMethod(app, tenantId);
    const answer = await collect(app, invoice.id, token);
    expectSuccess(answer);
    expect(answer.body.data).toMatchObject({
      payment: {
        amount: '1180.00',
        status: 'SUCCEEDED',
        method: 'CARD',
        initiatedBy: 'PERSON',
        failure: null,
        transactionId: expect.stringMatching(/^pay_/),
        paymentMethod: { id: methodId, label: 'Visa 4242', last4: '4242' },
        allocations: [{ invoiceId: invoice.id, amount: '1180.00' }],
      },
      invoice: { id: invoice.id, status: 'PAID', amountPaid: '1180.00', amountDue: '0.00' },
    });
    expect(answer.text).not.toMatch(/gatewayResponse|gatewayFee|token_success/);
    // 2 % are 23.60, and 18 % of that 4.25, which the fee includes.
    expect(await paymentsOf(app, invoice.id)).toMatchObject([{ gateway_fee: '27.85', gateway_tax: '4.25' }]);
    expect(await takenAtGateway(app, invoice.id)).toHaveLength(1);
    expect(await creditOf(app, tenantId)).toBe('0.00');
    const audit = await app.query<{ action: string }>(
      `select action from audit_logs where request_id = $1 order by sequence`,
      [answer.headers.get('x-request-id')],
    );
    expect(audit.map(({ action }) => action).toSorted()).toEqual([
      'revenue.invoice_collect',
      'revenue.invoice_paid',
      'revenue.payment_update',
    ]);
    const again = await collect(app, invoice.id, token);
    expectError(again, 409, 'conflict');
    expect(again.body.error.details.reason).toBe('NOTHING_DUE');
  });

  it.each([
    ['declined', 'payment_declined', 'SOFT'],
    ['insufficient', 'insufficient_funds', 'SOFT'],
    ['expired_card', 'card_expired', 'HARD'],
    ['mandate_revoked', 'mandate_cancelled', 'HARD'],
  ])('is told why not: %s', async (outcome, reason, decline) => {
    const { invoice, tenantId, token } = await buildDebtor(app);
    const methodId = await buildPaymentMethod(app, tenantId, `token_${outcome}`);
    const answer = await collect(app, invoice.id, token);
    expectError(answer, 402, 'payment_failed');
    expect(answer.body.error.details).toMatchObject({ reason, decline });
    expect(await paymentsOf(app, invoice.id)).toMatchObject([{ status: 'FAILED', failure_code: reason, decline }]);
    expect(await invoiceOf(app, invoice.id)).toMatchObject({ status: 'OPEN', due: '1180.00' });
    // Only what was to be charged by itself is dunned for.
    expect(await dunningOf(app, invoice.id)).toEqual([]);
    const isHard = decline === 'HARD';
    expect(await methodOf(methodId)).toEqual({ status: isHard ? 'FAILED' : 'ACTIVE', is_default: !isHard });
    const again = await collect(app, invoice.id, token);
    expectError(again, isHard ? 409 : 402, isHard ? 'conflict' : 'payment_failed');
  });

  it('gets there in the end where the bank says no twice', async () => {
    const { invoice, tenantId, token } = await buildDebtor(app);
    await buildPaymentMethod(app, tenantId, 'token_fails_twice');
    const statuses = [];
    for (let tries = 0; tries < 3; tries += 1) statuses.push((await collect(app, invoice.id, token)).status);
    expect(statuses).toEqual([402, 402, 200]);
    expect((await paymentsOf(app, invoice.id)).map(({ status }) => status)).toEqual(['FAILED', 'FAILED', 'SUCCEEDED']);
  });

  it('has what the bank only holds taken at once', async () => {
    const { invoice, tenantId, token } = await buildDebtor(app);
    await buildPaymentMethod(app, tenantId, 'token_authorized');
    const answer = await collect(app, invoice.id, token);
    expectSuccess(answer);
    expect(answer.body.data.payment.status).toBe('SUCCEEDED');
    expect(await takenAtGateway(app, invoice.id)).toHaveLength(1);
  });

  it('is told that there is nothing to charge to', async () => {
    const { invoice, token } = await buildDebtor(app);
    const answer = await collect(app, invoice.id, token);
    expectError(answer, 409, 'conflict');
    expect(answer.body.error.message).toContain('Add one');
    expect(await paymentsOf(app, invoice.id)).toEqual([]);
  });

  it('learns that it is more than the mandate allows, and the bank is not asked', async () => {
    const { invoice, tenantId, token } = await buildDebtor(app, { unitPrice: '200000.00' });
    const methodId = await buildPaymentMethod(app, tenantId);
    const answer = await collect(app, invoice.id, token);
    expectError(answer, 402, 'payment_failed');
    expect(answer.body.error.details).toMatchObject({ reason: 'mandate_limit', decline: 'SOFT' });
    expect(await methodOf(methodId)).toMatchObject({ status: 'ACTIVE' });
    expect(await paymentsOf(app, invoice.id)).toMatchObject([{ gateway_order_id: null }]);
  });

  it('may name the payment method: one of that tenant, that can be charged', async () => {
    const { invoice, tenantId, token } = await buildDebtor(app);
    const other = await buildPaymentMethod(app, tenantId, 'token_declined');
    await app.query('update payment_methods set is_default = false where id = $1', [other]);
    await buildPaymentMethod(app, tenantId);
    expectError(await collect(app, invoice.id, token, { body: { paymentMethodId: other } }), 402, 'payment_failed');
    const stranger = await buildDebtor(app);
    const theirs = await buildPaymentMethod(app, stranger.tenantId);
    expectError(await collect(app, invoice.id, token, { body: { paymentMethodId: theirs } }), 404, 'not_found');
    expectError(await collect(app, invoice.id, app.finance, { body: { paymentMethodId: theirs } }), 404, 'not_found');
    await app.query(`update payment_methods set status = 'FAILED' where id = $1`, [other]);
    expectError(await collect(app, invoice.id, token, { body: { paymentMethodId: other } }), 409, 'conflict');
    expect(await takenAtGateway(app, invoice.id)).toHaveLength(0);
  });

  it('pays their own invoices only; support and sales pay none', async () => {
    const mine = await buildDebtor(app);
    const theirs = await buildDebtor(app);
    await buildPaymentMethod(app, theirs.tenantId);
    expectError(await collect(app, theirs.invoice.id, mine.token), 404, 'not_found');
    for (const role of ['support', 'sales', 'auditor'] as const) {
      expectError(await collect(app, theirs.invoice.id, await app.adminToken({ role })), 403, 'forbidden');
    }
    const staff = await app.signIn(await app.buildUser({ role: 'library_staff', tenantId: theirs.tenantId }));
    expectError(await collect(app, theirs.invoice.id, staff.token), 403, 'forbidden');
    expect(await paymentsOf(app, theirs.invoice.id)).toEqual([]);
    expectSuccess(await collect(app, theirs.invoice.id, app.finance));
  });

  it('can pay while the library is suspended', async () => {
    const { invoice, tenantId, token } = await buildDebtor(app);
    await buildPaymentMethod(app, tenantId);
    await app.query(`update tenants set status = 'SUSPENDED' where id = $1`, [tenantId]);
    expectSuccess(await collect(app, invoice.id, token));
  });
});

describe('Twice at once', () => {
  it('an invoice is charged once', async () => {
    const { invoice, tenantId, token } = await buildDebtor(app);
    await buildPaymentMethod(app, tenantId);
    const answers = await Promise.all(Array.from({ length: 6 }, () => collect(app, invoice.id, token)));
    expect(statusesOf(answers)).toEqual([200, 409, 409, 409, 409, 409]);
    expect(await takenAtGateway(app, invoice.id)).toHaveLength(1);
    expect(await paymentsOf(app, invoice.id)).toHaveLength(1);
  });

  it('under one Idempotency-Key it is one charge and one answer; another body is refused', async () => {
    const { invoice, tenantId, token } = await buildDebtor(app);
    const methodId = await buildPaymentMethod(app, tenantId);
    const key = freshKey();
    const answers = await Promise.all(Array.from({ length: 4 }, () => collect(app, invoice.id, token, { key })));
    expect(statusesOf(answers).filter((status) => status !== 200 && status !== 409)).toEqual([]);
    const later = await collect(app, invoice.id, token, { key });
    expectSuccess(later);
    expect(later.headers.get('idempotent-replayed')).toBe('true');
    const done = answers.find(({ status }) => status === 200);
    expect(later.body.data).toEqual(done?.body.data);
    expect(await takenAtGateway(app, invoice.id)).toHaveLength(1);
    const otherBody = await collect(app, invoice.id, token, { key, body: { paymentMethodId: methodId } });
    expectError(otherBody, 422, 'idempotency_key_reused');
    const bare = await app.call('POST', `/api/revenue/invoices/${invoice.id}/collect`, { token, body: {} });
    expectError(bare, 400, 'validation_failed');
  });
});

describe('What is charged by itself', () => {
  it('is charged when its time has come, once, by however many workers', async () => {
    const { invoice, tenantId, subscriptionId } = await buildRenewal(app, 'token_success');
    minute(-5);
    await collectionRun();
    expect(await paymentsOf(app, invoice.id)).toEqual([]);
    minute(1);
    await Promise.all([collectionRun(), collectionRun(), collectionRun()]);
    expect(await paymentsOf(app, invoice.id)).toMatchObject([{ status: 'SUCCEEDED', initiated_by: 'RENEWAL' }]);
    expect(await takenAtGateway(app, invoice.id)).toHaveLength(1);
    expect(await invoiceOf(app, invoice.id)).toEqual({
      status: 'PAID',
      due: '0.00',
      paid: '1180.00',
      collect_after: null,
    });
    expect(await subscriptionStatus(subscriptionId)).toBe('ACTIVE');
    const mails = await app.query(
      `select job, tenant_id from outbox_messages where job = 'email.payment-received' and tenant_id = $1`,
      [tenantId],
    );
    expect(mails).toHaveLength(1);
  });

  it.each([
    ['token_declined', false],
    ['token_expired_card', true],
  ])('and fails begins to be dunned for: %s', async (tokenId, hardDeclined) => {
    const { invoice, subscriptionId } = await buildRenewal(app, tokenId);
    await collectionRun();
    await collectionRun();
    expect(await paymentsOf(app, invoice.id)).toMatchObject([{ status: 'FAILED', initiated_by: 'RENEWAL' }]);
    expect(await dunningOf(app, invoice.id)).toEqual([
      { status: 'ACTIVE', hard_declined: hardDeclined, started_on: '2026-08-03' },
    ]);
    expect(await invoiceOf(app, invoice.id)).toMatchObject({ status: 'OPEN', collect_after: null });
    expect(await subscriptionStatus(subscriptionId)).toBe('PAST_DUE');
  });

  it('with nothing to charge to is dunned for, and paying it later ends that', async () => {
    const { invoice, tenantId, subscriptionId, token } = await buildRenewal(app, null);
    await collectionRun();
    expect(await paymentsOf(app, invoice.id)).toEqual([]);
    expect(await dunningOf(app, invoice.id)).toMatchObject([{ status: 'ACTIVE', hard_declined: false }]);
    await buildPaymentMethod(app, tenantId);
    expectSuccess(await collect(app, invoice.id, token));
    expect(await dunningOf(app, invoice.id)).toMatchObject([{ status: 'CLOSED' }]);
    expect(await subscriptionStatus(subscriptionId)).toBe('ACTIVE');
  });

  it("goes to the subscription's own payment method, and where that has failed to the default", async () => {
    const { invoice, tenantId, subscriptionId, methodId } = await buildRenewal(app, 'token_success');
    await app.query('update payment_methods set is_default = false where id = $1', [methodId]);
    const defaultId = await buildPaymentMethod(app, tenantId);
    await app.query('update subscriptions set payment_method_id = $2 where id = $1', [subscriptionId, methodId]);
    await collectionRun();
    expect(await paymentsOf(app, invoice.id)).toMatchObject([{ payment_method_id: methodId }]);
    await app.query(`update payment_methods set status = 'FAILED' where id = $1`, [methodId]);
    const next = await issue(tenantId, {
      subscriptionId,
      reason: 'SUBSCRIPTION_CYCLE',
      period: { start: '2026-09-01', end: '2026-10-01' },
      collectAfter: renewedAt,
    });
    await collectionRun();
    expect(await paymentsOf(app, next.id)).toMatchObject([{ payment_method_id: defaultId, status: 'SUCCEEDED' }]);
  });

  it('goes on for the others where one fails for a reason of ours, and is tried again', async () => {
    const [broken, fine] = [await buildRenewal(app, 'token_success'), await buildRenewal(app, 'token_success')];
    await app.query(
      `alter table payments add constraint no_such_tenant check (tenant_id <> '${broken.tenantId}') not valid`,
    );
    await collectionRun();
    expect(await paymentsOf(app, broken.invoice.id)).toEqual([]);
    expect(await invoiceOf(app, fine.invoice.id)).toMatchObject({ status: 'PAID' });
    await app.query('alter table payments drop constraint no_such_tenant');
    await collectionRun();
    expect(await invoiceOf(app, broken.invoice.id)).toMatchObject({ status: 'PAID' });
  });
});
