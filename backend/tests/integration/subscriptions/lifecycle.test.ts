import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildPaymentMethod, buildPlan, noon, setClock } from '../../support/billing.ts';
import { startFinanceApp, type FinanceApp } from '../../support/finance.ts';
import {
  buildAddOn,
  buildCoupon,
  dataOf,
  deskOf,
  expectHistoryAddsUp,
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

const { subscriptions, read, post } = deskOf(() => app);
const reason = 'As was agreed by phone';

describe('Cancelling', () => {
  it('with the end of the period lets it run until then, and can be called off', async () => {
    const { id, tenantId } = await subscribe(app, subscriptions());
    const cancelled = dataOf(await post(id, 'cancel', { at: 'PERIOD_END', reason }));
    expect(cancelled).toMatchObject({ status: 'ACTIVE', cancelAtPeriodEnd: true, cancelReason: reason, mrr: '999.00' });
    refused(await post(id, 'cancel', { at: 'PERIOD_END', reason }), 409, '2027-02-10 already');
    expect(dataOf(await post(id, 'uncancel'))).toMatchObject({ cancelAtPeriodEnd: false, cancelledAt: null });
    refused(await post(id, 'uncancel'), 409, 'was not cancelled');
    dataOf(await post(id, 'cancel', { at: 'PERIOD_END', reason }));
    setClock(noon('2027-02-12'));
    await runBilling();
    expect(await read(id)).toMatchObject({
      status: 'CANCELLED',
      endedOn: '2027-02-10',
      cancelledAt: expect.stringMatching(/^2027-01-10/),
      nextEventOn: null,
      mrr: '0.00',
    });
    expect(await tenantStatus(app, tenantId)).toBe('INACTIVE');
    expect(await invoicesOf(app, id)).toHaveLength(1);
    expect((await historyOf(app, id)).at(-1)).toMatchObject({ type: 'CANCELLED', movement: 'CHURN', on: '2027-02-10' });
    refused(await post(id, 'uncancel'), 409, 'reactivate');
    await expectHistoryAddsUp(app, id);
  });

  it('calls off the change that waits', async () => {
    const { id } = await subscribe(app, subscriptions());
    const other = await buildPlan(app, { monthlyPrice: '99.00' });
    dataOf(await post(id, 'change', { planId: other.id }));
    expect(dataOf(await post(id, 'cancel', { at: 'PERIOD_END', reason })).scheduledChange).toBeNull();
  });

  it('at once ends it today, and gives nothing back', async () => {
    const { id, tenantId } = await subscribe(app, subscriptions());
    setClock(noon('2027-01-20'));
    const cancelled = dataOf(await post(id, 'cancel', { at: 'NOW', reason }));
    expect(cancelled).toMatchObject({ status: 'CANCELLED', endedOn: '2027-01-20', mrr: '0.00', nextEventOn: null });
    expect(await invoicesOf(app, id)).toMatchObject([{ status: 'OPEN', taxable: '999.00' }]);
    expect(await tenantStatus(app, tenantId)).toBe('INACTIVE');
    expect((await post(id, 'cancel', { at: 'NOW', reason })).body.error.code).toBe('invalid_transition');
    setClock(noon('2027-03-20'));
    await runBilling();
    expect(await invoicesOf(app, id)).toHaveLength(1);
  });

  it('leaves a tenant suspended that is suspended', async () => {
    const { id, tenantId } = await subscribe(app, subscriptions());
    await setTenantStatus(app, tenantId, 'SUSPENDED');
    dataOf(await post(id, 'cancel', { at: 'NOW', reason }));
    expect(await tenantStatus(app, tenantId)).toBe('SUSPENDED');
  });

  it('of a trial is its end', async () => {
    const { id } = await subscribe(app, subscriptions(), { body: { trialDays: 14 } });
    dataOf(await post(id, 'cancel', { at: 'PERIOD_END', reason }));
    setClock(noon('2027-01-24'));
    await runBilling();
    expect(await read(id)).toMatchObject({ status: 'CANCELLED', endedOn: '2027-01-24' });
    expect(await invoicesOf(app, id)).toEqual([]);
  });

  it('ends the dunning of its invoices', async () => {
    const { id, tenantId } = await subscribe(app, subscriptions());
    const [invoice] = await invoicesOf(app, id);
    await app.query(
      `insert into dunning_runs (id, tenant_id, invoice_id, subscription_id, campaign_id, plan, started_on, updated_at)
       select 'c' || substr(md5(random()::text), 1, 24), $1, $2, $3, id, '{}', '2027-01-12', now() from dunning_campaigns where is_default`,
      [tenantId, invoice!.id, id],
    );
    dataOf(await post(id, 'cancel', { at: 'NOW', reason }));
    const [run] = await app.query(`select status, close_reason from dunning_runs where subscription_id = $1`, [id]);
    expect(run).toEqual({ status: 'CLOSED', close_reason: 'CANCELLED' });
  });

  it.each(['', '    ', 'abc', 'x'.repeat(501)])('needs a reason worth the name: not "%s"', async (told) => {
    const { id } = await subscribe(app, subscriptions());
    expect((await post(id, 'cancel', { at: 'NOW', reason: told })).status).toBe(400);
  });
});

describe('Reactivating', () => {
  it('begins a period today, on what is offered now', async () => {
    const { id, tenantId } = await subscribe(app, subscriptions());
    dataOf(await post(id, 'cancel', { at: 'NOW', reason }));
    setClock(noon('2027-03-05'));
    const back = dataOf(await post(id, 'reactivate', {}));
    expect(back).toMatchObject({
      status: 'ACTIVE',
      endedOn: null,
      cancelledAt: null,
      currentPeriodStart: '2027-03-05',
      currentPeriodEnd: '2027-04-05',
      mrr: '999.00',
      invoices: [{ status: 'OPEN' }],
    });
    expect(await tenantStatus(app, tenantId)).toBe('ACTIVE');
    expect((await historyOf(app, id)).at(-1)).toMatchObject({ type: 'REACTIVATED', movement: 'REACTIVATION' });
    refused(await post(id, 'reactivate', {}), 409, 'only one that has ended');
    await expectHistoryAddsUp(app, id);
  });

  it('takes another plan and cycle', async () => {
    const { id } = await subscribe(app, subscriptions(), { method: false, body: { trialDays: 5 } });
    setClock(noon('2027-01-15'));
    await runBilling();
    const other = await buildPlan(app, { annualPrice: '24990.00' });
    const back = dataOf(await post(id, 'reactivate', { planId: other.id, billingCycle: 'ANNUAL' }));
    expect(back).toMatchObject({
      plan: { id: other.id },
      billingCycle: 'ANNUAL',
      currentPeriodEnd: '2028-01-15',
      mrr: '2082.50',
    });
  });

  it('on the day on which the period was invoiced bills it once', async () => {
    const { id } = await subscribe(app, subscriptions());
    dataOf(await post(id, 'cancel', { at: 'NOW', reason }));
    const other = await buildPlan(app);
    refused(await post(id, 'reactivate', { planId: other.id }), 409, 'invoiced already');
    expect(dataOf(await post(id, 'reactivate', {})).invoices).toEqual([]);
    expect(await invoicesOf(app, id)).toHaveLength(1);
  });

  it('does not go beside another one that runs', async () => {
    const { id, tenantId, plan } = await subscribe(app, subscriptions());
    dataOf(await post(id, 'cancel', { at: 'NOW', reason }));
    dataOf(await subscriptions().post('', { tenantId, planId: plan.id, billingCycle: 'MONTHLY' }), 201);
    refused(await post(id, 'reactivate', {}), 409, 'another subscription that runs');
  });

  it('by people of a library needs a way to charge them, and what is overdue to be paid', async () => {
    const { id, tenantId, token: owner } = await subscribe(app, subscriptions(), { method: false });
    dataOf(await post(id, 'cancel', { at: 'NOW', reason }, owner));
    setClock(noon('2027-03-05'));
    refused(await post(id, 'reactivate', {}, owner), 409, /Invoice SS\S+ is overdue/);
    await app.query(
      `update invoices set status = 'PAID', amount_paid = total, amount_due = 0, paid_at = now() where subscription_id = $1`,
      [id],
    );
    refused(await post(id, 'reactivate', {}, owner), 409, 'no payment method');
    await buildPaymentMethod(app, tenantId);
    expect(dataOf(await post(id, 'reactivate', {}, owner))).toMatchObject({ status: 'ACTIVE' });
    expect(await tenantStatus(app, tenantId)).toBe('ACTIVE');
  });
});

describe('Pausing', () => {
  it('stops the period, which gets its days back', async () => {
    const { id } = await subscribe(app, subscriptions());
    setClock(noon('2027-01-20'));
    const paused = dataOf(await post(id, 'pause', { reason }));
    expect(paused).toMatchObject({
      status: 'PAUSED',
      pausedOn: '2027-01-20',
      resumeOn: null,
      nextEventOn: null,
      mrr: '0.00',
    });
    setClock(noon('2027-04-01'));
    await runBilling();
    expect(await invoicesOf(app, id)).toHaveLength(1);
    const resumed = dataOf(await post(id, 'resume'));
    // 71 days later than 10 February.
    expect(resumed).toMatchObject({
      status: 'ACTIVE',
      pausedOn: null,
      currentPeriodEnd: '2027-04-22',
      nextEventOn: '2027-04-22',
      mrr: '999.00',
    });
    refused(await post(id, 'resume'), 409, 'not paused');
    setClock(noon('2027-04-22'));
    await runBilling();
    expect((await invoicesOf(app, id)).at(-1)).toMatchObject({ start: '2027-04-22', end: '2027-05-22' });
    expect((await historyOf(app, id)).map(({ type, movement }) => [type, movement])).toEqual([
      ['CREATED', 'NEW'],
      ['PAUSED', 'CHURN'],
      ['RESUMED', 'REACTIVATION'],
      ['RENEWED', null],
    ]);
    await expectHistoryAddsUp(app, id);
  });

  it('until a day ends by itself on that day, also when the run is late', async () => {
    const { id } = await subscribe(app, subscriptions());
    refused(await post(id, 'pause', { resumeOn: '2027-01-10' }), 400, 'after today');
    dataOf(await post(id, 'pause', { resumeOn: '2027-01-20' }));
    setClock(noon('2027-01-25'));
    await runBilling();
    expect(await read(id)).toMatchObject({ status: 'ACTIVE', currentPeriodEnd: '2027-02-20' });
    expect((await historyOf(app, id)).at(-1)).toMatchObject({ type: 'RESUMED', on: '2027-01-20' });
  });

  it('moves what ends with the period, and the months of coupons', async () => {
    const [addOn, coupon] = [await buildAddOn(app), await buildCoupon(app, { duration: 'REPEATING', months: 2 })];
    const { id } = await subscribe(app, subscriptions(), {
      body: { addOns: [{ addOnId: addOn.id }], couponCode: coupon.code },
    });
    const other = await buildPlan(app, { monthlyPrice: '99.00' });
    dataOf(await subscriptions().remove(`/${id}/add-ons/${addOn.id}`));
    dataOf(await post(id, 'change', { planId: other.id }));
    dataOf(await post(id, 'pause', {}));
    setClock(noon('2027-01-20'));
    expect(dataOf(await post(id, 'resume'))).toMatchObject({
      addOns: [{ endsOn: '2027-02-20' }],
      coupons: [{ endsOn: '2027-03-20' }],
      scheduledChange: { effectiveOn: '2027-02-20' },
    });
    await expectHistoryAddsUp(app, id);
  });

  it('is for what is active and goes on', async () => {
    const trial = await subscribe(app, subscriptions(), { body: { trialDays: 3 } });
    expect((await post(trial.id, 'pause', {})).body.error.code).toBe('invalid_transition');
    const { id } = await subscribe(app, subscriptions());
    dataOf(await post(id, 'cancel', { at: 'PERIOD_END', reason }));
    refused(await post(id, 'pause', {}), 409, 'uncancel');
    dataOf(await post(id, 'uncancel'));
    await app.query(`update subscriptions set status = 'PAST_DUE' where id = $1`, [id]);
    expect((await post(id, 'pause', {})).body.error.code).toBe('invalid_transition');
    await app.query(`update subscriptions set status = 'ACTIVE' where id = $1`, [id]);
    dataOf(await post(id, 'pause', {}));
    refused(await post(id, 'cancel', { at: 'PERIOD_END', reason }), 409, 'Cancel it now, or resume it');
    expect(dataOf(await post(id, 'cancel', { at: 'NOW', reason }))).toMatchObject({
      status: 'CANCELLED',
      pausedOn: null,
    });
  });
});
