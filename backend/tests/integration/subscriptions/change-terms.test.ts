import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildPaymentMethod, buildPlan, noon, setClock } from '../../support/billing.ts';
import { startFinanceApp, type FinanceApp } from '../../support/finance.ts';
import { augustOf } from './august.ts';
import { buildVersion, dataOf, invoicesOf, refused, runBilling } from './support.ts';

let app: FinanceApp;
beforeAll(async () => {
  app = await startFinanceApp();
});
afterAll(() => app.close());

const { subscriptions, onAugust, preview, change, read } = augustOf(() => app);

describe('A change that waits', () => {
  it('is one: a new one takes its place, and it can be called off', async () => {
    const { id, large, small } = await onAugust(11);
    const other = await buildPlan(app, { monthlyPrice: '1999.00' });
    dataOf(await change(id, { planId: other.id, when: 'PERIOD_END' }));
    const { scheduledChange } = dataOf(await change(id, { planId: large.id, when: 'PERIOD_END' }));
    expect(scheduledChange).toMatchObject({ planId: large.id, planName: large.name });
    const statuses = await app.query(
      `select status from subscription_scheduled_changes where subscription_id = $1 order by created_at, id`,
      [id],
    );
    expect(statuses.map(({ status }) => status)).toEqual(['CANCELLED', 'PENDING']);
    expect(dataOf(await subscriptions().remove(`/${id}/change/${scheduledChange.id}`)).scheduledChange).toBeNull();
    refused(await subscriptions().remove(`/${id}/change/${scheduledChange.id}`), 404, 'scheduled change');
    setClock(noon('2027-09-01'));
    await runBilling();
    expect(await read(id)).toMatchObject({ plan: { id: small.id }, mrr: '999.00' });
  });

  it('keeps the version that was agreed on, also when the plan was archived or has another price since', async () => {
    const { id, large } = await onAugust(11);
    dataOf(await change(id, { planId: large.id, when: 'PERIOD_END' }));
    await buildVersion(app, large.id, { monthlyPrice: '3999.00', annualPrice: '39990.00' });
    await app.query(`update subscription_plans set status = 'ARCHIVED' where id = $1`, [large.id]);
    setClock(noon('2027-09-01'));
    await runBilling();
    expect(await read(id)).toMatchObject({ plan: { id: large.id, version: 1 }, mrr: '2499.00' });
  });

  it('is not called off by way of another subscription', async () => {
    const [one, two] = [await onAugust(11), await onAugust(11)];
    const { scheduledChange } = dataOf(await change(one.id, { planId: one.large.id, when: 'PERIOD_END' }));
    expect((await subscriptions().remove(`/${two.id}/change/${scheduledChange.id}`)).status).toBe(404);
  });
});

