import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildBilledTenant, buildPlan, buildSubscription } from '../../support/billing.ts';
import { statusesOf } from '../../support/calls.ts';
import { expectError } from '../../support/expectations.ts';
import { scopesOf } from '../../support/plans.ts';
import { startFinanceApp, type FinanceApp } from '../../support/finance.ts';
import { catalogueOf } from './catalogue-support.ts';

let app: FinanceApp;
beforeAll(async () => {
  app = await startFinanceApp();
});
afterAll(() => app.close());

let serial = 0;
const named = () => `Growth ${(serial += 1)}`;
const growth = (changes: object = {}) => ({
  name: named(),
  description: 'For one to three reading rooms',
  monthlyPrice: '2499.00',
  annualPrice: '24990',
  trialDays: 14,
  features: ['Two reading rooms', 'SMS to parents'],
  limits: { libraries: 2, students: 500 },
  ...changes,
});
const { create, made, update, listed } = catalogueOf(() => app, 'plans', growth);
const archive = (id: string) => app.call('DELETE', `/api/revenue/plans/${id}`, { token: app.finance });
const get = async (id: string) => (await app.call('GET', `/api/revenue/plans/${id}`, { token: app.finance })).body.data;
const versionsOf = async (id: string, query = '') =>
  (await app.call('GET', `/api/revenue/plans/${id}/versions${query}`, { token: app.finance })).body;
const namesFor = async (who: string, query?: Record<string, string | number>) =>
  (await listed<{ name: string }>(who, query)).map(({ name }) => name);
/** Subscribes a new tenant to the version that a plan offers now. */
const subscribe = async (plan: { id: string; planVersionId: string }, status?: string) => {
  const built = await buildBilledTenant(app);
  await buildSubscription(app, built.tenantId, { id: plan.id, versionId: plan.planVersionId }, { status });
  return built;
};

describe('POST /api/revenue/plans', () => {
  it('creates a plan with its first version, and its audit row', async () => {
    const answer = await create({ name: 'Starter', code: 'starter' });
    expect(answer.status, answer.text).toBe(201);
    expect(answer.headers.get('etag')).toBe('"1"');
    expect(answer.body.data).toEqual({
      id: expect.stringMatching(/^c[a-z0-9]{24}$/),
      code: 'starter',
      name: 'Starter',
      description: 'For one to three reading rooms',
      status: 'ACTIVE',
      planVersionId: expect.stringMatching(/^c[a-z0-9]{24}$/),
      planVersionNumber: 1,
      monthlyPrice: '2499.00',
      annualPrice: '24990.00',
      trialDays: 14,
      sacCode: '997331',
      features: ['Two reading rooms', 'SMS to parents'],
      limits: { libraries: 2, seats: null, students: 500, staff: null },
      subscribers: { total: 0, byVersion: [] },
      version: 1,
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
    });
    const [audit] = await app.query(`select action, tenant_id from audit_logs where resource_id = $1`, [
      answer.body.data.id,
    ]);
    expect(audit).toEqual({ action: 'plans.create', tenant_id: null });
  });

  it('makes the code of the name, and leaves out what is not given', async () => {
    const body = { name: 'Kota Special (24×7)', monthlyPrice: '0', annualPrice: '0' };
    const { body: answer } = await app.call('POST', '/api/revenue/plans', { token: app.finance, body });
    expect(answer.data).toMatchObject({ code: 'kota-special-24-7', description: null, trialDays: 0, features: [] });
    expect(answer.data.limits).toEqual({ libraries: null, seats: null, students: null, staff: null });
  });

  it.each([
    [{ name: 'Clash', code: 'clash-one' }, { name: 'Clash', code: 'clash-two' }, 'name'],
    [{ name: 'Clash three', code: 'clash-three' }, { name: 'Clash four', code: 'clash-three' }, 'code'],
  ])('says which of name and code is taken, also of several at once: %j', async (first, second, field) => {
    await made(first);
    const answers = await Promise.all([create(second), create(second)]);
    for (const answer of answers) expectError(answer, 409, 'conflict', `body ${field}`);
  });

  it('gives a code to one of several who ask at once', async () => {
    const answers = await Promise.all([1, 2, 3].map(() => create({ code: 'at-once' })));
    expect(statusesOf(answers)).toEqual([201, 409, 409]);
  });

  it('makes one plan of a request that is sent twice', async () => {
    const body = growth();
    const headers = { 'idempotency-key': 'create-plan-0001' };
    const [first, second] = [
      await app.call('POST', '/api/revenue/plans', { token: app.finance, body, headers }),
      await app.call('POST', '/api/revenue/plans', { token: app.finance, body, headers }),
    ];
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body.data.id).toBe(first.body.data.id);
  });

  it.each([
    [{ monthlyPrice: '-1' }, 'monthlyPrice'],
    [{ monthlyPrice: 2499 }, 'monthlyPrice'],
    [{ monthlyPrice: '1e5' }, 'monthlyPrice'],
    [{ annualPrice: '24990.001' }, 'annualPrice'],
    [{ annualPrice: '100000000' }, 'annualPrice'],
    [{ trialDays: 366 }, 'trialDays'],
    [{ sacCode: '123456' }, 'sacCode'],
    [{ code: 'Not A Slug' }, 'code'],
    [{ limits: { libraries: -1 } }, 'limits.libraries'],
    [{ limits: { parents: 3 } }, 'limits.parents'],
    [{ features: ['x'.repeat(201)] }, 'features.0'],
    [{ status: 'ARCHIVED' }, 'status'],
  ])('refuses %j', async (changes, field) => {
    expectError(await create(changes), 400, 'validation_failed', `body ${field}`);
  });

  it('refuses a code for tax without a rate: nothing could be invoiced', async () => {
    const answer = await create({ sacCode: '996511' });
    expectError(answer, 409, 'conflict');
    expect(answer.body.error.message).toContain('There is no tax rate for 996511');
  });
});

