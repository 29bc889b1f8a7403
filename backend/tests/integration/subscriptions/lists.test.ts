import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildPlan, noon, setClock } from '../../support/billing.ts';
import { startFinanceApp, type FinanceApp } from '../../support/finance.ts';
import { buildAddOn, buildCoupon, dataOf, deskOf, refused, runBilling, subscribe } from './support.ts';

let app: FinanceApp;
type Subscribed = Awaited<ReturnType<typeof subscribe>>;
let made: Record<'small' | 'large' | 'annual' | 'trial' | 'bareTrial' | 'cancelled' | 'ended' | 'paused', Subscribed>;

const { subscriptions } = deskOf(() => app);
const reason = 'They close for the summer';

beforeAll(async () => {
  app = await startFinanceApp();
  setClock(noon('2027-01-10'));
  const plan = await buildPlan(app);
  const largePlan = await buildPlan(app, { monthlyPrice: '2499.00' });
  const one = (options: Parameters<typeof subscribe>[2]) => subscribe(app, subscriptions(), { plan, ...options });
  made = {
    small: await one({}),
    large: await one({ plan: largePlan }),
    annual: await one({ body: { billingCycle: 'ANNUAL' } }),
    trial: await one({ body: { trialDays: 10 } }),
    bareTrial: await one({ body: { trialDays: 5 }, method: false }),
    cancelled: await one({ body: { collectionMethod: 'SEND_INVOICE' } }),
    ended: await one({}),
    paused: await one({}),
  };
  await subscriptions().post(`/${made.cancelled.id}/cancel`, { at: 'PERIOD_END', reason });
  await subscriptions().post(`/${made.ended.id}/cancel`, { at: 'NOW', reason });
  await subscriptions().post(`/${made.paused.id}/pause`, {});
});
afterAll(() => app.close());

/** Which of them a list shows, in its order. */
async function shown(query: string): Promise<string[]> {
  const answer = await subscriptions().get(query);
  expect(answer.status, answer.text).toBe(200);
  const names = new Map(Object.entries(made).map(([name, { id }]) => [id, name]));
  return answer.body.data.map(({ id }: { id: string }) => names.get(id));
}

describe('The list', () => {
  it.each([
    ['?status=TRIAL', ['bareTrial', 'trial']],
    ['?status=PAUSED', ['paused']],
    ['?billingCycle=ANNUAL', ['annual']],
    ['?collectionMethod=SEND_INVOICE', ['cancelled']],
    ['?cancelAtPeriodEnd=true', ['cancelled']],
    ['?periodEndFrom=2027-02-11', ['annual']],
    ['?periodEndTo=2027-01-16', ['bareTrial']],
    ['?sort=mrr&limit=2', ['large', 'cancelled']],
    ['?sort=currentPeriodEnd&order=asc&limit=2', ['bareTrial', 'trial']],
    ['?sort=trialEndsOn&order=asc&limit=2', ['bareTrial', 'trial']],
  ])('%s', async (query, expected) => {
    const found = await shown(query);
    // Equals come in the order of their ids.
    if (query.includes('mrr')) expect(found[0]).toBe('large');
    else expect(found).toEqual(expected);
  });

  it('goes by tenant and plan, page by page', async () => {
    expect(await shown(`?tenantId=${made.paused.tenantId}`)).toEqual(['paused']);
    expect(await shown(`?planId=${made.large.plan.id}`)).toEqual(['large']);
    const { body } = await subscriptions().get('?limit=3&page=3&order=asc');
    expect(body.meta).toEqual({ page: 3, limit: 3, total: 8, totalPages: 3 });
    expect(body.data).toHaveLength(2);
  });
});

describe('What is about to end', () => {
  it('is trials and cancellations, the soonest first, and whether a trial goes on', async () => {
    const { body } = await subscriptions().get('/expiring');
    expect(body.data).toMatchObject([
      { id: made.bareTrial.id, why: 'TRIAL', endsOn: '2027-01-15', goesOn: false },
      { id: made.trial.id, why: 'TRIAL', endsOn: '2027-01-20', goesOn: true },
    ]);
    const later = await subscriptions().get('/expiring?days=31');
    expect(later.body.data.at(-1)).toMatchObject({ id: made.cancelled.id, why: 'CANCELLED', endsOn: '2027-02-10' });
    expect(later.body.meta.total).toBe(3);
    expect((await subscriptions().get('/expiring?days=0')).status).toBe(400);
  });
});

