import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildAddOn, buildBilledTenant, buildPlan, buildSubscription } from '../../support/billing.ts';
import { statusesOf } from '../../support/calls.ts';
import { expectError } from '../../support/expectations.ts';
import { startFinanceApp, type FinanceApp } from '../../support/finance.ts';
import { catalogueOf } from './catalogue-support.ts';

let app: FinanceApp;
beforeAll(async () => {
  app = await startFinanceApp();
});
afterAll(() => app.close());

let serial = 0;
const library = (changes: object = {}) => ({
  name: `Another library ${(serial += 1)}`,
  monthlyPrice: '799.00',
  annualPrice: '7990.00',
  limits: { libraries: 1, seats: 100 },
  ...changes,
});
const { create, made, update, listed } = catalogueOf(() => app, 'add-ons', library);
const list = listed<{ id: string; name: string; subscribers: number | null }>;
/** A tenant whose subscription has add-ons. */
const subscribe = async (addOns: { id: string; quantity: number; endsOn?: string }[], status?: string) => {
  const built = await buildBilledTenant(app);
  await buildSubscription(app, built.tenantId, await buildPlan(app), { addOns, ...(status && { status }) });
  return built;
};

describe('POST /api/revenue/add-ons', () => {
  it('creates an add-on, with its audit row', async () => {
    const answer = await create({ name: 'SMS pack', description: 'A thousand SMS', sacCode: '998413', limits: {} });
    expect(answer.status, answer.text).toBe(201);
    expect(answer.body.data).toEqual({
      id: expect.stringMatching(/^c[a-z0-9]{24}$/),
      code: 'sms-pack',
      name: 'SMS pack',
      description: 'A thousand SMS',
      status: 'ACTIVE',
      monthlyPrice: '799.00',
      annualPrice: '7990.00',
      sacCode: '998413',
      limits: { libraries: 0, seats: 0, students: 0, staff: 0 },
      subscribers: 0,
      version: 1,
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
    });
    const [audit] = await app.query(`select action, tenant_id from audit_logs where resource_id = $1`, [
      answer.body.data.id,
    ]);
    expect(audit).toEqual({ action: 'plans.add_on_create', tenant_id: null });
  });

  it('gives a code to one of several who ask at once, and says which field it was', async () => {
    const answers = await Promise.all([1, 2, 3].map(() => create({ code: 'at-once' })));
    expect(statusesOf(answers)).toEqual([201, 409, 409]);
    for (const answer of answers.filter(({ status }) => status === 409)) {
      expectError(answer, 409, 'conflict', 'body code');
    }
  });

  it.each([
    [{ limits: { seats: null } }, 'limits.seats'],
    [{ limits: { seats: 1.5 } }, 'limits.seats'],
    [{ monthlyPrice: '' }, 'monthlyPrice'],
    [{ sacCode: 'SMS' }, 'sacCode'],
  ])('refuses %j', async (changes, field) => {
    expectError(await create(changes), 400, 'validation_failed', `body ${field}`);
  });

  it('refuses a code for tax without a rate', async () => {
    expectError(await create({ sacCode: '996511' }), 409, 'conflict');
  });
});