describe('A preview', () => {
  it('holds for half an hour and no longer', async () => {
    const { id, large } = await onAugust(11);
    const quote = dataOf(await preview(id, large));
    setClock('2027-08-11T12:31:00+05:30');
    refused(await change(id, { token: quote.token }), 409, /too old.*preview/i);
    const again = dataOf(await preview(id, large));
    setClock('2027-08-11T13:00:00+05:30');
    dataOf(await change(id, { token: again.token }));
  });

  it('holds for the day on which it was made, and the price of that day', async () => {
    const { id, large } = await onAugust(11);
    setClock('2027-08-11T23:50:00+05:30');
    const quote = dataOf(await preview(id, large));
    setClock('2027-08-12T00:10:00+05:30');
    refused(await change(id, { token: quote.token }), 409, 'has changed since the preview');
  });

  it('holds as long as the subscription and the plan are what they were', async () => {
    const { id, large } = await onAugust(11);
    const quote = dataOf(await preview(id, large));
    dataOf(await subscriptions().put(`/${id}`, { collectionMethod: 'SEND_INVOICE' }));
    refused(await change(id, { token: quote.token }), 409, 'has changed since the preview');
    const again = dataOf(await preview(id, large));
    await buildVersion(app, large.id, { monthlyPrice: '3999.00', annualPrice: '39990.00' });
    refused(await change(id, { token: again.token }), 409, 'has changed since the preview');
  });

  it('holds for its own subscription, as it was signed', async () => {
    const [one, two] = [await onAugust(11), await onAugust(11)];
    const { token: quote } = dataOf(await preview(one.id, one.large));
    refused(await change(two.id, { token: quote }), 409, 'not of a preview of this subscription');
    const [payload, signature] = quote.split('.') as [string, string];
    const forged = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const cheaper = Buffer.from(JSON.stringify({ ...forged, total: '1.00' })).toString('base64url');
    for (const bad of [`${cheaper}.${signature}`, payload, 'x', 'a.b.c', '']) {
      expect([400, 409], bad).toContain((await change(one.id, { token: bad })).status);
    }
    expect(await invoicesOf(app, one.id)).toHaveLength(1);
  });

  it('changes nothing', async () => {
    const { id, large } = await onAugust(11);
    const before = await read(id);
    dataOf(await preview(id, large));
    expect(await read(id)).toEqual(before);
    expect(await invoicesOf(app, id)).toHaveLength(1);
  });

  it('says why there is nothing to change', async () => {
    const { id, small, large, tenantId } = await onAugust(11);
    refused(await preview(id, small), 409, 'with this cycle already');
    const archived = await buildPlan(app);
    await app.query(`update subscription_plans set status = 'ARCHIVED' where id = $1`, [archived.id]);
    refused(await preview(id, archived), 409, 'archived');
    refused(await subscriptions().post(`/${id}/change/preview`, { planId: tenantId }), 404, 'no such plan');
    dataOf(await subscriptions().post(`/${id}/cancel`, { at: 'PERIOD_END', reason: 'They are closing' }));
    refused(await preview(id, large), 409, 'uncancel');
    dataOf(await subscriptions().post(`/${id}/cancel`, { at: 'NOW', reason: 'They are closing' }));
    refused(await preview(id, large), 409, 'reactivate');
  });

  it.each([
    [{}, 'planId'],
    [{ token: 'x', planId: 'cm3k8v1x40000qp2h9d7f5a6b' }, 'planId'],
    [{ token: 'x', when: 'NOW' }, 'token'],
  ])('or a plan: %j is neither', async (body, field) => {
    const { id } = await onAugust(11);
    const answer = await change(id, body);
    expect(answer.status).toBe(400);
    expect(answer.body.error.details.issues).toMatchObject([{ in: 'body', field }]);
  });
});

describe('In a trial', () => {
  it('the plan changes at once, and nothing is charged', async () => {
    const { id, large } = await onAugust(11, { body: { trialDays: 20 }, method: false });
    const quote = dataOf(await preview(id, large));
    expect(quote).toMatchObject({ when: 'NOW', proration: null, total: '0.00', mrrAfter: '0.00' });
    const changed = dataOf(await change(id, { planId: large.id }));
    expect(changed).toMatchObject({
      status: 'TRIAL',
      plan: { id: large.id },
      mrr: '0.00',
      invoices: [],
      trialEndsOn: '2027-08-21',
    });
    const back = dataOf(await change(id, { planId: (await buildPlan(app, { monthlyPrice: '99.00' })).id }));
    expect(back.status).toBe('TRIAL');
    expect(await invoicesOf(app, id)).toEqual([]);
  });
});

describe('People of a library', () => {
  it('get nothing at once that nobody can charge them for', async () => {
    const built = await onAugust(11, { method: false });
    const { id, large, token: owner, tenantId } = built;
    const quote = dataOf(await preview(id, large, {}, owner));
    refused(await change(id, { token: quote.token }, owner), 409, /no payment method.*payment-methods/);
    expect(await invoicesOf(app, id)).toHaveLength(1);
    expect((await read(id)).plan.id).toBe(built.small.id);
    await buildPaymentMethod(app, tenantId);
    const changed = dataOf(await change(id, { token: quote.token }, owner));
    expect(changed).toMatchObject({ plan: { id: large.id }, invoices: [{ total: '1199.03' }] });
    const [row] = await app.query(
      `select actor_id from subscription_changes where subscription_id = $1 and type = 'PLAN_CHANGED'`,
      [id],
    );
    expect(row).toEqual({ actor_id: built.owner.id });
  });

  it('may do so where invoices are sent to them', async () => {
    const {
      id,
      large,
      token: owner,
    } = await onAugust(11, { method: false, body: { collectionMethod: 'SEND_INVOICE' } });
    dataOf(await change(id, { planId: large.id }, owner));
    expect((await invoicesOf(app, id)).at(-1)?.collect).toBeNull();
  });
});