describe('The figures', () => {
  it('count by status, plan and cycle, and what becomes of trials', async () => {
    const before = dataOf(await subscriptions().get('/analytics'));
    expect(before.byStatus).toEqual([
      { status: 'TRIAL', subscriptions: 2, mrr: '0.00' },
      { status: 'ACTIVE', subscriptions: 4, mrr: '5329.50' },
      { status: 'PAUSED', subscriptions: 1, mrr: '0.00' },
      { status: 'CANCELLED', subscriptions: 1, mrr: '0.00' },
    ]);
    expect(before.byPlan).toMatchObject([
      { planId: made.small.plan.id, subscriptions: 6, mrr: '2830.50' },
      { planId: made.large.plan.id, subscriptions: 1, mrr: '2499.00' },
    ]);
    expect(before.byCycle).toEqual([
      { billingCycle: 'MONTHLY', subscriptions: 6, mrr: '4497.00' },
      { billingCycle: 'ANNUAL', subscriptions: 1, mrr: '832.50' },
    ]);
    expect(before.trials).toEqual({ running: 2, converted: 0, expired: 0, cancelled: 0, conversion: null });
    const third = await subscribe(app, subscriptions(), { body: { trialDays: 30 } });
    await subscriptions().post(`/${third.id}/cancel`, { at: 'NOW', reason });
    setClock(noon('2027-01-20'));
    await runBilling();
    expect(dataOf(await subscriptions().get('/analytics')).trials).toEqual({
      running: 0,
      converted: 1,
      expired: 1,
      cancelled: 1,
      conversion: 0.3333,
    });
    setClock(noon('2027-01-10'));
  });
});

describe('The next invoice', () => {
  it('has what waits, and not what ends', async () => {
    const [kept, left, coupon] = [await buildAddOn(app), await buildAddOn(app), await buildCoupon(app)];
    const addOns = [{ addOnId: kept.id, quantity: 2 }, { addOnId: left.id }];
    const { id, plan, token: owner } = await subscribe(app, subscriptions(), { body: { addOns } });
    const cheap = await buildPlan(app, { monthlyPrice: '99.00' });
    await subscriptions().post(`/${id}/coupons`, { code: coupon.code });
    await subscriptions().remove(`/${id}/add-ons/${left.id}`);
    const now = dataOf(await subscriptions().get(`/${id}/upcoming-invoice`, owner));
    expect(now).toMatchObject({
      reason: 'SUBSCRIPTION_CYCLE',
      on: '2027-02-10',
      period: { start: '2027-02-10', end: '2027-03-10' },
      lines: [
        {
          kind: 'PLAN',
          description: `${plan.name} (monthly), 10 Feb 2027 to 9 Mar 2027`,
          amount: '999.00',
          discount: '99.90',
        },
        { kind: 'ADD_ON', quantity: '2', amount: '500.00', discount: '50.00' },
      ],
      taxable: '1349.10',
      igst: '242.84',
      roundOff: '0.06',
      total: '1592.00',
      creditBalance: '0.00',
      amountDue: '1592.00',
    });
    await subscriptions().post(`/${id}/change`, { planId: cheap.id });
    const then = dataOf(await subscriptions().get(`/${id}/upcoming-invoice`));
    expect(then.lines[0]).toMatchObject({ amount: '99.00', discount: '9.90' });
    setClock(noon('2027-02-10'));
    dataOf(await subscriptions().post(`/${id}/renew`));
    const { body } = await subscriptions().get(`/${id}/invoices?sort=createdAt&order=desc`);
    expect(body.data[0]).toMatchObject({ reason: 'SUBSCRIPTION_CYCLE', total: then.total });
    setClock(noon('2027-01-10'));
  });

  it('of a trial is its first, of a pause waits for its end', async () => {
    const { id } = await subscribe(app, subscriptions(), { body: { trialDays: 21 } });
    expect(dataOf(await subscriptions().get(`/${id}/upcoming-invoice`))).toMatchObject({
      reason: 'SUBSCRIPTION_CREATE',
      period: { start: '2027-01-31', end: '2027-02-28' },
    });
    const other = await subscribe(app, subscriptions());
    await subscriptions().post(`/${other.id}/pause`, { resumeOn: '2027-01-20' });
    expect(dataOf(await subscriptions().get(`/${other.id}/upcoming-invoice`))).toMatchObject({
      period: { start: '2027-02-20', end: '2027-03-20' },
    });
  });

  it('is none where the subscription ends', async () => {
    refused(await subscriptions().get(`/${made.cancelled.id}/upcoming-invoice`), 404, 'ends on 2027-02-10');
    refused(await subscriptions().get(`/${made.ended.id}/upcoming-invoice`), 404, 'has ended');
    refused(await subscriptions().get(`/${made.paused.id}/upcoming-invoice`), 404, 'until somebody resumes it');
  });
});