describe('PUT /api/revenue/add-ons/:id', () => {
  it('changes what is sent, archives and restores', async () => {
    const { id, limits } = await made();
    const archived = await update(id, { status: 'ARCHIVED', annualPrice: '7000' }, 1);
    expect(archived.body.data, archived.text).toMatchObject({
      status: 'ARCHIVED',
      monthlyPrice: '799.00',
      annualPrice: '7000.00',
      limits,
      version: 2,
    });
    expectError(await update(id, { status: 'ACTIVE' }, 1), 412, 'version_mismatch');
    expect((await update(id, { status: 'ACTIVE' }, 2)).body.data).toMatchObject({ status: 'ACTIVE', version: 3 });
    expectError(await update(id, {}), 400, 'validation_failed');
    expectError(await update(id, { code: 'other' }), 400, 'validation_failed', 'body code');
    expectError(await update(id, { sacCode: '996511' }), 409, 'conflict');
  });

  it('lets one of several who saw the same win', async () => {
    const { id } = await made();
    const answers = await Promise.all(['1.00', '2.00', '3.00'].map((price) => update(id, { monthlyPrice: price }, 1)));
    expect(statusesOf(answers)).toEqual([200, 412, 412]);
  });

  it('leaves subscriptions the price at which they took it, and what it adds', async () => {
    const { id } = await made();
    const { tenantId } = await subscribe([{ id, quantity: 2 }]);
    await subscribe([{ id, quantity: 1, endsOn: '2026-08-20' }]);
    await subscribe([{ id, quantity: 1 }], 'CANCELLED');
    const answer = await update(id, { monthlyPrice: '999.00', limits: { seats: 100, libraries: 1 } });
    expect(answer.body.data, answer.text).toMatchObject({ monthlyPrice: '999.00', subscribers: 1 });
    const [held] = await app.query(`select monthly_price::text from subscription_add_ons where tenant_id = $1`, [
      tenantId,
    ]);
    expect(held).toEqual({ monthly_price: '799.00' });
    const refused = await update(id, { limits: { libraries: 1 } });
    expectError(refused, 409, 'conflict', 'body limits');
    expect(refused.body.error.message).toContain('1 subscription has this add-on');
    const free = await made();
    expect((await update(free.id, { limits: { staff: 5 } })).body.data.limits).toEqual({
      libraries: 0,
      seats: 0,
      students: 0,
      staff: 5,
    });
  });
});

describe('GET /api/revenue/add-ons', () => {
  it('filters, searches and sorts', async () => {
    await made({ name: 'Zeta listed', monthlyPrice: '10.00' });
    const { id } = await made({ name: 'Alpha listed', monthlyPrice: '900.00' });
    await made({ name: 'Beta listed', monthlyPrice: '50.00' });
    await update(id, { status: 'ARCHIVED' });
    const names = async (query: Record<string, string>) =>
      (await list(app.finance, { q: 'listed', ...query })).map(({ name }) => name);
    expect(await names({ sort: 'name', order: 'asc' })).toEqual(['Alpha listed', 'Beta listed', 'Zeta listed']);
    expect(await names({ sort: 'monthlyPrice' })).toEqual(['Alpha listed', 'Beta listed', 'Zeta listed']);
    expect(await names({ status: 'ARCHIVED' })).toEqual(['Alpha listed']);
    expect(await names({ status: 'ACTIVE' })).toEqual(['Beta listed', 'Zeta listed']);
  });

  it('shows people of a tenant what they can take and what they have, without how many have it', async () => {
    const [open, theirs, gone] = [
      await buildAddOn(app),
      await buildAddOn(app, {}, { status: 'ARCHIVED' }),
      await buildAddOn(app, {}, { status: 'ARCHIVED' }),
    ];
    const { token: owner } = await subscribe([
      { id: theirs.id, quantity: 1 },
      { id: gone.id, quantity: 1, endsOn: '2026-08-20' },
    ]);
    const seen = await list(owner);
    const ids = seen.map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining([open.id, theirs.id]));
    expect(ids).not.toContain(gone.id);
    expect(new Set(seen.map(({ subscribers }) => subscribers))).toEqual(new Set([null]));
    expect((await list(app.finance)).find(({ id }) => id === theirs.id)?.subscribers).toBe(1);
  });

  it('is for the staff of StudySpot to change, and not from within one tenant', async () => {
    const { id } = await made();
    const { token: owner, tenantId } = await app.ownerWithToken();
    const headers = { 'x-tenant-id': tenantId };
    const admin = await app.adminToken();
    for (const [method, path, body] of [
      ['POST', '/api/revenue/add-ons', library()],
      ['PUT', `/api/revenue/add-ons/${id}`, { name: 'Mine' }],
    ] as const) {
      expectError(await app.call(method, path, { token: owner, body }), 403, 'forbidden');
      expectError(await app.call(method, path, { token: admin, body, headers }), 403, 'tenant_mismatch');
    }
  });
});
