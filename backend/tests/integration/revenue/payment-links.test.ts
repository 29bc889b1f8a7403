import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { buildPaymentMethod, freshKey, noon, resetClock, runJob, setClock } from '../../support/billing.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import {
  buildDebtor,
  collect,
  creditOf,
  deliverAll,
  invoiceOf,
  issue,
  paymentsOf,
  startPaymentsApp,
  workOff,
  type PaymentsApp,
} from './payments-support.ts';

let app: PaymentsApp;
let admin: string;
beforeAll(async () => {
  app = await startPaymentsApp();
  admin = await app.adminToken();
});
afterEach(resetClock);
afterAll(() => app.close());

const linkFor = (invoiceId: string, token: string, key: object = freshKey()) =>
  app.call('POST', `/api/revenue/invoices/${invoiceId}/payment-link`, { token, headers: { ...key } });
const linksOf = (invoiceId: string) =>
  app.query<{ id: string; status: string; amount: string; gateway_link_id: string }>(
    'select id, status, amount::text, gateway_link_id from payment_links where invoice_id = $1 order by created_at, id',
    [invoiceId],
  );
const payOffline = async (invoiceId: string, amount: string) => {
  const path = `/api/revenue/invoices/${invoiceId}/payments`;
  const body = { amount, method: 'CASH' };
  expectSuccess(await app.call('POST', path, { token: app.finance, body, headers: freshKey() }), 201);
};

