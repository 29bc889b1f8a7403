import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../src/utils/ids.ts';
import { buildPlan, buildSubscription } from '../../support/billing.ts';
import { expectError } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';

const DAY_MS = 86_400_000;

let app: TestApp;
let token: string;
beforeAll(async () => {
  app = await startTestApp();
  token = await app.adminToken({ role: 'sales' });
});
afterAll(() => app.close());

let serial = 0;
const create = (changes: object, who = token) => {
  serial += 1;
  const body = {
    name: 'Gyan Deep Library',
    slug: `gyan-deep-${serial}`,
    email: `office-${serial}@gyandeep.example`,
    state: 'RJ',
    owner: { name: 'Ravi Choudhary', email: `ravi-${serial}@gyandeep.example` },
    ...changes,
  };
  return app.call('POST', '/api/tenants', { token: who, body });
};
const tenants = async () => (await app.query<{ n: number }>('select count(*)::int n from tenants'))[0]?.n;

describe('POST /api/tenants with a plan', () => {
  it('subscribes the tenant, on trial as long as it is itself', async () => {
    const plan = await buildPlan(app, { trialDays: 30 });
    const answer = await create({ planId: plan.id, trialDays: 7 });
    expect(answer.status, answer.text).toBe(201);
    const { id, status, trialEndsAt, createdAt, subscription } = answer.body.data;
    expect(subscription).toEqual({
      id: expect.any(String),
      planId: plan.id,
      planName: plan.name,
      status: 'TRIAL',
      billingCycle: 'MONTHLY',
      currentPeriodEnd: expect.any(String),
    });
    expect(status).toBe('TRIAL');
    // The trial of both ends when the day begins in India.
    expect(trialEndsAt).toBe(new Date(`${subscription.currentPeriodEnd}T00:00:00+05:30`).toISOString());
    const days = (Date.parse(trialEndsAt) - Date.parse(createdAt)) / DAY_MS;
    expect(days).toBeGreaterThan(6);
    expect(days).toBeLessThanOrEqual(7);
    expect((await app.call('GET', `/api/tenants/${id}`, { token })).body.data).toEqual(answer.body.data);
    const actions = await app.query(`select action from audit_logs where chain = $1 order by sequence`, [id]);
    expect(new Set(actions.map(({ action }) => action))).toEqual(new Set(['subscriptions.create', 'tenants.create']));
  });

  it('takes cycle and coupon along, and bills at once what has no trial', async () => {
    const plan = await buildPlan(app);
    const code = `HELLO${Date.now()}`;
    await app.query(
      `insert into coupons (id, code, name, kind, percent, duration, updated_at) values ($1, $2, 'Hello', 'PERCENT', 10, 'FOREVER', now())`,
      [newId(), code],
    );
    const answer = await create({
      planId: plan.id,
      billingCycle: 'ANNUAL',
      couponCode: code.toLowerCase(),
      trialDays: 0,
    });
    expect(answer.status, answer.text).toBe(201);
    const { id, status, subscription } = answer.body.data;
    expect(subscription).toMatchObject({ status: 'ACTIVE', billingCycle: 'ANNUAL' });
    expect(status).toBe('ACTIVE');
    const invoices = await app.query(
      `select reason, discount_total::text discount from invoices where tenant_id = $1`,
      [id],
    );
    expect(invoices).toEqual([{ reason: 'SUBSCRIPTION_CREATE', discount: '999.00' }]);
  });

  it.each([
    ['a plan that there is not', () => ({ planId: newId() }), 404, 'not_found'],
    [
      'a coupon that there is not',
      async () => ({ planId: (await buildPlan(app)).id, couponCode: 'NOBODYHASIT' }),
      404,
      'not_found',
    ],
    ['a plan that is archived', archived, 409, 'conflict'],
  ])('leaves nothing behind for %s', async (_what, changes, status, code) => {
    const asked = await changes();
    const before = await tenants();
    expectError(await create(asked), status, code);
    expect(await tenants()).toBe(before);
  });

  async function archived() {
    const plan = await buildPlan(app);
    await app.query(`update subscription_plans set status = 'ARCHIVED' where id = $1`, [plan.id]);
    return { planId: plan.id };
  }

  it.each([{ couponCode: 'WELCOME10' }, { billingCycle: 'ANNUAL' }])('asks for the plan with %j', async (changes) => {
    const answer = await create(changes);
    expectError(answer, 400, 'validation_failed');
    expect(answer.body.error.details.issues).toMatchObject([{ field: Object.keys(changes)[0] }]);
  });

  it('needs the permission to subscribe, too', async () => {
    const plan = await buildPlan(app);
    const admin = await app.buildAdmin({ role: 'sales' });
    await app.query(
      `insert into permission_overrides (id, user_id, permission_code, effect, reason) values ($1, $2, 'subscriptions.create', 'DENY', 'No selling')`,
      [newId(), admin.id],
    );
    const { token: who } = await app.signIn(admin);
    const before = await tenants();
    expectError(await create({ planId: plan.id }, who), 403, 'forbidden');
    expect(await tenants()).toBe(before);
    expect((await create({}, who)).status).toBe(201);
  });
});