describe('PUT /api/revenue/plans/:id', () => {
  it('rule 20: another price makes a new version, and subscribers stay on theirs', async () => {
    const plan = await made();
    const { tenantId } = await subscribe(plan);
    const answer = await update(plan.id, { monthlyPrice: '2999.00' }, 1);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.body.data).toMatchObject({
      planVersionNumber: 2,
      monthlyPrice: '2999.00',
      annualPrice: '24990.00',
      limits: plan.limits,
      version: 2,
      subscribers: { total: 1, byVersion: [{ number: 1, live: 1 }] },
    });
    const [held] = await app.query(
      `select v.number, v.monthly_price::text from subscriptions s join subscription_plan_versions v on v.id = s.plan_version_id
        where s.tenant_id = $1`,
      [tenantId],
    );
    expect(held).toEqual({ number: 1, monthly_price: '2499.00' });
    await subscribe(answer.body.data);
    await subscribe(answer.body.data, 'TRIAL');
    await subscribe(answer.body.data, 'CANCELLED');
    expect((await get(plan.id)).subscribers).toEqual({
      total: 3,
      byVersion: [
        { number: 1, live: 1 },
        { number: 2, live: 2 },
      ],
    });
    const versions = await versionsOf(plan.id);
    expect(versions.meta.total).toBe(2);
    expect(versions.data).toMatchObject([
      { number: 2, monthlyPrice: '2999.00', subscribers: 2, createdBy: { name: expect.stringContaining('Person') } },
      { number: 1, monthlyPrice: '2499.00', subscribers: 1 },
    ]);
    expect((await versionsOf(plan.id, '?order=asc&limit=1')).data).toMatchObject([{ number: 1 }]);
  });

  it.each([
    [{ annualPrice: '25000.00' }],
    [{ trialDays: 30 }],
    [{ features: ['Two reading rooms'] }],
    [{ limits: { libraries: 3, students: 500 } }],
    [{ limits: {} }],
    [{ sacCode: '998413' }],
  ])('makes a new version of %j', async (changes) => {
    const plan = await made();
    const answer = await update(plan.id, changes);
    expect(answer.body.data, answer.text).toMatchObject({ planVersionNumber: 2 });
    expect(answer.body.data.planVersionId).not.toBe(plan.planVersionId);
  });

  it.each([
    [{ name: 'Another name' }],
    [{ description: null }],
    [{ status: 'ARCHIVED' }],
    [{ monthlyPrice: '2499', annualPrice: '24990.0' }],
    [{ limits: { students: 500, libraries: 2, seats: null } }],
  ])('makes none of %j', async (changes) => {
    const plan = await made();
    const answer = await update(plan.id, changes);
    expect(answer.body.data, answer.text).toMatchObject({
      planVersionNumber: 1,
      planVersionId: plan.planVersionId,
      version: 2,
    });
    expect((await versionsOf(plan.id)).meta.total).toBe(1);
  });

  it('lets one of several who saw the same win, and numbers of versions have no gaps', async () => {
    const plan = await made();
    const prices = ['1.00', '2.00', '3.00'];
    const seen = await Promise.all(prices.map((monthlyPrice) => update(plan.id, { monthlyPrice }, 1)));
    expect(statusesOf(seen)).toEqual([200, 412, 412]);
    const blind = await Promise.all(['4.00', '5.00', '6.00'].map((monthlyPrice) => update(plan.id, { monthlyPrice })));
    expect(statusesOf(blind)).toEqual([200, 200, 200]);
    const { data } = await versionsOf(plan.id);
    expect(data.map(({ number }: { number: number }) => number)).toEqual([5, 4, 3, 2, 1]);
    expect((await get(plan.id)).planVersionNumber).toBe(5);
  });

  it('refuses the name of another plan, a code, and nothing at all', async () => {
    const [plan, other] = [await made(), await made()];
    expectError(await update(plan.id, { name: other.name }), 409, 'conflict', 'body name');
    expectError(await update(plan.id, { code: 'other' }), 400, 'validation_failed', 'body code');
    expectError(await update(plan.id, {}), 400, 'validation_failed');
    expectError(await update(plan.id, { sacCode: '996511' }), 409, 'conflict');
    expect(await get(plan.id)).toMatchObject({ planVersionNumber: 1, version: 1 });
  });

  it('never touches a version that there is: the database refuses it', async () => {
    const plan = await made();
    const change = (statement: string) => app.query(statement, [plan.planVersionId]);
    for (const statement of [
      `update subscription_plan_versions set monthly_price = 1 where id = $1`,
      `delete from subscription_plan_versions where id = $1`,
    ]) {
      await expect(change(statement)).rejects.toThrow('are added, never changed or removed');
    }
  });
});

