import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildPlan } from '../../support/billing.ts';
import { queryString, statusesOf } from '../../support/calls.ts';
import { expectError } from '../../support/expectations.ts';
import { startFinanceApp, type FinanceApp } from '../../support/finance.ts';
import { catalogueOf } from './catalogue-support.ts';
import { newId } from '../../../src/utils/ids.ts';

let app: FinanceApp;
beforeAll(async () => {
  app = await startFinanceApp();
});
afterAll(() => app.close());

let serial = 0;
const percent = (changes: object = {}) => ({
  code: `OFFER-${(serial += 1)}`,
  name: 'Diwali offer',
  kind: 'PERCENT',
  percent: '10',
  duration: 'FOREVER',
  ...changes,
});
const fixed = (changes: object = {}) => ({
  code: `OFF-${(serial += 1)}`,
  name: 'Welcome',
  kind: 'FIXED',
  amount: '250',
  duration: 'ONCE',
  ...changes,
});
const { create, made, update } = catalogueOf(
  () => app,
  'coupons',
  (body = percent()) => body,
);
const deactivate = (id: string) => app.call('POST', `/api/revenue/coupons/${id}/deactivate`, { token: app.finance });
/** Counts a redemption as a subscription does. @returns whether it was counted */
const redeem = async (id: string, today = '2026-08-11') =>
  (await app.query<{ counted: boolean }>(`select app.redeem_coupon($1, $2) as counted`, [id, today]))[0]?.counted;

describe('POST /api/revenue/coupons', () => {
  it('creates a coupon, its code in capitals, with its audit row', async () => {
    const plan = await buildPlan(app);
    const answer = await create(
      percent({
        code: ' diwali-2026 ',
        percent: '12.5',
        duration: 'REPEATING',
        durationMonths: 3,
        planIds: [plan.id],
        maxRedemptions: 100,
        redeemBy: '2026-11-30',
      }),
    );
    expect(answer.status, answer.text).toBe(201);
    expect(answer.body.data).toEqual({
      id: expect.stringMatching(/^c[a-z0-9]{24}$/),
      code: 'DIWALI-2026',
      name: 'Diwali offer',
      kind: 'PERCENT',
      percent: '12.50',
      amount: null,
      duration: 'REPEATING',
      durationMonths: 3,
      planIds: [plan.id],
      maxRedemptions: 100,
      redeemedCount: 0,
      redeemBy: '2026-11-30',
      status: 'ACTIVE',
      version: 1,
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
    });
    const [audit] = await app.query(`select action, tenant_id from audit_logs where resource_id = $1`, [
      answer.body.data.id,
    ]);
    expect(audit).toEqual({ action: 'plans.coupon_create', tenant_id: null });
    expect(await made(fixed())).toMatchObject({ kind: 'FIXED', percent: null, amount: '250.00', planIds: [] });
  });

  it.each(['0.01', '0.1', '100', '99.99'])('takes %s percent', async (share) => {
    expect((await made(percent({ percent: share }))).percent).toBe(Number(share).toFixed(2));
  });

  it.each([
    [percent({ percent: '0' }), 'percent'],
    [percent({ percent: '0.001' }), 'percent'],
    [percent({ percent: '100.01' }), 'percent'],
    [percent({ percent: '-5' }), 'percent'],
    [percent({ percent: 10 }), 'percent'],
    [percent({ percent: undefined }), 'percent'],
    [percent({ amount: '5.00' }), 'amount'],
    [fixed({ amount: '0.00' }), 'amount'],
    [fixed({ amount: undefined }), 'amount'],
    [fixed({ percent: '5' }), 'percent'],
    [percent({ duration: 'REPEATING' }), 'durationMonths'],
    [percent({ durationMonths: 3 }), 'durationMonths'],
    [percent({ code: 'AB' }), 'code'],
    [percent({ code: '-AB-' }), 'code'],
    [percent({ code: 'DIWALI 2026' }), 'code'],
    [percent({ code: 'दिवाली' }), 'code'],
    [percent({ code: 'A'.repeat(41) }), 'code'],
    [percent({ maxRedemptions: 0 }), 'maxRedemptions'],
    [percent({ redeemBy: '2026-02-30' }), 'redeemBy'],
    [percent({ planIds: [newId()] }), 'planIds'],
    [percent({ redeemedCount: 5 }), 'redeemedCount'],
  ])('refuses %j', async (body, field) => {
    expectError(await create(body), 400, 'validation_failed', `body ${field}`);
  });

  it('gives a code to one of several who ask at once, whatever its case', async () => {
    const answers = await Promise.all(['AT-ONCE', 'at-once', 'At-Once'].map((code) => create(percent({ code }))));
    expect(statusesOf(answers)).toEqual([201, 409, 409]);
    for (const answer of answers.filter(({ status }) => status === 409)) {
      expectError(answer, 409, 'conflict', 'body code');
    }
  });
});

