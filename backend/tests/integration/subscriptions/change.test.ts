import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildPlan, freshKey, noon, setClock } from '../../support/billing.ts';
import { statusesOf } from '../../support/calls.ts';
import { startFinanceApp, type FinanceApp } from '../../support/finance.ts';
import { augustOf } from './august.ts';
import {
  buildAddOn,
  buildCoupon,
  dataOf,
  expectHistoryAddsUp,
  historyOf,
  invoicesOf,
  refused,
  runBilling,
  subscribe,
} from './support.ts';

let app: FinanceApp;
beforeAll(async () => {
  app = await startFinanceApp();
});
afterAll(() => app.close());

const { subscriptions, onAugust, preview, change, read, linesOf } = augustOf(() => app);

describe('rule 19: an upgrade within a period', () => {
  it('rule 19: 999 to 2,499 on 11 August, outside of the state: 21 of 31 days, 1,199.03 to be paid', async () => {
    const { id, large } = await onAugust(11);
    const quote = dataOf(await preview(id, large));
    expect(quote).toMatchObject({
      kind: 'UPGRADE',
      when: 'NOW',
      on: '2027-08-11',
      proration: { days: 21, daysInPeriod: 31, credit: '676.74', charge: '1692.87', net: '1016.13' },
      taxable: '1016.13',
      cgst: '0.00',
      sgst: '0.00',
      igst: '182.90',
      total: '1199.03',
      mrrBefore: '999.00',
      mrrAfter: '2499.00',
    });
    const changed = dataOf(await change(id, { token: quote.token }));
    expect(changed).toMatchObject({
      plan: { id: large.id },
      mrr: '2499.00',
      currentPeriodStart: '2027-08-01',
      currentPeriodEnd: '2027-09-01',
      invoices: [{ total: '1199.03', amountDue: '1199.03' }],
    });
    const [first, second] = await invoicesOf(app, id);
    expect(first).toMatchObject({ reason: 'SUBSCRIPTION_CREATE', start: '2027-08-01' });
    expect(second).toMatchObject({
      reason: 'SUBSCRIPTION_CHANGE',
      start: '2027-08-11',
      end: '2027-09-01',
      total: '1199.03',
    });
    expect(second?.collect).not.toBeNull();
    expect(await linesOf(second!.id)).toEqual([
      {
        kind: 'PRORATION_CREDIT',
        price: '-676.74',
        discount: '0.00',
        taxable: '-676.74',
        start: '2027-08-11',
        end: '2027-09-01',
      },
      {
        kind: 'PRORATION_CHARGE',
        price: '1692.87',
        discount: '0.00',
        taxable: '1692.87',
        start: '2027-08-11',
        end: '2027-09-01',
      },
    ]);
    await expectHistoryAddsUp(app, id);
  });

  it('rule 19: the example that Stripe documents, 10 → 20 half-way: −5, +10', async () => {
    const [ten, twenty] = [
      await buildPlan(app, { monthlyPrice: '10.00', annualPrice: '100.00' }),
      await buildPlan(app, { monthlyPrice: '20.00', annualPrice: '200.00' }),
    ];
    setClock(noon('2027-06-01'));
    const { id } = await subscribe(app, subscriptions(), { plan: ten });
    setClock(noon('2027-06-16'));
    const quote = dataOf(await preview(id, twenty));
    expect(quote.proration).toEqual({ days: 15, daysInPeriod: 30, credit: '5.00', charge: '10.00', net: '5.00' });
  });

  it('is charged in full on the first day, and for one day on the last', async () => {
    const first = await onAugust(1);
    expect(dataOf(await preview(first.id, first.large)).proration).toMatchObject({ days: 31, net: '1500.00' });
    const last = await onAugust(31);
    expect(dataOf(await preview(last.id, last.large)).proration).toMatchObject({
      days: 1,
      credit: '32.23',
      charge: '80.61',
    });
  });

  it('again on the same day is another invoice: nothing of the first is credited twice', async () => {
    const { id, large } = await onAugust(11);
    const largest = await buildPlan(app, { monthlyPrice: '4999.00', annualPrice: '49990.00' });
    dataOf(await change(id, { planId: large.id }));
    const again = dataOf(await change(id, { planId: largest.id }));
    expect(again.mrr).toBe('4999.00');
    const changes = (await invoicesOf(app, id)).filter(({ reason }) => reason === 'SUBSCRIPTION_CHANGE');
    expect(changes.map(({ taxable }) => taxable)).toEqual(['1016.13', '1693.55']);
    await expectHistoryAddsUp(app, id);
  });

  it('two at once: one invoice, and the other is told that it has that plan', async () => {
    const { id, large } = await onAugust(11);
    const answers = await Promise.all([change(id, { planId: large.id }), change(id, { planId: large.id })]);
    expect(statusesOf(answers)).toEqual([200, 409]);
    expect(await invoicesOf(app, id)).toHaveLength(2);
  });

  it('the same twice, with the same key: one invoice, and the same answer', async () => {
    const { id, large } = await onAugust(11);
    const call = { token: app.finance, body: { planId: large.id }, headers: freshKey() };
    const first = await app.call('POST', `/api/subscriptions/${id}/change`, call);
    const second = await app.call('POST', `/api/subscriptions/${id}/change`, call);
    expect(second.body).toEqual(first.body);
    expect(await invoicesOf(app, id)).toHaveLength(2);
  });

  it('does not go where an invoice of the subscription is overdue', async () => {
    const { id, large } = await onAugust(11);
    await app.query(`update subscriptions set status = 'PAST_DUE' where id = $1`, [id]);
    refused(await change(id, { planId: large.id }), 409, 'overdue');
    expect(dataOf(await change(id, { planId: large.id, when: 'PERIOD_END' })).scheduledChange).toMatchObject({
      planId: large.id,
    });
  });

  it('moves the next invoice with it', async () => {
    const { id, large } = await onAugust(11);
    dataOf(await change(id, { planId: large.id }));
    setClock(noon('2027-09-01'));
    await runBilling();
    const invoices = await invoicesOf(app, id);
    expect(invoices.at(-1)).toMatchObject({ reason: 'SUBSCRIPTION_CYCLE', start: '2027-09-01', taxable: '2499.00' });
  });
});

