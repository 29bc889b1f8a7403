import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildPaymentMethod, buildPlan, buildSubscription, freshKey, runJob } from '../../support/billing.ts';
import { statusesOf } from '../../support/calls.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import {
  buildDebtor,
  collect,
  deliverAll,
  issue,
  startPaymentsApp,
  workOff,
  type PaymentsApp,
} from './payments-support.ts';
import type { SandboxOutcome } from '../../../src/providers/payment-gateway-sandbox.provider.ts';

let app: PaymentsApp;
let admin: string;
beforeAll(async () => {
  app = await startPaymentsApp();
  admin = await app.adminToken();
});
afterAll(() => app.close());

const METHODS = '/api/revenue/payment-methods';
const add = (token: string, body: object = {}) =>
  app.call('POST', METHODS, { token, body: { kind: 'CARD', maxAmount: '15000.00', ...body } });
const put = (id: string, token: string, headers: Record<string, string> = {}) =>
  app.call('PUT', `${METHODS}/${id}`, { token, body: { isDefault: true }, headers });
const remove = (id: string, token: string) => app.call('DELETE', `${METHODS}/${id}`, { token });
type Shown = { id: string; status: string; isDefault: boolean; version: number; label: string | null };
const list = async (token: string, query = ''): Promise<Shown[]> => {
  const answer = await app.call('GET', `${METHODS}${query}`, { token });
  expectSuccess(answer);
  return answer.body.data;
};
const rowOf = async (id: string) =>
  (
    await app.query<{
      gateway_order_id: string;
      gateway_customer_id: string;
      gateway_token_id: string | null;
      status: string;
    }>('select gateway_order_id, gateway_customer_id, gateway_token_id, status from payment_methods where id = $1', [
      id,
    ])
  )[0];

/** Added and agreed to. */
async function addActive(token: string, outcome: SandboxOutcome = 'success'): Promise<string> {
  const { id } = (await add(token)).body.data;
  await app.sandbox.completeMandate((await rowOf(id))?.gateway_order_id ?? '', outcome);
  await deliverAll(app);
  return id;
}

