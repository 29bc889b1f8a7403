import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addDays, dayOfColumn } from '../../../src/utils/india-day.ts';
import { buildPlan, noon, resetClock, setClock } from '../../support/billing.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { buildAddOn, buildCoupon, expectHistoryAddsUp, runBilling, subscribe, subscriptionsOf } from './support.ts';

let app: TestApp;
let token: string;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(async () => {
  resetClock();
  await app.close();
});

/** The same numbers for the same seed (mulberry32), so that what went wrong goes wrong again. */
function randomOf(seed: number) {
  let state = seed;
  return (below: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

describe('rule 28: movements add up to the MRR', () => {
  it.each([1, 2, 3, 4])('whatever is done, in whatever order (%i)', async (seed) => {
    // Coupons can be tried so often by one person.
    token = await app.adminToken({ role: 'finance' });
    const below = randomOf(seed * 7919);
    const subscriptions = subscriptionsOf(app, () => token);
    const plans = [
      await buildPlan(app, { monthlyPrice: '499.00', annualPrice: '4990.00' }),
      await buildPlan(app),
      await buildPlan(app, { monthlyPrice: '2499.00', annualPrice: '24990.00' }),
    ];
    const addOns = [await buildAddOn(app), await buildAddOn(app, { monthlyPrice: '99.00', annualPrice: '999.00' })];
    const coupons = [
      await buildCoupon(app),
      await buildCoupon(app, { duration: 'ONCE' }),
      await buildCoupon(app, { duration: 'REPEATING', months: 2, percent: '33.33' }),
      await buildCoupon(app, { kind: 'FIXED', percent: null, amount: '150.00', planIds: [plans[1]!.id] }),
    ];
    let day = '2027-01-31';
    setClock(noon(day));
    const { id } = await subscribe(app, subscriptions, { plan: plans[1]!, body: { trialDays: below(2) * 10 } });
    const pick = <Item>(items: readonly Item[]): Item => items[below(items.length)] as Item;
    const reason = 'A turn of the dice';
    const deeds = [
      () =>
        subscriptions.post(`/${id}/change`, {
          planId: pick(plans).id,
          billingCycle: pick(['MONTHLY', 'MONTHLY', 'ANNUAL']),
        }),
      () => subscriptions.post(`/${id}/change`, { planId: pick(plans).id }),
      () => subscriptions.post(`/${id}/coupons`, { code: pick(coupons).code }),
      () => subscriptions.remove(`/${id}/coupons/${pick(coupons).id}`),
      () => subscriptions.post(`/${id}/add-ons`, { addOnId: pick(addOns).id, quantity: 1 + below(3) }),
      () => subscriptions.remove(`/${id}/add-ons/${pick(addOns).id}`),
      () => subscriptions.post(`/${id}/pause`, {}),
      () => subscriptions.post(`/${id}/resume`),
      () => subscriptions.post(`/${id}/cancel`, { at: pick(['NOW', 'PERIOD_END']), reason }),
      () => subscriptions.post(`/${id}/uncancel`),
      () => subscriptions.post(`/${id}/reactivate`, { planId: pick(plans).id }),
      () => subscriptions.post(`/${id}/renew`),
    ];
    let done = 0;
    for (let turn = 0; turn < 48; turn += 1) {
      const answer = await pick(deeds)();
      // What does not go then is refused, and nothing else happens.
      expect([200, 404, 409], answer.text).toContain(answer.status);
      if (answer.status === 200) done += 1;
      const days = below(20);
      day = addDays(day, days);
      // On the same day time goes on, and never back.
      if (days > 0) setClock(noon(day));
      if (below(3) === 0) await runBilling();
      if (turn % 4 === 3) await expectHistoryAddsUp(app, id);
    }
    expect(done).toBeGreaterThan(8);
    await expectBooksInOrder(id);
  });
});

/** One invoice a period, no day of the plan billed twice by the calendar, and sums that hold. */
async function expectBooksInOrder(id: string): Promise<void> {
  const periods = await app.query<{ start: Date; end: Date }>(
    `select period_start::timestamp at time zone 'UTC' as start, period_end::timestamp at time zone 'UTC' as end
       from invoices where subscription_id = $1 and reason = 'SUBSCRIPTION_CYCLE' order by period_start`,
    [id],
  );
  periods.forEach(({ start }, index) => {
    const before = periods[index - 1];
    if (before) expect(dayOfColumn(start) >= dayOfColumn(before.end)).toBe(true);
  });
  const wrong = await app.query(
    `select i.number from invoices i join lateral (select sum(taxable) as taxable, sum(total) as total from invoice_items
       where invoice_id = i.id) l on true
      where i.subscription_id = $1 and (i.taxable <> l.taxable or i.total <> l.total + i.round_off or i.total < 0)`,
    [id],
  );
  expect(wrong).toEqual([]);
}
