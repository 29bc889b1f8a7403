import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { noon, resetClock, setClock } from '../../support/billing.ts';
import { statusesOf } from '../../support/calls.ts';
import { expectError } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';

let app: TestApp;
let admin: { email: string | null };
let token: string;
beforeAll(async () => {
  app = await startTestApp();
  admin = await app.buildAdmin({ role: 'finance', name: 'Asha Menon' });
});
beforeEach(async () => {
  setClock(noon('2027-02-10'));
  ({ token } = await app.signIn(admin));
});
afterEach(resetClock);
afterAll(() => app.close());

let serial = 0;
/** A code that has no rate yet. */
const freshCode = () => `99${String(1000 + (serial += 1))}`;
const rate = (changes: object = {}) => ({
  sacCode: '997331',
  description: 'Licensing services',
  rate: '18.00',
  effectiveFrom: '2027-04-01',
  ...changes,
});
const put = (...rates: object[]) => app.call('PUT', '/api/revenue/taxes', { token, body: { rates } });
const added = async (...rates: object[]) => {
  const answer = await put(...rates);
  expect(answer.status, answer.text).toBe(200);
  return answer.body.data;
};
const listed = async (sacCode: string) => {
  const { body } = await app.call('GET', '/api/revenue/taxes?limit=100', { token });
  return body.data.find((tax: { sacCode: string }) => tax.sacCode === sacCode);
};

describe('GET /api/revenue/taxes', () => {
  it('has what comes with the product, code by code', async () => {
    const answer = await app.call('GET', '/api/revenue/taxes', { token });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.body.data).toMatchObject([{ sacCode: '997331' }, { sacCode: '998413' }]);
    expect(answer.body.meta).toMatchObject({ total: 2, totalPages: 1 });
    const saas = { rate: '18.00', effectiveFrom: '2017-07-01', createdBy: null };
    expect(answer.body.data[0]).toMatchObject({ current: saas, next: null, history: [saas] });
    const second = await app.call('GET', '/api/revenue/taxes?page=2&limit=1', { token });
    expect(second.body.data).toMatchObject([{ sacCode: '998413' }]);
    const backwards = await app.call('GET', '/api/revenue/taxes?order=desc&limit=1', { token });
    expect(backwards.body.data).toMatchObject([{ sacCode: '998413' }]);
  });

  it('tells the rate of today, the next one and all there were, by the day in India', async () => {
    const sacCode = freshCode();
    await added(
      rate({ sacCode, rate: '12', effectiveFrom: '2017-07-01' }),
      rate({ sacCode, rate: '18', effectiveFrom: '2027-03-01' }),
      rate({ sacCode, rate: '28', effectiveFrom: '2027-06-01' }),
    );
    const rates = async (moment: string) => {
      setClock(moment);
      ({ token } = await app.signIn(admin));
      const { current, next, history } = await listed(sacCode);
      return [current?.rate, next?.rate, history.map((one: { rate: string }) => one.rate)];
    };
    const all = ['28.00', '18.00', '12.00'];
    expect(await rates('2027-02-28T18:29:00Z')).toEqual(['12.00', '18.00', all]);
    expect(await rates('2027-02-28T18:31:00Z')).toEqual(['18.00', '28.00', all]);
    expect(await rates(noon('2027-07-01'))).toEqual(['28.00', undefined, all]);
  });

  it('is not for people of tenants', async () => {
    const { token: owner } = await app.ownerWithToken();
    expectError(await app.call('GET', '/api/revenue/taxes', { token: owner }), 403, 'forbidden');
    expectError(
      await app.call('PUT', '/api/revenue/taxes', { token: owner, body: { rates: [rate()] } }),
      403,
      'forbidden',
    );
  });
});

