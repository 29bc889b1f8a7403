import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { noon, setClock } from '../../support/billing.ts';
import { startFinanceApp, type FinanceApp } from '../../support/finance.ts';
import {
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

const { subscriptions, read, post } = deskOf(() => app);

describe('The end of a trial', () => {
  const onTrial = (options: { method?: boolean; body?: Record<string, unknown> } = {}) =>
    subscribe(app, subscriptions(), { ...options, body: { trialDays: 14, ...options.body } });

  it('begins the first period that is paid, where somebody can be charged', async () => {
    const { id, tenantId } = await onTrial();
    await setTenantStatus(app, tenantId, 'TRIAL');
    setClock(noon('2027-01-23'));
    await runBilling();
    expect(await read(id)).toMatchObject({ status: 'TRIAL' });
    setClock(noon('2027-01-24'));
    await runBilling();
    expect(await read(id)).toMatchObject({
      status: 'ACTIVE',
      mrr: '999.00',
      currentPeriodStart: '2027-01-24',
      currentPeriodEnd: '2027-02-24',
    });
    const [invoice] = await invoicesOf(app, id);
    expect(invoice).toMatchObject({ reason: 'SUBSCRIPTION_CREATE', start: '2027-01-24', end: '2027-02-24' });
    // A mandate is charged a day after its payer was told (rule 25).
    expect(invoice?.collect?.getTime()).toBeGreaterThan(new Date(noon('2027-01-25')).getTime() - 1000);
    const notices = await app.query(`select job from outbox_messages where dedupe_key = $1`, [
      `debit-notice-${invoice!.id}`,
    ]);
    expect(notices).toEqual([{ job: 'email.debit-notice' }]);
    expect(await tenantStatus(app, tenantId)).toBe('ACTIVE');
    expect(await historyOf(app, id)).toMatchObject([
      { type: 'CREATED', movement: null },
      { type: 'TRIAL_ENDED', movement: 'NEW', on: '2027-01-24' },
    ]);
  });

  it('does so where invoices are sent', async () => {
    const { id } = await onTrial({ method: false, body: { collectionMethod: 'SEND_INVOICE' } });
    setClock(noon('2027-01-24'));
    await runBilling();
    expect(await read(id)).toMatchObject({ status: 'ACTIVE' });
    expect(await invoicesOf(app, id)).toMatchObject([{ collect: null }]);
  });

  it('is the end where nobody can be charged: the people are shut out', async () => {
    const { id, tenantId, token: owner } = await onTrial({ method: false });
    await setTenantStatus(app, tenantId, 'TRIAL');
    setClock(noon('2027-01-26'));
    await runBilling();
    expect(await read(id)).toMatchObject({ status: 'EXPIRED', endedOn: '2027-01-24', nextEventOn: null, mrr: '0.00' });
    expect(await tenantStatus(app, tenantId)).toBe('INACTIVE');
    expect(await invoicesOf(app, id)).toEqual([]);
    expect((await app.call('GET', '/api/platform-users', { token: owner })).status).toBe(403);
    expect((await subscriptions().get(`/${id}`, owner)).status).toBe(200);
  });

  it('comes when somebody asks for it', async () => {
    const { id } = await onTrial();
    setClock(noon('2027-01-15'));
    const renewed = dataOf(await post(id, 'renew'));
    expect(renewed).toMatchObject({
      status: 'ACTIVE',
      trialEndsOn: '2027-01-15',
      currentPeriodStart: '2027-01-15',
      currentPeriodEnd: '2027-02-15',
      invoices: [{ status: 'OPEN' }],
    });
    refused(await post(id, 'renew'), 409, /Nothing is due.*2027-02-15/);
    const bare = await onTrial({ method: false });
    refused(await post(bare.id, 'renew'), 409, 'no payment method');
  });

  it('can be put off, and the trial of the tenant with it', async () => {
    const { id, tenantId } = await onTrial({ method: false });
    await setTenantStatus(app, tenantId, 'TRIAL');
    const extended = dataOf(await post(id, 'extend-trial', { days: 7 }));
    expect(extended).toMatchObject({
      trialEndsOn: '2027-01-31',
      currentPeriodEnd: '2027-01-31',
      nextEventOn: '2027-01-31',
    });
    const [row] = await app.query(`select trial_ends_at from tenants where id = $1`, [tenantId]);
    expect(row).toEqual({ trial_ends_at: new Date('2027-01-31T00:00:00+05:30') });
    setClock(noon('2027-01-24'));
    await runBilling();
    expect(await read(id)).toMatchObject({ status: 'TRIAL' });
    for (let more = 0; more < 3; more += 1) dataOf(await post(id, 'extend-trial', { days: 90 }));
    refused(await post(id, 'extend-trial', { days: 90 }), 409, '365 days at most');
    const paid = await subscribe(app, subscriptions());
    refused(await post(paid.id, 'extend-trial', { days: 7 }), 409, 'only a trial');
  });

  it('is told of three days before, once', async () => {
    const { id, tenantId } = await onTrial();
    const told = () =>
      app.query(
        `select payload, tenant_id from outbox_messages where job = 'email.trial-ending' and payload ->> 'subscriptionId' = $1`,
        [id],
      );
    setClock(noon('2027-01-20'));
    await runBilling();
    expect(await told()).toEqual([]);
    setClock(noon('2027-01-21'));
    await runBilling();
    await runBilling();
    setClock(noon('2027-01-22'));
    await runBilling();
    expect(await told()).toEqual([{ payload: { subscriptionId: id }, tenant_id: tenantId }]);
    dataOf(await post(id, 'extend-trial', { days: 5 }));
    setClock(noon('2027-01-27'));
    await runBilling();
    expect(await told()).toHaveLength(2);
  });
});
