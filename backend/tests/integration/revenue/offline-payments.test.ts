import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freshKey, noon, resetClock, setClock } from '../../support/billing.ts';
import { statusesOf } from '../../support/calls.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import {
  buildDebtor,
  creditOf,
  invoiceOf,
  issue,
  paymentsOf,
  startPaymentsApp,
  workOff,
  type PaymentsApp,
} from './payments-support.ts';

let app: PaymentsApp;
beforeAll(async () => {
  app = await startPaymentsApp();
});
afterEach(resetClock);
afterAll(() => app.close());

let serial = 0;
const utr = () => `HDFCN5202611260${String((serial += 1)).padStart(4, '0')}`;
const pay = (invoiceId: string, body: object = {}, { token = app.finance, key = freshKey() } = {}) =>
  app.call('POST', `/api/revenue/invoices/${invoiceId}/payments`, {
    token,
    body: { amount: '1180.00', method: 'BANK_TRANSFER', reference: utr(), ...body },
    headers: { ...key },
  });

describe('A payment that came otherwise', () => {
  it('pays the invoice, and is confirmed', async () => {
    const { invoice, tenantId } = await buildDebtor(app);
    const answer = await pay(invoice.id, { reference: ' UTR 77 ', notes: 'By NEFT' });
    expectSuccess(answer, 201);
    expect(answer.body.data).toMatchObject({
      payment: {
        status: 'SUCCEEDED',
        initiatedBy: 'OFFLINE',
        method: 'BANK_TRANSFER',
        reference: 'UTR 77',
        notes: 'By NEFT',
        paymentMethod: null,
        allocations: [{ invoiceId: invoice.id, amount: '1180.00' }],
      },
      invoices: [{ id: invoice.id, status: 'PAID', amountDue: '0.00', amountPaid: '1180.00' }],
      credited: '0.00',
    });
    expect(await creditOf(app, tenantId)).toBe('0.00');
    await workOff(app, 'email.payment-received');
    const mails = await app.query<{ subject: string }>('select subject from email_deliveries where tenant_id = $1', [
      tenantId,
    ]);
    expect(mails).toEqual([{ subject: 'Payment of ₹1,180.00 received' }]);
    expectError(await pay(invoice.id), 409, 'invalid_transition');
  });

  it('in parts leaves the rest due; more than is due goes to the credit balance', async () => {
    const { invoice, tenantId } = await buildDebtor(app);
    const first = await pay(invoice.id, { amount: '500' });
    expect(first.body.data.invoices).toMatchObject([{ status: 'OPEN', amountDue: '680.00', amountPaid: '500.00' }]);
    const second = await pay(invoice.id, { amount: '700.50', method: 'CASH', reference: undefined });
    expectSuccess(second, 201);
    expect(second.body.data).toMatchObject({ invoices: [{ status: 'PAID', amountDue: '0.00' }], credited: '20.50' });
    expect(second.body.data.payment.allocations).toMatchObject([{ amount: '680.00' }]);
    expect(await creditOf(app, tenantId)).toBe('20.50');
    // The next invoice takes it.
    const next = await issue(tenantId);
    expect(await invoiceOf(app, next.id)).toMatchObject({ status: 'OPEN', due: '1159.50', paid: '20.50' });
  });

  it('settles several invoices in the order that is given', async () => {
    const { invoice, tenantId } = await buildDebtor(app);
    const [second, third] = [await issue(tenantId), await issue(tenantId)];
    const answer = await pay(invoice.id, { amount: '3000.00', alsoSettle: [third.id, second.id, third.id] });
    expectSuccess(answer, 201);
    expect(answer.body.data.invoices.map((one: { id: string; amountDue: string }) => [one.id, one.amountDue])).toEqual([
      [invoice.id, '0.00'],
      [third.id, '0.00'],
      [second.id, '540.00'],
    ]);
    const other = await buildDebtor(app);
    const mixed = await pay(second.id, { alsoSettle: [other.invoice.id] });
    expectError(mixed, 400, 'validation_failed', 'body alsoSettle');
    const paid = await pay(second.id, { alsoSettle: [invoice.id] });
    expectError(paid, 400, 'validation_failed', 'body alsoSettle');
    expect(await invoiceOf(app, second.id)).toMatchObject({ due: '540.00' });
  });

  it('of the same reference is taken once by method and tenant, also twice at once', async () => {
    const { invoice, tenantId } = await buildDebtor(app, { unitPrice: '10000.00' });
    const reference = utr();
    const answers = await Promise.all(Array.from({ length: 4 }, () => pay(invoice.id, { reference })));
    expect(statusesOf(answers)).toEqual([201, 409, 409, 409]);
    const again = await pay(invoice.id, { reference: reference.toLowerCase() });
    expectError(again, 409, 'conflict', 'body reference');
    expectSuccess(await pay(invoice.id, { reference, method: 'UPI' }), 201);
    const other = await buildDebtor(app);
    expectSuccess(await pay(other.invoice.id, { reference }), 201);
    expect(await invoiceOf(app, invoice.id)).toMatchObject({ paid: '2360.00' });
    expect(await creditOf(app, tenantId)).toBe('0.00');
  });

  it('under one Idempotency-Key is noted down once', async () => {
    const { invoice } = await buildDebtor(app);
    const key = freshKey();
    const body = { amount: '100.00', method: 'CASH', reference: undefined };
    const answers = await Promise.all(Array.from({ length: 3 }, () => pay(invoice.id, body, { key })));
    expect(statusesOf(answers).filter((status) => status !== 201 && status !== 409)).toEqual([]);
    const later = await pay(invoice.id, body, { key });
    expectSuccess(later, 201);
    expect(await paymentsOf(app, invoice.id)).toHaveLength(1);
    expectError(await pay(invoice.id, { ...body, amount: '200.00' }, { key }), 422, 'idempotency_key_reused');
  });

  it('of two that name the same invoices in another order neither is lost', async () => {
    const { invoice, tenantId } = await buildDebtor(app);
    const second = await issue(tenantId);
    const answers = await Promise.all([
      pay(invoice.id, { amount: '1000.00', alsoSettle: [second.id] }),
      pay(second.id, { amount: '1000.00', alsoSettle: [invoice.id] }),
    ]);
    expect(statusesOf(answers)).toEqual([201, 201]);
    const [a, b] = [await invoiceOf(app, invoice.id), await invoiceOf(app, second.id)];
    expect(Number(a?.due) + Number(b?.due)).toBe(360);
  });

  it('came on a day that is over, and not long before the invoice', async () => {
    setClock(noon('2026-08-20'));
    const { tenantId } = await buildDebtor(app);
    const { id } = await issue(tenantId);
    for (const receivedOn of ['2026-08-21', '2026-07-19', '2027-01-01']) {
      expectError(await pay(id, { receivedOn }), 400, 'validation_failed', 'body receivedOn');
    }
    const answer = await pay(id, { receivedOn: '2026-07-20', amount: '180.00' });
    expectSuccess(answer, 201);
    expect(answer.body.data.payment.receivedOn).toBe('2026-07-20');
    expect((await pay(id)).body.data.payment.receivedOn).toBe('2026-08-20');
  });

  it.each([
    [{ amount: '0.00' }, 'amount'],
    [{ amount: '-5.00' }, 'amount'],
    [{ amount: 1180 }, 'amount'],
    [{ method: 'CARD' }, 'method'],
    [{ method: 'CREDIT_BALANCE' }, 'method'],
    [{ reference: undefined }, 'reference'],
    [{ method: 'CHEQUE', reference: undefined }, 'reference'],
    [{ receivedOn: '2026-02-30' }, 'receivedOn'],
  ])('is refused with %j', async (body, field) => {
    const { invoice } = await buildDebtor(app);
    expectError(await pay(invoice.id, body), 400, 'validation_failed', `body ${field}`);
    expect(await paymentsOf(app, invoice.id)).toEqual([]);
  });

  it('is noted down by finance alone', async () => {
    const { invoice, token } = await buildDebtor(app);
    expectError(await pay(invoice.id, {}, { token }), 403, 'forbidden');
    for (const role of ['support', 'sales', 'auditor'] as const) {
      expectError(await pay(invoice.id, {}, { token: await app.adminToken({ role }) }), 403, 'forbidden');
    }
    expectError(await pay('cm3k8v1x40000qp2h9d7f5a6b'), 404, 'not_found');
    expect(await invoiceOf(app, invoice.id)).toMatchObject({ due: '1180.00' });
  });
});