describe('rule 19: a downgrade', () => {
  it('waits for the end of the period, and is not made at once', async () => {
    const { id, small, large } = await onAugust(11);
    dataOf(await change(id, { planId: large.id }));
    const quote = dataOf(await preview(id, small));
    expect(quote).toMatchObject({
      kind: 'DOWNGRADE',
      when: 'PERIOD_END',
      on: '2027-09-01',
      proration: null,
      total: '0.00',
      mrrBefore: '2499.00',
      mrrAfter: '999.00',
    });
    refused(await change(id, { planId: small.id, when: 'NOW' }), 409, /what was paid is not given back.*PERIOD_END/);
    const scheduled = dataOf(await change(id, { token: quote.token }));
    expect(scheduled).toMatchObject({
      plan: { id: large.id },
      mrr: '2499.00',
      invoices: [],
      scheduledChange: { planId: small.id, effectiveOn: '2027-09-01' },
    });
    setClock(noon('2027-09-01'));
    await runBilling();
    expect(await read(id)).toMatchObject({ plan: { id: small.id }, mrr: '999.00', scheduledChange: null });
    expect((await invoicesOf(app, id)).at(-1)).toMatchObject({ start: '2027-09-01', taxable: '999.00' });
    expect((await historyOf(app, id)).slice(-2)).toMatchObject([
      { type: 'PLAN_CHANGED', movement: 'CONTRACTION', on: '2027-09-01' },
      { type: 'RENEWED', movement: null },
    ]);
    await expectHistoryAddsUp(app, id);
  });

  it('of a voided invoice nothing comes back', async () => {
    const { id, large } = await onAugust(11);
    const [first] = await invoicesOf(app, id);
    await app.query(
      `update invoices set status = 'VOID', amount_due = 0, amount_paid = 0, voided_at = now() where id = $1`,
      [first!.id],
    );
    expect(dataOf(await preview(id, large)).proration).toMatchObject({ credit: '0.00', charge: '1692.87' });
  });
});