describe('DELETE /api/revenue/plans/:id', () => {
  it('archives a plan, whether somebody has it or not, and again; PUT restores it', async () => {
    const [used, idle] = [await made(), await made()];
    await subscribe(used);
    for (const { id } of [used, idle]) {
      const first = await archive(id);
      expect(first.status, first.text).toBe(200);
      expect(first.body.data).toMatchObject({ status: 'ARCHIVED', version: 2, planVersionNumber: 1 });
      expect((await archive(id)).body.data).toEqual(first.body.data);
      const restored = await update(id, { status: 'ACTIVE' }, 2);
      expect(restored.body.data).toMatchObject({ status: 'ACTIVE', version: 3, planVersionNumber: 1 });
    }
    const actions = await app.query(`select action from audit_logs where resource_id = $1 order by sequence`, [
      used.id,
    ]);
    expect(actions.map(({ action }) => action)).toEqual([
      'plans.create',
      'plans.delete',
      'plans.delete',
      'plans.update',
    ]);
  });

  it('is refused when somebody has changed it since', async () => {
    const { id } = await made();
    await update(id, { description: 'Other' });
    const answer = await app.call('DELETE', `/api/revenue/plans/${id}`, {
      token: app.finance,
      headers: { 'if-match': '"1"' },
    });
    expectError(answer, 412, 'version_mismatch');
  });
});

describe('POST /api/revenue/plans/:id/clone', () => {
  it('makes a plan that offers what the other offers now, as its first version', async () => {
    const plan = await made();
    await update(plan.id, { monthlyPrice: '2999.00' });
    const clone = (body: object) =>
      app.call('POST', `/api/revenue/plans/${plan.id}/clone`, { token: app.finance, body });
    const answer = await clone({ name: 'Growth Plus' });
    expect(answer.status, answer.text).toBe(201);
    expect(answer.body.data).toMatchObject({
      code: 'growth-plus',
      name: 'Growth Plus',
      description: plan.description,
      planVersionNumber: 1,
      monthlyPrice: '2999.00',
      limits: plan.limits,
      features: plan.features,
    });
    expectError(await clone({ name: plan.name, code: 'of-its-own' }), 409, 'conflict', 'body name');
  });
});

