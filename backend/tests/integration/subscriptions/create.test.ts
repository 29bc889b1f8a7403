import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildBilledTenant, buildPaymentMethod, buildPlan, freshKey, noon, setClock } from '../../support/billing.ts';
import { statusesOf } from '../../support/calls.ts';
import { startFinanceApp, type FinanceApp } from '../../support/finance.ts';
import {
  buildAddOn,
  buildCoupon,
  dataOf,
  deskOf,
  historyOf,
  invoicesOf,
  refused,
  runBilling,
  setTenantStatus,
  subscribe,
  tenantStatus,
} from './support.ts';

let app: FinanceApp;
beforeAll(async () => {
  app = await startFinanceApp();
});
afterAll(() => app.close());
beforeEach(() => setClock(noon('2027-01-10')));

const { subscriptions, post } = deskOf(() => app);
const reason = 'As was agreed by phone';

describe('Subscribing', () => {
  it('without a trial bills the first period at once', async () => {
    const { subscription, id, tenantId, plan } = await subscribe(app, subscriptions());
    expect(subscription).toMatchObject({
      tenant: { id: tenantId },
      plan: { id: plan.id, versionId: plan.versionId, version: 1 },
      status: 'ACTIVE',
      mrr: '999.00',
      price: '999.00',
      startedOn: '2027-01-10',
      trialEndsOn: null,
      currentPeriodStart: '2027-01-10',
      currentPeriodEnd: '2027-02-10',
      nextEventOn: '2027-02-10',
      version: 1,
      invoices: [{ number: expect.stringMatching(/^SS\/26-27\/\d{6}$/), status: 'OPEN', total: '1179.00' }],
    });
    expect(await invoicesOf(app, id)).toMatchObject([
      {
        reason: 'SUBSCRIPTION_CREATE',
        start: '2027-01-10',
        end: '2027-02-10',
        taxable: '999.00',
        collect: expect.any(Date),
      },
    ]);
    expect(await historyOf(app, id)).toMatchObject([{ type: 'CREATED', movement: 'NEW', after: '999.00' }]);
    const mails = await app.query(`select job, tenant_id from outbox_messages where dedupe_key = $1`, [
      `invoice-mail-${subscription.invoices[0].id}`,
    ]);
    expect(mails).toEqual([{ job: 'email.invoice', tenant_id: tenantId }]);
  });

  it('with a trial bills nothing before its end', async () => {
    const plan = await buildPlan(app, { trialDays: 14 });
    const tenant = await buildBilledTenant(app);
    await setTenantStatus(app, tenant.tenantId, 'TRIAL');
    const order = { tenantId: tenant.tenantId, planId: plan.id, billingCycle: 'ANNUAL' };
    const subscription = dataOf(await subscriptions().post('', order), 201);
    expect(subscription).toMatchObject({
      status: 'TRIAL',
      mrr: '0.00',
      trialEndsOn: '2027-01-24',
      currentPeriodEnd: '2027-01-24',
      nextEventOn: '2027-01-24',
      invoices: [],
    });
    expect(await invoicesOf(app, subscription.id)).toEqual([]);
    const [row] = await app.query(`select status, trial_ends_at from tenants where id = $1`, [tenant.tenantId]);
    expect(row).toEqual({ status: 'TRIAL', trial_ends_at: new Date('2027-01-24T00:00:00+05:30') });
  });

  it('with coupon and add-ons bills all of it', async () => {
    const [coupon, addOn] = [await buildCoupon(app), await buildAddOn(app)];
    const body = { couponCode: coupon.code.toLowerCase(), addOns: [{ addOnId: addOn.id, quantity: 2 }] };
    const { subscription, id } = await subscribe(app, subscriptions(), { body });
    expect(subscription).toMatchObject({
      mrr: '1349.10',
      addOns: [{ addOnId: addOn.id, quantity: 2, price: '250.00', endsOn: null }],
      coupons: [{ couponId: coupon.id, code: coupon.code, holds: true }],
    });
    expect(await invoicesOf(app, id)).toMatchObject([{ taxable: '1349.10' }]);
  });

  it('makes a tenant a customer, unless it is suspended', async () => {
    for (const [before, after] of [
      ['TRIAL', 'ACTIVE'],
      ['INACTIVE', 'ACTIVE'],
      ['SUSPENDED', 'SUSPENDED'],
    ] as const) {
      const { tenantId } = await app.ownerWithToken();
      await setTenantStatus(app, tenantId, before);
      const order = { tenantId, planId: (await buildPlan(app)).id, billingCycle: 'MONTHLY' };
      dataOf(await subscriptions().post('', order), 201);
      expect(await tenantStatus(app, tenantId)).toBe(after);
    }
  });

  it('is for a tenant that has none that runs: of two at once one gets it', async () => {
    const { tenantId } = await app.ownerWithToken();
    const plan = await buildPlan(app);
    const order = { tenantId, planId: plan.id, billingCycle: 'MONTHLY' };
    const answers = await Promise.all([1, 2, 3].map(() => subscriptions().post('', order)));
    expect(statusesOf(answers)).toEqual([201, 409, 409]);
    const id = answers.find(({ status }) => status === 201)?.body.data.id as string;
    refused(await subscriptions().post('', order), 409, 'Change that one');
    dataOf(await post(id, 'cancel', { at: 'NOW', reason }));
    dataOf(await subscriptions().post('', order), 201);
  });

  it('the same twice with the same key subscribes once', async () => {
    const { tenantId } = await app.ownerWithToken();
    const call = {
      token: app.finance,
      headers: freshKey(),
      body: { tenantId, planId: (await buildPlan(app)).id, billingCycle: 'MONTHLY' },
    };
    const first = await app.call('POST', '/api/subscriptions', call);
    const second = await app.call('POST', '/api/subscriptions', call);
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body).toEqual(first.body);
    expect((await app.call('POST', '/api/subscriptions', { ...call, headers: {} })).status).toBe(400);
  });

  it('says what is not there or cannot be had', async () => {
    const { tenantId } = await app.ownerWithToken();
    const [plan, archived, other] = [await buildPlan(app), await buildPlan(app), await app.buildTenant()];
    await app.query(`update subscription_plans set status = 'ARCHIVED' where id = $1`, [archived.id]);
    const foreign = await buildPaymentMethod(app, other.id);
    const order = { tenantId, planId: plan.id, billingCycle: 'MONTHLY' };
    const send = (changes: object) => subscriptions().post('', { ...order, ...changes });
    refused(await send({ tenantId: plan.id }), 404, 'tenant');
    refused(await send({ planId: tenantId }), 404, 'plan');
    refused(await send({ planId: archived.id }), 409, 'archived');
    refused(await send({ paymentMethodId: foreign }), 404, 'payment method');
    refused(await send({ couponCode: 'NOSUCHCODE' }), 404, 'coupon');
    refused(await send({ addOns: [{ addOnId: tenantId }] }), 404, 'add-on');
    const addOn = await buildAddOn(app);
    expect((await send({ addOns: [{ addOnId: addOn.id }, { addOnId: addOn.id }] })).status).toBe(400);
    await setTenantStatus(app, tenantId, 'OFFBOARDING');
    refused(await send({}), 409, 'leaving');
    expect(await app.query(`select 1 from subscriptions where tenant_id = $1`, [tenantId])).toEqual([]);
  });
});