describe('The subscription of a tenant', () => {
  it('is the one that runs, else the newest, for the tenant as well', async () => {
    const { tenantId, token: owner } = await app.ownerWithToken();
    const plan = await buildPlan(app);
    const shown = async () =>
      (await app.call('GET', `/api/tenants/${tenantId}`, { token: owner })).body.data.subscription;
    expect(await shown()).toBeNull();
    const running = await buildSubscription(app, tenantId, plan);
    const ended = await buildSubscription(app, tenantId, plan, { status: 'CANCELLED' });
    expect(await shown()).toMatchObject({ id: running, status: 'ACTIVE', currentPeriodEnd: '2026-09-01' });
    await app.query(
      `update subscriptions set status = 'EXPIRED', ended_on = '2026-09-01', created_at = '2026-01-01' where id = $1`,
      [running],
    );
    expect(await shown()).toMatchObject({ id: ended, status: 'CANCELLED' });
  });

  it('goes on while the tenant is suspended', async () => {
    const { tenantId } = await app.ownerWithToken();
    const id = await buildSubscription(app, tenantId, await buildPlan(app));
    const admin = await app.adminToken();
    const suspended = await app.call('POST', `/api/tenants/${tenantId}/suspend`, {
      token: admin,
      body: { reason: 'Holidays' },
    });
    expect(suspended.body.data).toMatchObject({ status: 'SUSPENDED', subscription: { id, status: 'ACTIVE' } });
  });

  it('finds tenants by their plan, while it has not ended', async () => {
    const [plan, other] = [await buildPlan(app), await buildPlan(app)];
    const idsOf = async (planId: string, query = '') =>
      (await app.call('GET', `/api/tenants?plan=${planId}${query}`, { token })).body.data.map(
        ({ id }: { id: string }) => id,
      );
    const made: string[] = [];
    for (const status of ['ACTIVE', 'TRIAL', 'PAST_DUE', 'PAUSED', 'CANCELLED', 'EXPIRED']) {
      const { id } = await app.buildTenant();
      await buildSubscription(app, id, plan, { status });
      made.push(id);
    }
    expect((await idsOf(plan.id)).toSorted()).toEqual(made.slice(0, 4).toSorted());
    expect(await idsOf(plan.id, '&sort=name&order=asc&limit=2')).toHaveLength(2);
    expect(await idsOf(plan.id, '&status=SUSPENDED')).toEqual([]);
    expect(await idsOf(other.id)).toEqual([]);
    expectError(await app.call('GET', '/api/tenants?plan=growth', { token }), 400, 'validation_failed');
  });
});