describe('GET /api/revenue/plans', () => {
  it('filters, searches and sorts', async () => {
    const who = app.finance;
    await made({ name: 'Zenith list', monthlyPrice: '10.00' });
    await made({ name: 'Apex list', monthlyPrice: '900.00' });
    await made({ name: 'Mid list', monthlyPrice: '50.00', code: 'm-id' });
    const q = 'list';
    expect(await namesFor(who, { q, sort: 'name', order: 'asc' })).toEqual(['Apex list', 'Mid list', 'Zenith list']);
    expect(await namesFor(who, { q, sort: 'monthlyPrice', order: 'asc' })).toEqual([
      'Zenith list',
      'Mid list',
      'Apex list',
    ]);
    expect(await namesFor(who, { q })).toEqual(['Mid list', 'Apex list', 'Zenith list']);
    expect(await namesFor(who, { q: 'm-id' })).toEqual(['Mid list']);
    expect(await namesFor(who, { q: '%_' })).toEqual([]);
    expect(await namesFor(who, { q, status: 'ARCHIVED' })).toEqual([]);
    expect(await namesFor(who, { q, limit: 1, page: 2 })).toEqual(['Apex list']);
  });

  it('shows people of a tenant what they can have and the one they have, without how many have it', async () => {
    const [open, theirs, gone] = [
      await made({ name: 'Seen open' }),
      await made({ name: 'Seen theirs' }),
      await made({ name: 'Seen gone' }),
    ];
    const owner = await subscribe(theirs);
    const other = await subscribe(gone);
    await archive(theirs.id);
    await archive(gone.id);
    const q = 'seen';
    const sorted = { q, sort: 'name', order: 'asc' };
    expect(await namesFor(owner.token, sorted)).toEqual(['Seen open', 'Seen theirs']);
    expect(await namesFor(other.token, sorted)).toEqual(['Seen gone', 'Seen open']);
    expect(await namesFor(owner.token, { q, status: 'ARCHIVED' })).toEqual(['Seen theirs']);
    expect(await namesFor(app.finance, sorted)).toEqual(['Seen gone', 'Seen open', 'Seen theirs']);
    const answer = await app.call('GET', '/api/revenue/plans?q=seen', { token: owner.token });
    expect(answer.body.meta.total).toBe(2);
    expect(answer.body.data.map(({ subscribers }: { subscribers: unknown }) => subscribers)).toEqual([null, null]);
    expect((await get(open.id)).subscribers).toEqual({ total: 0, byVersion: [] });
  });

  it('no longer shows an archived plan to who had it', async () => {
    const plan = await made({ name: 'Once theirs' });
    const { token: owner } = await subscribe(plan, 'CANCELLED');
    await archive(plan.id);
    expect(await namesFor(owner, { q: 'once theirs' })).toEqual([]);
  });

  it('asks in one message, however many plans there are', async () => {
    await buildPlan(app);
    const [, ...asked] = await scopesOf(app, '/api/revenue/plans', app.finance);
    expect(asked.flat().filter(({ text }) => text.includes('subscription_plans'))).toHaveLength(2);
  });
});

describe('A plan', () => {
  it('is for the staff of StudySpot to change, and some of them', async () => {
    const { id } = await made();
    const { token: owner } = await app.ownerWithToken();
    const support = await app.adminToken({ role: 'support' });
    for (const who of [owner, support]) {
      const call = (method: string, path: string, body?: object) =>
        app.call(method, `/api/revenue/plans${path}`, { token: who, body });
      expectError(await call('POST', '', growth()), 403, 'forbidden');
      expectError(await call('PUT', `/${id}`, { monthlyPrice: '1.00' }), 403, 'forbidden');
      expectError(await call('DELETE', `/${id}`), 403, 'forbidden');
      expectError(await call('POST', `/${id}/clone`, { name: 'Mine' }), 403, 'forbidden');
    }
    expectError(await app.call('GET', `/api/revenue/plans/${id}`, { token: owner }), 403, 'forbidden');
  });

  it('is looked at, and not changed, from within one tenant', async () => {
    const plan = await made();
    const { tenantId } = await subscribe(plan);
    const admin = await app.adminToken();
    const call = (method: string, path: string, body?: object) =>
      app.call(method, `/api/revenue/plans${path}`, { token: admin, body, headers: { 'x-tenant-id': tenantId } });
    expect((await call('GET', `/${plan.id}`)).body.data).toMatchObject({ id: plan.id, subscribers: null });
    expect((await call('GET', `/${plan.id}/versions`)).body.data).toMatchObject([{ number: 1, subscribers: null }]);
    expectError(await call('POST', '', growth()), 403, 'tenant_mismatch');
    expectError(await call('PUT', `/${plan.id}`, { monthlyPrice: '1.00' }), 403, 'tenant_mismatch');
    expectError(await call('DELETE', `/${plan.id}`), 403, 'tenant_mismatch');
    expectError(await call('POST', `/${plan.id}/clone`, { name: named() }), 403, 'tenant_mismatch');
    expect(await get(plan.id)).toMatchObject({ version: 1, status: 'ACTIVE' });
  });
});