describe('How it is collected', () => {
  it('can be changed, by whom has seen what it is now', async () => {
    const { id } = await subscribe(app, subscriptions());
    const changed = dataOf(await subscriptions().put(`/${id}`, { collectionMethod: 'SEND_INVOICE' }));
    expect(changed).toMatchObject({ collectionMethod: 'SEND_INVOICE', version: 2 });
    const stale = await app.call('PUT', `/api/subscriptions/${id}`, {
      token: app.finance,
      body: { collectionMethod: 'AUTOMATIC' },
      headers: { 'if-match': '"1"' },
    });
    expect(stale.status).toBe(412);
    setClock(noon('2027-02-10'));
    await runBilling();
    expect((await invoicesOf(app, id)).at(-1)?.collect).toBeNull();
  });

  it('is a payment method of the same tenant that can be charged', async () => {
    const [one, other] = [await subscribe(app, subscriptions()), await subscribe(app, subscriptions())];
    const [own] = await app.query<{ id: string }>(`select id from payment_methods where tenant_id = $1`, [
      one.tenantId,
    ]);
    const [foreign] = await app.query<{ id: string }>(`select id from payment_methods where tenant_id = $1`, [
      other.tenantId,
    ]);
    const set = (paymentMethodId: string) =>
      subscriptions().put(`/${one.id}/payment-method`, { paymentMethodId }, one.token);
    expect(dataOf(await set(own!.id)).paymentMethod).toMatchObject({ id: own!.id, label: 'Visa 4242' });
    refused(await set(foreign!.id), 404, 'payment method');
    refused(
      await subscriptions().put(`/${one.id}/payment-method`, { paymentMethodId: foreign!.id }),
      404,
      'payment method of this tenant',
    );
    await app.query(`update payment_methods set status = 'FAILED' where id = $1`, [own!.id]);
    refused(await set(own!.id), 409, 'FAILED and cannot be charged');
  });
});