describe('Adding a payment method', () => {
  it('asks the payer, and becomes ACTIVE when they agree; the first is the default', async () => {
    const { token, tenantId } = await buildDebtor(app);
    const answer = await add(token);
    expectSuccess(answer, 201);
    const { id, checkout } = answer.body.data;
    expect(answer.body.data).toMatchObject({
      tenantId,
      status: 'PENDING',
      label: null,
      isDefault: false,
      mandateMaxAmount: '15000.00',
      checkout: { url: expect.stringMatching(/^https:/), orderId: expect.stringMatching(/^order_/), keyId: null },
      checkoutUrl: checkout.url,
    });
    await app.sandbox.completeMandate(checkout.orderId, 'success');
    await deliverAll(app);
    expect(await list(token)).toEqual([
      expect.objectContaining({ id, status: 'ACTIVE', isDefault: true, label: 'HDFC Visa 1111', checkoutUrl: null }),
    ]);
    const { id: second } = (await add(token, { kind: 'UPI' })).body.data;
    const [mine, theirs] = await Promise.all([rowOf(id), rowOf(second)]);
    expect(theirs?.gateway_customer_id).toBe(mine?.gateway_customer_id);
    await app.sandbox.completeMandate(theirs?.gateway_order_id ?? '', 'success');
    await deliverAll(app);
    const shown = await list(token);
    expect(shown.filter(({ isDefault }) => isDefault).map((one) => one.id)).toEqual([id]);
    expect(shown.find((one) => one.id === second)).toMatchObject({ label: 'ash***@upi', isDefault: false });
  });

  it('is found to be ACTIVE by the run, where the webhook is lost', async () => {
    const { token } = await buildDebtor(app);
    const { id, checkout } = (await add(token)).body.data;
    await runJob('invoice.collection-run', {});
    expect(await list(token)).toMatchObject([{ id, status: 'PENDING' }]);
    await app.sandbox.completeMandate(checkout.orderId, 'success');
    await runJob('invoice.collection-run', {});
    const [method] = await list(token);
    expect(method).toMatchObject({ status: 'ACTIVE', isDefault: true });
    // The webhooks come late, and change nothing.
    await deliverAll(app);
    expect(await list(token)).toEqual([method]);
  });

  it('fails when the payer says no, and is ACTIVE when they change their mind', async () => {
    const { token } = await buildDebtor(app);
    const { id, checkout } = (await add(token)).body.data;
    await app.sandbox.completeMandate(checkout.orderId, 'rejected');
    await deliverAll(app);
    expect(await list(token)).toMatchObject([{ id, status: 'FAILED', isDefault: false }]);
    await app.sandbox.completeMandate(checkout.orderId, 'success');
    await deliverAll(app);
    expect(await list(token)).toMatchObject([{ id, status: 'ACTIVE', isDefault: true }]);
  });

  it('is not taken again once it has failed for good', async () => {
    const { token, invoice } = await buildDebtor(app);
    const id = await addActive(token, 'expired_card');
    expectError(await collect(app, invoice.id, token), 402, 'payment_failed');
    expect(await list(token)).toMatchObject([{ id, status: 'FAILED', isDefault: false }]);
    await deliverAll(app);
    await runJob('invoice.collection-run', {});
    expect(await list(token)).toMatchObject([{ id, status: 'FAILED' }]);
  });

  it('ends when the payer cancels the mandate in the app of the bank', async () => {
    const { token } = await buildDebtor(app);
    const [first, second] = [await addActive(token), await addActive(token)];
    await app.sandbox.changeMandate((await rowOf(first))?.gateway_token_id ?? '', 'PAUSED');
    await deliverAll(app);
    expect((await rowOf(first))?.status).toBe('ACTIVE');
    await app.sandbox.changeMandate((await rowOf(first))?.gateway_token_id ?? '', 'CANCELLED');
    await deliverAll(app);
    const shown = await list(token);
    expect(shown.find(({ id }) => id === first)).toMatchObject({ status: 'FAILED', isDefault: false });
    expect(shown.find(({ id }) => id === second)).toMatchObject({ status: 'ACTIVE', isDefault: true });
  });

  it('can be played outside production, by an admin alone', async () => {
    const { token, tenantId, invoice } = await buildDebtor(app);
    const { id } = (await add(admin, { tenantId })).body.data;
    const path = `/api/test/payment-methods/${id}/complete`;
    expectError(await app.call('POST', path, { token, body: { outcome: 'success' } }), 403, 'forbidden');
    const answer = await app.call('POST', path, { token: admin, body: { outcome: 'declined' } });
    expectSuccess(answer);
    expect(answer.body.data.delivered).toBeGreaterThan(2);
    await workOff(app, 'invoice.gateway-event');
    expect(await list(token)).toMatchObject([{ id, status: 'ACTIVE', isDefault: true }]);
    expectError(await collect(app, invoice.id, token), 402, 'payment_failed');
    expectError(await app.call('POST', path, { token: admin, body: {} }), 409, 'conflict');
  });

  it.each([
    [{ kind: 'CASH' }, 'kind'],
    [{ maxAmount: '0.50' }, 'maxAmount'],
    [{ maxAmount: '1000000.01' }, 'maxAmount'],
    [{ maxAmount: 100 }, 'maxAmount'],
  ])('is refused with %j', async (body, field) => {
    const { token } = await app.ownerWithToken();
    expectError(await add(token, body), 400, 'validation_failed', `body ${field}`);
  });

  it('is for the own library; an admin says for which', async () => {
    const { token, tenantId } = await app.ownerWithToken();
    const other = await app.buildTenant();
    expectError(await add(token, { tenantId: other.id }), 403, 'tenant_mismatch');
    expectSuccess(await add(token, { tenantId }), 201);
    expectError(await add(admin), 400, 'validation_failed', 'body tenantId');
    expectSuccess(await add(app.finance, { tenantId }), 201);
    expectError(await add(admin, { tenantId: 'cm3k8v1x40000qp2h9d7f5a6b' }), 404, 'not_found');
    for (const role of ['support', 'sales'] as const) {
      expectError(await add(await app.adminToken({ role }), { tenantId }), 403, 'forbidden');
    }
  });
});

describe('Payment methods of others', () => {
  it('are neither seen nor touched', async () => {
    const [mine, theirs] = [await buildDebtor(app), await buildDebtor(app)];
    const id = await buildPaymentMethod(app, theirs.tenantId);
    expect(await list(mine.token, `?tenantId=${theirs.tenantId}`)).toEqual([]);
    expectError(await put(id, mine.token), 404, 'not_found');
    expectError(await remove(id, mine.token), 404, 'not_found');
    expect(await list(app.finance, `?tenantId=${theirs.tenantId}`)).toMatchObject([{ id, status: 'ACTIVE' }]);
    const { token } = await app.signIn(await app.buildUser({ role: 'student', tenantId: theirs.tenantId }));
    expectError(await app.call('GET', METHODS, { token }), 403, 'forbidden');
  });
});