describe('A payment link', () => {
  it('is one for an invoice and an amount, whoever asks, also at once', async () => {
    const { invoice, token } = await buildDebtor(app);
    const answers = await Promise.all([token, token, app.finance, app.finance].map((who) => linkFor(invoice.id, who)));
    for (const answer of answers) expectSuccess(answer);
    expect(new Set(answers.map(({ body }) => body.data.id)).size).toBe(1);
    expect(answers[0]?.body.data).toMatchObject({
      invoiceId: invoice.id,
      amount: '1180.00',
      status: 'OPEN',
      url: expect.stringMatching(/^https:\/\//),
    });
    expect((await linkFor(invoice.id, token)).body.data).toEqual(answers[0]?.body.data);
    expect(await linksOf(invoice.id)).toHaveLength(1);
    const bare = await app.call('POST', `/api/revenue/invoices/${invoice.id}/payment-link`, { token });
    expectError(bare, 400, 'validation_failed');
  });

  it('that is paid pays the invoice, once however often it is told', async () => {
    const { invoice, token, tenantId } = await buildDebtor(app);
    const { id } = (await linkFor(invoice.id, token)).body.data;
    const answer = await app.call('POST', `/api/test/payment-links/${id}/pay`, { token: admin, body: {} });
    expectSuccess(answer);
    await workOff(app, 'invoice.gateway-event');
    expect(await paymentsOf(app, invoice.id)).toMatchObject([
      { status: 'SUCCEEDED', initiated_by: 'PAYMENT_LINK', amount: '1180.00', gateway_fee: '27.85' },
    ]);
    expect(await invoiceOf(app, invoice.id)).toMatchObject({ status: 'PAID' });
    expect(await linksOf(invoice.id)).toMatchObject([{ status: 'PAID' }]);
    await app.query(`update gateway_events set processed_at = null, outcome = null where tenant_id = $1`, [tenantId]);
    const events = await app.query<{ id: string }>('select id from gateway_events where tenant_id = $1', [tenantId]);
    for (const event of events) await runJob('invoice.gateway-event', { eventRowId: event.id });
    await runJob('invoice.cancel-link', { linkId: id });
    expect(await paymentsOf(app, invoice.id)).toHaveLength(1);
    expect(await creditOf(app, tenantId)).toBe('0.00');
    expectError(await linkFor(invoice.id, token), 409, 'invalid_transition');
    const again = await app.call('POST', `/api/test/payment-links/${id}/pay`, { token: admin, body: {} });
    expectError(again, 409, 'conflict');
  });

  it('where somebody failed to pay stays open', async () => {
    const { invoice, token } = await buildDebtor(app);
    await linkFor(invoice.id, token);
    const [link] = await linksOf(invoice.id);
    await app.sandbox.payLink(link?.gateway_link_id ?? '', 'declined');
    await deliverAll(app);
    expect(await paymentsOf(app, invoice.id)).toEqual([]);
    expect(await linksOf(invoice.id)).toMatchObject([{ status: 'OPEN' }]);
  });

  it('over another amount is cancelled for a new one', async () => {
    const { invoice, token } = await buildDebtor(app);
    const first = (await linkFor(invoice.id, token)).body.data;
    await payOffline(invoice.id, '180.00');
    expect(await linksOf(invoice.id)).toMatchObject([{ status: 'CANCELLED' }]);
    await workOff(app, 'invoice.cancel-link');
    const second = (await linkFor(invoice.id, token)).body.data;
    expect(second).toMatchObject({ amount: '1000.00', status: 'OPEN' });
    expect(second.id).not.toBe(first.id);
    const [old] = await linksOf(invoice.id);
    expect((await app.sandbox.fetchPaymentLink(old?.gateway_link_id ?? '')).status).toBe('CANCELLED');
    await expect(app.sandbox.payLink(old?.gateway_link_id ?? '')).rejects.toThrow(/cancelled/);
  });

  it('is cancelled when the invoice is paid otherwise; money that comes by it all the same is credited', async () => {
    const { invoice, token, tenantId } = await buildDebtor(app);
    await buildPaymentMethod(app, tenantId);
    await linkFor(invoice.id, token);
    const [link] = await linksOf(invoice.id);
    expectSuccess(await collect(app, invoice.id, token));
    expect(await linksOf(invoice.id)).toMatchObject([{ status: 'CANCELLED' }]);
    // Somebody was faster than the job that cancels it.
    await app.sandbox.payLink(link?.gateway_link_id ?? '');
    await workOff(app, 'invoice.cancel-link');
    expect(await creditOf(app, tenantId)).toBe('1180.00');
    await deliverAll(app);
    expect(await creditOf(app, tenantId)).toBe('1180.00');
    expect(await linksOf(invoice.id)).toMatchObject([{ status: 'PAID' }]);
    expect(await invoiceOf(app, invoice.id)).toMatchObject({ status: 'PAID', paid: '1180.00' });
  });

  it('whose webhook is lost is found by the run', async () => {
    const { invoice, token } = await buildDebtor(app);
    await linkFor(invoice.id, token);
    const [link] = await linksOf(invoice.id);
    await app.sandbox.payLink(link?.gateway_link_id ?? '');
    await runJob('invoice.collection-run', {});
    expect(await invoiceOf(app, invoice.id)).toMatchObject({ status: 'OPEN' });
    await app.query(`update payment_links set updated_at = now() - interval '2 hours' where id = $1`, [link?.id]);
    await runJob('invoice.collection-run', {});
    expect(await invoiceOf(app, invoice.id)).toMatchObject({ status: 'PAID' });
    await deliverAll(app);
    expect(await paymentsOf(app, invoice.id)).toHaveLength(1);
  });

  it('lasts a week; then there is a new one', async () => {
    const { tenantId } = await buildDebtor(app);
    setClock(noon('2026-12-01'));
    const { id } = await issue(tenantId);
    const first = (await linkFor(id, app.finance)).body.data;
    expect(first.expiresAt).toMatch(/^2026-12-08T/);
    setClock(noon('2026-12-07'));
    expect((await linkFor(id, app.finance)).body.data.id).toBe(first.id);
    setClock(noon('2026-12-09'));
    const second = (await linkFor(id, app.finance)).body.data;
    expect(second.id).not.toBe(first.id);
    expect(await linksOf(id)).toMatchObject([{ status: 'EXPIRED' }, { status: 'OPEN' }]);
    await deliverAll(app);
    expect(await linksOf(id)).toMatchObject([{ status: 'EXPIRED' }, { status: 'OPEN' }]);
  });

  it('is not made while a charge is under way, nor for what is not due, nor for others', async () => {
    const { invoice, token, tenantId } = await buildDebtor(app);
    await buildPaymentMethod(app, tenantId, 'token_timeout_captured');
    expectSuccess(await collect(app, invoice.id, token));
    expectError(await linkFor(invoice.id, token), 409, 'conflict');
    const other = await buildDebtor(app);
    expectError(await linkFor(other.invoice.id, token), 404, 'not_found');
    expectError(await linkFor(other.invoice.id, await app.adminToken({ role: 'support' })), 403, 'forbidden');
    await payOffline(other.invoice.id, '1180.00');
    expectError(await linkFor(other.invoice.id, other.token), 409, 'invalid_transition');
  });
});