describe('PUT /api/revenue/taxes', () => {
  it('adds rates, with who did and the audit row, and again changes nothing', async () => {
    const sacCode = freshCode();
    const body = rate({ sacCode, rate: '5' });
    const since = new Date(Date.now() - 1000);
    const first = await put(body);
    expect(first.status, first.text).toBe(200);
    expect(first.body.data).toMatchObject([
      {
        sacCode,
        current: null,
        next: { rate: '5.00', effectiveFrom: '2027-04-01', createdBy: { name: 'Asha Menon' } },
        history: [{ rate: '5.00' }],
      },
    ]);
    expect((await put(body, { ...body, description: 'In other words' })).body.data).toEqual(first.body.data);
    const rows = await app.query(
      `select changes from audit_logs where action = 'plans.taxes_update' and changes::text like $1 and created_at >= $2`,
      [`%${sacCode}%`, since],
    );
    expect(rows).toHaveLength(1);
  });

  it.each(['2027-02-09', '2017-06-30', '2026-08-11'])(
    'refuses %s, before today, for a code that has a rate',
    async (day) => {
      const answer = await put(rate({ effectiveFrom: '2027-05-01' }), rate({ effectiveFrom: day }));
      expectError(answer, 400, 'validation_failed', 'body rates.1.effectiveFrom');
      expect((await listed('997331')).history).toHaveLength(1);
    },
  );

  it('counts days in India: today, and of a new code any day', async () => {
    setClock('2027-02-10T18:31:00Z');
    ({ token } = await app.signIn(admin));
    const sacCode = freshCode();
    await added(rate({ sacCode, effectiveFrom: '2020-01-01' }));
    expectError(await put(rate({ sacCode, effectiveFrom: '2027-02-10' })), 400, 'validation_failed');
    await added(rate({ sacCode, rate: '12', effectiveFrom: '2027-02-11' }));
    expect((await listed(sacCode)).current).toMatchObject({ rate: '12.00', effectiveFrom: '2027-02-11' });
  });

  it('refuses another rate for a day that has one, also within one request', async () => {
    const [known, fresh] = [freshCode(), freshCode()];
    await added(rate({ sacCode: known, rate: '18' }));
    const answer = await put(rate({ sacCode: fresh }), rate({ sacCode: known, rate: '28' }));
    expectError(answer, 409, 'conflict', 'body rates.1.effectiveFrom');
    expect(answer.body.error.message).toContain(`from then on ${known} is taxed at 18.00 percent`);
    expect(await listed(fresh)).toBeUndefined();
    expectError(await put(rate({ sacCode: fresh, rate: '5' }), rate({ sacCode: fresh, rate: '6' })), 409, 'conflict');
  });

  it('takes one of several rates that are sent at once for the same day', async () => {
    const sacCode = freshCode();
    const different = await Promise.all(['5', '12', '18'].map((percent) => put(rate({ sacCode, rate: percent }))));
    expect(statusesOf(different)).toEqual([200, 409, 409]);
    const same = freshCode();
    expect(statusesOf(await Promise.all([1, 2, 3].map(() => put(rate({ sacCode: same })))))).toEqual([200, 200, 200]);
    expect((await listed(same)).history).toHaveLength(1);
  });

  it.each([
    [rate({ rate: '100.01' }), 'rates.0.rate'],
    [rate({ rate: '-1' }), 'rates.0.rate'],
    [rate({ rate: 18 }), 'rates.0.rate'],
    [rate({ sacCode: '8471' }), 'rates.0.sacCode'],
    [rate({ effectiveFrom: '2027-02-30' }), 'rates.0.effectiveFrom'],
    [rate({ tenantId: 'x' }), 'rates.0.tenantId'],
  ])('refuses %j', async (body, field) => {
    expectError(await put(body), 400, 'validation_failed', `body ${field}`);
  });

  it('refuses none, and more than fifty', async () => {
    expectError(await put(), 400, 'validation_failed', 'body rates');
    expectError(await put(...Array.from({ length: 51 }, () => rate())), 400, 'validation_failed', 'body rates');
  });

  it('is not changed from within one tenant, nor in the database', async () => {
    const { id } = await app.buildTenant();
    const headers = { 'x-tenant-id': id };
    const all = await app.adminToken();
    const answer = await app.call('PUT', '/api/revenue/taxes', { token: all, body: { rates: [rate()] }, headers });
    expectError(answer, 403, 'tenant_mismatch');
    await expect(app.query(`update tax_rates set rate = 5`)).rejects.toThrow('are added, never changed or removed');
  });
});
