import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildPaymentMethod, buildPlan, noon, setClock } from '../../support/billing.ts';
import { statusesOf } from '../../support/calls.ts';
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
  subscribe,
} from './support.ts';

let app: FinanceApp;
beforeAll(async () => {
  app = await startFinanceApp();
});
afterAll(() => app.close());
beforeEach(() => setClock(noon('2027-08-01')));

const { subscriptions } = deskOf(() => app);
const redeem = (id: string, code: string, who = app.finance) => subscriptions().post(`/${id}/coupons`, { code }, who);
const take = (id: string, addOnId: string, quantity?: number, who = app.finance) =>
  subscriptions().post(`/${id}/add-ons`, { addOnId, ...(quantity && { quantity }) }, who);
const giveUp = (id: string, addOnId: string) => subscriptions().remove(`/${id}/add-ons/${addOnId}`);
const redeemedCount = async (id: string) =>
  (await app.query<{ n: number }>(`select redeemed_count as n from coupons where id = $1`, [id]))[0]?.n;

describe('rule 20: redeeming a coupon', () => {
  it('reduces the MRR where it recurs, and not where it is for one invoice', async () => {
    const { id } = await subscribe(app, subscriptions());
    const [ever, once] = [await buildCoupon(app), await buildCoupon(app, { duration: 'ONCE' })];
    expect(dataOf(await redeem(id, ever.code))).toMatchObject({
      mrr: '899.10',
      coupons: [{ couponId: ever.id, percent: '10.00', holds: true, endsOn: null }],
    });
    expect(dataOf(await redeem(id, once.code))).toMatchObject({ mrr: '899.10' });
    expect(await redeemedCount(ever.id)).toBe(1);
    expect(dataOf(await subscriptions().get(`/${id}/upcoming-invoice`))).toMatchObject({
      subtotal: '999.00',
      discountTotal: '189.81',
      taxable: '809.19',
    });
    expect(dataOf(await subscriptions().remove(`/${id}/coupons/${ever.id}`))).toMatchObject({ mrr: '999.00' });
    refused(await subscriptions().remove(`/${id}/coupons/${ever.id}`), 404, 'coupon of this subscription');
    expect(await redeemedCount(ever.id)).toBe(1);
    await expectHistoryAddsUp(app, id);
  });

  it('is refused with its reason', async () => {
    const { id, plan } = await subscribe(app, subscriptions());
    const today = '2027-08-01';
    const cases = {
      'is not given any more': await buildCoupon(app, { status: 'INACTIVE' }),
      'could be redeemed until 2027-07-31': await buildCoupon(app, { redeemBy: '2027-07-31' }),
      'is used up': await buildCoupon(app, { most: 1 }),
      [`is not for ${plan.name}`]: await buildCoupon(app, { planIds: [(await buildPlan(app)).id] }),
    };
    await app.query(`update coupons set redeemed_count = 1 where id = $1`, [cases['is used up'].id]);
    for (const [told, { code, id: couponId }] of Object.entries(cases)) {
      const before = await redeemedCount(couponId);
      refused(await redeem(id, code), 409, told);
      expect(await redeemedCount(couponId)).toBe(before);
    }
    refused(await redeem(id, 'NOSUCHCODE'), 404, 'no such coupon');
    const good = await buildCoupon(app, { redeemBy: today, planIds: [plan.id] });
    dataOf(await redeem(id, good.code.toLowerCase()));
    refused(await redeem(id, good.code), 409, 'was redeemed already');
    dataOf(await subscriptions().remove(`/${id}/coupons/${good.id}`));
    refused(await redeem(id, good.code), 409, 'was redeemed already');
    dataOf(await subscriptions().post(`/${id}/cancel`, { at: 'NOW', reason: 'They are closing' }));
    refused(await redeem(id, (await buildCoupon(app)).code), 409, 'CANCELLED. Reactivate it first');
  });

  it('the last one goes to one of those who want it at once, and to nobody twice', async () => {
    const last = await buildCoupon(app, { most: 1 });
    const made = [];
    for (let n = 0; n < 4; n += 1) made.push(await subscribe(app, subscriptions()));
    expect(statusesOf(await Promise.all(made.map(({ id }) => redeem(id, last.code))))).toEqual([200, 409, 409, 409]);
    expect(await redeemedCount(last.id)).toBe(1);
    const many = await buildCoupon(app);
    const id = made[0]!.id;
    expect(statusesOf(await Promise.all([1, 2, 3].map(() => redeem(id, many.code))))).toEqual([200, 409, 409]);
    expect(await redeemedCount(many.id)).toBe(1);
    await expectHistoryAddsUp(app, id);
  });

  it('of more than there is makes it free, and no less', async () => {
    const { id } = await subscribe(app, subscriptions());
    const [big, all] = [
      await buildCoupon(app, { kind: 'FIXED', percent: null, amount: '5000.00' }),
      await buildCoupon(app, { percent: '100.00' }),
    ];
    expect(dataOf(await redeem(id, big.code))).toMatchObject({ mrr: '0.00' });
    expect(dataOf(await redeem(id, all.code))).toMatchObject({ mrr: '0.00' });
    expect(dataOf(await subscriptions().get(`/${id}/upcoming-invoice`))).toMatchObject({
      taxable: '0.00',
      total: '0.00',
    });
    expect((await historyOf(app, id)).at(-2)).toMatchObject({ movement: 'CHURN' });
  });

  it('can be tried so often and no oftener', async () => {
    const { id } = await subscribe(app, subscriptions());
    const guessing = await app.adminToken({ role: 'finance' });
    const tries = [];
    for (let n = 0; n < 31; n += 1) tries.push(await redeem(id, `GUESS${n}`, guessing));
    expect(tries.at(0)?.status).toBe(404);
    expect(tries.at(-1)?.status).toBe(429);
  });
});