describe('PUT /api/revenue/coupons/:id', () => {
  it('changes the discount before somebody has redeemed it', async () => {
    const { id } = await made();
    const answer = await update(id, { kind: 'FIXED', amount: '99.5', duration: 'REPEATING', durationMonths: 6 }, 1);
    expect(answer.body.data, answer.text).toMatchObject({
      kind: 'FIXED',
      percent: null,
      amount: '99.50',
      duration: 'REPEATING',
      durationMonths: 6,
      version: 2,
    });
    expect((await update(id, { duration: 'ONCE' })).body.data).toMatchObject({
      duration: 'ONCE',
      durationMonths: null,
    });
    expectError(await update(id, { name: 'Other' }, 1), 412, 'version_mismatch');
    expectError(await update(id, { percent: '5' }), 400, 'validation_failed', 'body percent');
    expectError(await update(id, { kind: 'PERCENT' }), 400, 'validation_failed', 'body percent');
    expectError(await update(id, { duration: 'REPEATING' }), 400, 'validation_failed', 'body durationMonths');
    expectError(await update(id, { planIds: [newId()] }), 400, 'validation_failed', 'body planIds');
    expectError(await update(id, { code: 'OTHER' }), 400, 'validation_failed', 'body code');
    expectError(await update(id, {}), 400, 'validation_failed');
  });

  it('changes its name, last day and number alone once it was redeemed, the number to no less', async () => {
    const { id } = await made(percent({ maxRedemptions: 3 }));
    expect([await redeem(id), await redeem(id)]).toEqual([true, true]);
    for (const [changes, field] of [
      [{ percent: '20' }, 'percent'],
      [{ kind: 'FIXED', amount: '20' }, 'kind'],
      [{ duration: 'ONCE' }, 'duration'],
      [{ planIds: [(await buildPlan(app)).id] }, 'planIds'],
      [{ maxRedemptions: 1 }, 'maxRedemptions'],
    ] as const) {
      expectError(await update(id, changes), 409, 'conflict', `body ${field}`);
    }
    const same = await update(id, { kind: 'PERCENT', percent: '10.0', duration: 'FOREVER', planIds: [] });
    expect(same.body.data, same.text).toMatchObject({ percent: '10.00', redeemedCount: 2 });
    const answer = await update(id, { name: 'Renamed', maxRedemptions: 2, redeemBy: '2026-12-31' });
    expect(answer.body.data).toMatchObject({ name: 'Renamed', maxRedemptions: 2, redeemBy: '2026-12-31' });
    expect(await redeem(id)).toBe(false);
    expect((await update(id, { maxRedemptions: null, redeemBy: null })).body.data).toMatchObject({
      maxRedemptions: null,
      redeemBy: null,
    });
    expect(await redeem(id)).toBe(true);
  });

  it('never lets more redeem it than it says, also while that changes', async () => {
    const { id } = await made(percent({ maxRedemptions: 5 }));
    const [counted, changed] = await Promise.all([
      Promise.all(Array.from({ length: 12 }, () => redeem(id))),
      update(id, { maxRedemptions: 3 }),
    ]);
    const [row] = await app.query<{ redeemed: number; most: number }>(
      `select redeemed_count as redeemed, max_redemptions as most from coupons where id = $1`,
      [id],
    );
    expect([200, 409]).toContain(changed.status);
    expect(row?.most).toBe(changed.status === 200 ? 3 : 5);
    expect(row?.redeemed).toBe(row?.most);
    expect(counted.filter(Boolean)).toHaveLength(row?.redeemed ?? 0);
  });
});

describe('POST /api/revenue/coupons/:id/deactivate', () => {
  it('ends it for whoever has not redeemed it, for good, and again', async () => {
    const { id } = await made();
    expect(await redeem(id)).toBe(true);
    const first = await deactivate(id);
    expect(first.body.data, first.text).toMatchObject({ status: 'INACTIVE', redeemedCount: 1, version: 2 });
    expect((await deactivate(id)).body.data).toEqual(first.body.data);
    expect(await redeem(id)).toBe(false);
    expectError(await update(id, { status: 'ACTIVE' }), 400, 'validation_failed', 'body status');
  });
});

describe('GET /api/revenue/coupons', () => {
  it('filters, searches and sorts', async () => {
    await made(percent({ code: 'FIND-Z', name: 'First' }));
    const { id } = await made(percent({ code: 'FIND-A', name: 'Second' }));
    await made(fixed({ code: 'M-1', name: 'Find me' }));
    await deactivate(id);
    const codes = async (query: Record<string, string>) => {
      const answer = await app.call('GET', `/api/revenue/coupons${queryString({ q: 'find', ...query })}`, {
        token: app.finance,
      });
      return answer.body.data.map(({ code }: { code: string }) => code);
    };
    expect(await codes({ sort: 'code', order: 'asc' })).toEqual(['FIND-A', 'FIND-Z', 'M-1']);
    expect(await codes({ sort: 'name', order: 'asc' })).toEqual(['M-1', 'FIND-Z', 'FIND-A']);
    expect(await codes({})).toEqual(['M-1', 'FIND-A', 'FIND-Z']);
    expect(await codes({ status: 'INACTIVE' })).toEqual(['FIND-A']);
  });

  it('is for the staff of StudySpot, and changed by some of them, not from within one tenant', async () => {
    const { id } = await made();
    const { token: owner, tenantId } = await app.ownerWithToken();
    const support = await app.adminToken({ role: 'support' });
    const admin = await app.adminToken();
    expectError(await app.call('GET', '/api/revenue/coupons', { token: owner }), 403, 'forbidden');
    expect((await app.call('GET', '/api/revenue/coupons', { token: support })).status).toBe(200);
    const headers = { 'x-tenant-id': tenantId };
    for (const [method, path, body] of [
      ['POST', '', percent()],
      ['PUT', `/${id}`, { name: 'Mine' }],
      ['POST', `/${id}/deactivate`, {}],
    ] as const) {
      const call = (who: string, more = {}) =>
        app.call(method, `/api/revenue/coupons${path}`, { token: who, body, ...more });
      expectError(await call(owner), 403, 'forbidden');
      expectError(await call(support), 403, 'forbidden');
      expectError(await call(admin, { headers }), 403, 'tenant_mismatch');
    }
  });
});