describe('The default', () => {
  it('is one of those that can be charged, whoever changes it at once', async () => {
    const { token, tenantId } = await buildDebtor(app);
    const first = await buildPaymentMethod(app, tenantId);
    const others = [];
    for (let count = 0; count < 3; count += 1) others.push(await addActive(token));
    const answers = await Promise.all([first, ...others].map((id) => put(id, token)));
    expect(statusesOf(answers)).toEqual([200, 200, 200, 200]);
    const shown = await list(token);
    expect(shown.filter(({ isDefault }) => isDefault)).toHaveLength(1);
    const before = shown.find(({ id }) => id === first)?.version ?? 0;
    expectError(await put(first, token, { 'if-match': `"${before + 7}"` }), 412, 'version_mismatch');
    expectSuccess(await put(first, token, { 'if-match': `"${before}"` }));
    const { id: pending } = (await add(token)).body.data;
    expectError(await put(pending, token), 409, 'invalid_transition');
    const answer = await app.call('PUT', `${METHODS}/${first}`, { token, body: { isDefault: false } });
    expectError(answer, 400, 'validation_failed', 'body isDefault');
  });
});

describe('Removing a payment method', () => {
  it('hands the default on, and ends the mandate', async () => {
    const { token, tenantId, invoice } = await buildDebtor(app);
    const [first, second] = [await addActive(token), await addActive(token)];
    expect((await list(token)).find(({ isDefault }) => isDefault)?.id).toBe(first);
    const { gateway_customer_id: customer = '', gateway_token_id: tokenId } = (await rowOf(first)) ?? {};
    const answer = await remove(first, token);
    expectSuccess(answer);
    expect(answer.body.data).toMatchObject({ status: 'REMOVED', isDefault: false });
    expect(await list(token)).toMatchObject([{ id: second, status: 'ACTIVE', isDefault: true }]);
    expect(await list(token, '?status=REMOVED')).toMatchObject([{ id: first }]);
    expect(await workOff(app, 'invoice.end-mandate')).toBe(1);
    await expect(app.sandbox.fetchToken(customer, tokenId ?? '')).rejects.toThrow(/does not exist/);
    expectError(await remove(first, token), 409, 'invalid_transition');
    expectError(await put(first, token), 409, 'invalid_transition');
    const named = await collect(app, invoice.id, token, { body: { paymentMethodId: first } });
    expectError(named, 409, 'conflict');
    const audit = await app.query<{ resource_id: string }>(
      `select resource_id from audit_logs where action = 'revenue.payment_method_delete' and tenant_id = $1`,
      [tenantId],
    );
    expect(audit).toEqual([{ resource_id: first }]);
  });

  it('also ends a mandate to which the payer agrees only afterwards', async () => {
    const { token } = await buildDebtor(app);
    const { id, checkout } = (await add(token)).body.data;
    expectSuccess(await remove(id, token));
    await workOff(app, 'invoice.end-mandate');
    const { tokenId } = await app.sandbox.completeMandate(checkout.orderId, 'success');
    await deliverAll(app);
    expect((await rowOf(id))?.status).toBe('REMOVED');
    await expect(app.sandbox.fetchToken(checkout.customerId, tokenId)).rejects.toThrow(/does not exist/);
  });

  it('is refused while a subscription that is charged by itself owes money and has nothing else', async () => {
    const { token, tenantId } = await buildDebtor(app);
    const id = await buildPaymentMethod(app, tenantId);
    const plan = await buildPlan(app);
    const subscriptionId = await buildSubscription(app, tenantId, plan);
    const invoice = await issue(tenantId, {
      subscriptionId,
      reason: 'SUBSCRIPTION_CYCLE',
      period: { start: '2026-11-01', end: '2026-12-01' },
    });
    expectError(await remove(id, token), 409, 'conflict');
    const other = await addActive(token);
    expectSuccess(await remove(id, token));
    expectError(await remove(other, token), 409, 'conflict');
    expectSuccess(await collect(app, invoice.id, token, { key: freshKey() }));
    expectSuccess(await remove(other, token));
    expect(await list(token)).toEqual([]);
  });
});