describe('An add-on', () => {
  it('that is taken within a period is charged for the rest of it', async () => {
    const addOn = await buildAddOn(app);
    const { id } = await subscribe(app, subscriptions());
    setClock(noon('2027-08-11'));
    const taken = dataOf(await take(id, addOn.id, 2));
    // 250 for 21 of 31 days is 169.35; twice that and 18 % is 399.67.
    expect(taken).toMatchObject({
      mrr: '1499.00',
      addOns: [{ addOnId: addOn.id, quantity: 2, price: '250.00', addedOn: '2027-08-11', endsOn: null }],
      invoices: [{ total: '399.67' }],
    });
    const [line] = await app.query(
      `select kind, quantity::text, unit_price::text as price, to_char(period_start, 'YYYY-MM-DD') as start, to_char(period_end, 'YYYY-MM-DD') as end
         from invoice_items where invoice_id = $1`,
      [taken.invoices[0].id],
    );
    expect(line).toEqual({
      kind: 'PRORATION_CHARGE',
      quantity: '2.000',
      price: '169.35',
      start: '2027-08-11',
      end: '2027-09-01',
    });
    refused(await take(id, addOn.id), 409, 'has Second library already');
    const other = await buildAddOn(app);
    dataOf(await take(id, other.id));
    expect(await invoicesOf(app, id)).toHaveLength(3);
    await expectHistoryAddsUp(app, id);
  });

  it('two at once: one of them, and one invoice', async () => {
    const addOn = await buildAddOn(app);
    const { id } = await subscribe(app, subscriptions());
    expect(statusesOf(await Promise.all([take(id, addOn.id), take(id, addOn.id)]))).toEqual([200, 409]);
    expect(await invoicesOf(app, id)).toHaveLength(2);
  });

  it('in a trial is free until its end', async () => {
    const addOn = await buildAddOn(app);
    const { id } = await subscribe(app, subscriptions(), { body: { trialDays: 10 } });
    expect(dataOf(await take(id, addOn.id))).toMatchObject({ invoices: [], mrr: '0.00' });
    setClock(noon('2027-08-11'));
    expect(dataOf(await subscriptions().post(`/${id}/renew`))).toMatchObject({ mrr: '1249.00' });
    expect(await invoicesOf(app, id)).toMatchObject([{ taxable: '1249.00' }]);
  });

  it('that is given up stays until the end of the period, and can be kept', async () => {
    const addOn = await buildAddOn(app);
    const { id } = await subscribe(app, subscriptions(), { body: { addOns: [{ addOnId: addOn.id, quantity: 2 }] } });
    expect(dataOf(await giveUp(id, addOn.id))).toMatchObject({ mrr: '1499.00', addOns: [{ endsOn: '2027-09-01' }] });
    refused(await giveUp(id, addOn.id), 409, 'ends on 2027-09-01');
    expect(dataOf(await subscriptions().get(`/${id}/upcoming-invoice`))).toMatchObject({ taxable: '999.00' });
    refused(await take(id, addOn.id, 3), 409, '2 of Second library are there until 2027-09-01');
    expect(dataOf(await take(id, addOn.id, 2))).toMatchObject({
      invoices: [],
      addOns: [{ endsOn: null }],
      mrr: '1499.00',
    });
    expect(await invoicesOf(app, id)).toHaveLength(1);
    refused(await giveUp(id, (await buildAddOn(app)).id), 404, 'add-on of this subscription');
    await expectHistoryAddsUp(app, id);
  });

  it('keeps the price at which it was taken', async () => {
    const addOn = await buildAddOn(app);
    const { id } = await subscribe(app, subscriptions(), { body: { addOns: [{ addOnId: addOn.id }] } });
    await app.query(`update add_ons set monthly_price = 900 where id = $1`, [addOn.id]);
    expect(dataOf(await subscriptions().get(`/${id}/upcoming-invoice`))).toMatchObject({ taxable: '1249.00' });
  });

  it('is charged less percentages of coupons that recur', async () => {
    const [addOn, coupon] = [await buildAddOn(app), await buildCoupon(app, { percent: '20.00' })];
    const { id } = await subscribe(app, subscriptions(), { body: { couponCode: coupon.code } });
    dataOf(await take(id, addOn.id));
    expect((await invoicesOf(app, id)).at(-1)).toMatchObject({ taxable: '200.00' });
  });

  it('is not had where it is archived, overdue, paused or over', async () => {
    const [addOn, archived] = [await buildAddOn(app), await buildAddOn(app)];
    await app.query(`update add_ons set status = 'ARCHIVED' where id = $1`, [archived.id]);
    const { id } = await subscribe(app, subscriptions());
    refused(await take(id, archived.id), 409, 'archived');
    await app.query(`update subscriptions set status = 'PAST_DUE' where id = $1`, [id]);
    refused(await take(id, addOn.id), 409, 'overdue');
    await app.query(`update subscriptions set status = 'ACTIVE' where id = $1`, [id]);
    dataOf(await subscriptions().post(`/${id}/pause`, {}));
    refused(await take(id, addOn.id), 409, 'paused');
    dataOf(await subscriptions().post(`/${id}/cancel`, { at: 'NOW', reason: 'They are closing' }));
    refused(await take(id, addOn.id), 409, 'ended');
  });

  it('needs somebody to charge, for people of a library', async () => {
    const addOn = await buildAddOn(app);
    const { id, token: owner, tenantId } = await subscribe(app, subscriptions(), { method: false });
    refused(await take(id, addOn.id, 1, owner), 409, 'no payment method');
    expect(dataOf(await subscriptions().get(`/${id}`)).addOns).toEqual([]);
    await buildPaymentMethod(app, tenantId);
    dataOf(await take(id, addOn.id, 1, owner));
  });
});