describe('What happened', () => {
  it('is told newest first, from a cursor on, of one kind or of all', async () => {
    const { id } = await subscribe(app, subscriptions());
    setClock(noon('2027-03-10'));
    await subscriptions().post(`/${id}/renew`);
    await subscriptions().post(`/${id}/cancel`, { at: 'PERIOD_END', reason });
    const all = (await subscriptions().get(`/${id}/timeline`)).body.data;
    expect(all).toHaveLength(7);
    expect(all[0]).toMatchObject({
      source: 'CHANGE',
      what: 'CANCEL_SCHEDULED',
      text: reason,
      actor: { name: expect.any(String) },
    });
    const read = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page = await subscriptions().get(`/${id}/timeline?limit=2${cursor && `&cursor=${cursor}`}`);
      read.push(...page.body.data);
      cursor = page.body.meta.nextCursor;
    }
    expect(read).toEqual(all);
    const invoices = (await subscriptions().get(`/${id}/timeline?source=INVOICE`)).body.data;
    expect(invoices).toMatchObject([
      { what: 'SUBSCRIPTION_CYCLE', state: 'OPEN', amount: '1179.00', text: expect.stringMatching(/^SS/) },
      { what: 'SUBSCRIPTION_CYCLE' },
      { what: 'SUBSCRIPTION_CREATE' },
    ]);
    expect((await subscriptions().get(`/${id}/timeline?source=PAYMENT`)).body.data).toEqual([]);
    setClock(noon('2027-01-10'));
  });

  it('is listed with plans by name, invoices by number, and who did it', async () => {
    const { id, plan } = await subscribe(app, subscriptions());
    const large = await buildPlan(app, { monthlyPrice: '2499.00' });
    await subscriptions().post(`/${id}/change`, { planId: large.id });
    const { body } = await subscriptions().get(`/${id}/changes`);
    expect(body.data).toMatchObject([
      {
        type: 'PLAN_CHANGED',
        fromPlan: `${plan.name}, version 1`,
        toPlan: `${large.name}, version 1`,
        movement: 'EXPANSION',
        invoice: { number: expect.stringMatching(/^SS/) },
        actor: { name: expect.any(String) },
      },
      { type: 'CREATED', fromStatus: null, fromPlan: null, movement: 'NEW' },
    ]);
  });
});

describe('Entitlements', () => {
  it('are what the plan limits', async () => {
    const plan = await buildPlan(app, { limits: { seats: 200 } });
    const { id, token: owner } = await subscribe(app, subscriptions(), { plan });
    const { entitlements, subscriptionId } = dataOf(await subscriptions().get(`/${id}/entitlements`, owner));
    expect(subscriptionId).toBe(id);
    expect(entitlements).toContainEqual(expect.objectContaining({ name: 'seats', limit: 200, used: 0, left: 200 }));
    expect(entitlements).toContainEqual(expect.objectContaining({ name: 'students', limit: null, left: null }));
  });
});