describe('A change of cycle', () => {
  it('from months to a year begins a year today: what is left of the month comes back', async () => {
    const { id, small } = await onAugust(11);
    const quote = dataOf(await preview(id, small, { billingCycle: 'ANNUAL' }));
    expect(quote).toMatchObject({
      kind: 'UPGRADE',
      when: 'NOW',
      proration: { credit: '676.74', charge: '9990.00', net: '9313.26' },
      mrrAfter: '832.50',
    });
    const changed = dataOf(await change(id, { token: quote.token }));
    expect(changed).toMatchObject({
      billingCycle: 'ANNUAL',
      currentPeriodStart: '2027-08-11',
      currentPeriodEnd: '2028-08-11',
      mrr: '832.50',
    });
    setClock(noon('2028-08-11'));
    dataOf(await subscriptions().post(`/${id}/renew`));
    expect((await invoicesOf(app, id)).map(({ start, taxable }) => [start, taxable])).toEqual([
      ['2027-08-01', '999.00'],
      ['2027-08-11', '9313.26'],
      ['2028-08-11', '9990.00'],
    ]);
    await expectHistoryAddsUp(app, id);
  });

  it('takes add-ons along, and lets those go that were given up', async () => {
    const [kept, left] = [await buildAddOn(app), await buildAddOn(app)];
    const { id, small } = await onAugust(11, {
      body: { addOns: [{ addOnId: kept.id, quantity: 2 }, { addOnId: left.id }] },
    });
    dataOf(await subscriptions().remove(`/${id}/add-ons/${left.id}`));
    const changed = dataOf(await change(id, { planId: small.id, billingCycle: 'ANNUAL' }));
    const lines = await linesOf(changed.invoices[0].id);
    // 250 for 21 of 31 days is 169.35.
    expect(lines.map(({ kind, taxable }) => [kind, taxable])).toEqual([
      ['PRORATION_CREDIT', '-676.74'],
      ['PRORATION_CREDIT', '-338.70'],
      ['PRORATION_CREDIT', '-169.35'],
      ['PRORATION_CHARGE', '9990.00'],
      ['PRORATION_CHARGE', '5000.00'],
    ]);
    expect(changed.addOns.map(({ addOnId }: { addOnId: string }) => addOnId)).toEqual([kept.id]);
    expect(changed.mrr).toBe('1249.17');
    await expectHistoryAddsUp(app, id);
  });

  it('from a year to months waits for the end of the year', async () => {
    const { id, large } = await onAugust(11, { body: { billingCycle: 'ANNUAL' } });
    refused(await change(id, { planId: large.id, billingCycle: 'MONTHLY', when: 'NOW' }), 409, 'used up first');
    const changed = dataOf(await change(id, { planId: large.id, billingCycle: 'MONTHLY' }));
    expect(changed.scheduledChange).toMatchObject({ billingCycle: 'MONTHLY', effectiveOn: '2028-08-01' });
    setClock(noon('2028-08-01'));
    dataOf(await subscriptions().post(`/${id}/renew`));
    expect(await read(id)).toMatchObject({ billingCycle: 'MONTHLY', currentPeriodEnd: '2028-09-01', mrr: '2499.00' });
  });
});

describe('rule 20: coupons and a change within a period', () => {
  it('percentages come off both prices, fixed amounts off neither', async () => {
    const [percent, fixed] = [
      await buildCoupon(app),
      await buildCoupon(app, { kind: 'FIXED', percent: null, amount: '200.00' }),
    ];
    const { id, large } = await onAugust(11, { body: { couponCode: percent.code } });
    const quote = dataOf(await preview(id, large));
    // 899.10 and 2,249.10, for 21 of 31 days
    expect(quote.proration).toMatchObject({ credit: '609.07', charge: '1523.58', net: '914.51' });
    expect(quote).toMatchObject({ mrrBefore: '899.10', mrrAfter: '2249.10' });
    const other = await onAugust(11, { body: { couponCode: fixed.code } });
    const plain = dataOf(await preview(other.id, other.large));
    expect(plain.proration).toMatchObject({ credit: '676.74', charge: '1692.87' });
    expect(plain).toMatchObject({ mrrBefore: '799.00', mrrAfter: '2299.00' });
  });

  it('what was had for less is credited for less, whatever became of the coupon', async () => {
    const half = await buildCoupon(app, { percent: '50.00' });
    const { id, large } = await onAugust(11, { body: { couponCode: half.code } });
    dataOf(await subscriptions().remove(`/${id}/coupons/${half.id}`));
    const quote = dataOf(await preview(id, large));
    // 499.50 for 21 of 31 days, and not 999
    expect(quote.proration).toMatchObject({ credit: '338.37', charge: '1692.87' });
  });

  it('one for the first invoice alone is credited as it was charged, and does not come off the change', async () => {
    const once = await buildCoupon(app, { percent: '100.00', duration: 'ONCE' });
    const { id, large } = await onAugust(11, { body: { couponCode: once.code } });
    expect(dataOf(await preview(id, large)).proration).toMatchObject({ credit: '0.00', charge: '1692.87' });
  });

  it('nobody carries one to a plan that it is not for', async () => {
    const small = await buildPlan(app);
    const large = await buildPlan(app, { monthlyPrice: '2499.00' });
    const ofSmall = await buildCoupon(app, { percent: '100.00', planIds: [small.id] });
    setClock(noon('2027-08-01'));
    const { id } = await subscribe(app, subscriptions(), { plan: small, body: { couponCode: ofSmall.code } });
    setClock(noon('2027-08-11'));
    const changed = dataOf(await change(id, { planId: large.id }));
    expect(changed).toMatchObject({ mrr: '2499.00', coupons: [] });
    // The small plan was had for nothing: nothing of it comes back.
    expect((await invoicesOf(app, id)).at(-1)).toMatchObject({ taxable: '1692.87' });
    await expectHistoryAddsUp(app, id);
  });
});
