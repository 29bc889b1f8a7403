import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BuiltInRoleCode } from '../../../src/config/permissions.ts';
import { buildPlan } from '../../support/billing.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { buildAddOn, buildCoupon, dataOf, subscribe, subscriptionsOf } from './support.ts';

let app: TestApp;
let admin: string;
beforeAll(async () => {
  app = await startTestApp();
  admin = await app.adminToken();
});
afterAll(() => app.close());

const subscriptions = () => subscriptionsOf(app, () => admin);
const reason = 'As was agreed by phone';

/** Everything that can be called about one subscription: by whom, and how. */
async function callsOf(id: string) {
  const [plan, coupon, addOn] = [await buildPlan(app), await buildCoupon(app), await buildAddOn(app)];
  const some = plan.id;
  const s = subscriptions();
  const reading = (path: string) => (who: string) => s.get(`/${id}${path}`, who);
  const reads = ['', '/changes', '/upcoming-invoice', '/entitlements'].map(reading);
  const billed = ['/invoices', '/timeline'].map(reading);
  const ofOwners = [
    (who: string) => s.post(`/${id}/change/preview`, { planId: plan.id }, who),
    (who: string) => s.post(`/${id}/change`, { planId: plan.id }, who),
    (who: string) => s.remove(`/${id}/change/${some}`, who),
    (who: string) => s.post(`/${id}/uncancel`, undefined, who),
    (who: string) => s.post(`/${id}/reactivate`, {}, who),
    (who: string) => s.post(`/${id}/coupons`, { code: coupon.code }, who),
    (who: string) => s.remove(`/${id}/coupons/${some}`, who),
    (who: string) => s.post(`/${id}/add-ons`, { addOnId: addOn.id }, who),
    (who: string) => s.remove(`/${id}/add-ons/${some}`, who),
    (who: string) => s.put(`/${id}/payment-method`, { paymentMethodId: some }, who),
    (who: string) => s.post(`/${id}/cancel`, { at: 'NOW', reason }, who),
  ];
  const ofStaff = [
    (who: string) => s.put(`/${id}`, { collectionMethod: 'SEND_INVOICE' }, who),
    (who: string) => s.post(`/${id}/pause`, {}, who),
    (who: string) => s.post(`/${id}/resume`, undefined, who),
    (who: string) => s.post(`/${id}/renew`, undefined, who),
    (who: string) => s.post(`/${id}/extend-trial`, { days: 7 }, who),
  ];
  return { reads, billed, ofOwners, ofStaff };
}

describe('A subscription', () => {
  it('of another library is a 404 to an owner, and stays as it is', async () => {
    const [own, foreign] = [await subscribe(app, subscriptions()), await subscribe(app, subscriptions())];
    const before = dataOf(await subscriptions().get(`/${foreign.id}`));
    const { reads, billed, ofOwners } = await callsOf(foreign.id);
    for (const call of [...reads, ...billed, ...ofOwners]) {
      const answer = await call(own.token);
      expect(answer.status, answer.text).toBe(404);
    }
    expect(dataOf(await subscriptions().get(`/${foreign.id}`))).toEqual(before);
    const list = await subscriptions().get('', own.token);
    expect(list.body.data.map(({ id }: { id: string }) => id)).toEqual([own.id]);
    const named = await subscriptions().get(`?tenantId=${foreign.tenantId}`, own.token);
    expect(named.body.data).toEqual([]);
  });

  it('of their own can be changed by owners, but not paused, renewed or put off', async () => {
    const { id, token } = await subscribe(app, subscriptions());
    const { reads, billed, ofOwners, ofStaff } = await callsOf(id);
    for (const call of ofStaff) expect((await call(token)).status).toBe(403);
    for (const call of [...reads, ...billed]) expect((await call(token)).status).toBe(200);
    for (const call of ofOwners) expect((await call(token)).status).not.toBe(403);
    expect(dataOf(await subscriptions().get(`/${id}`)).status).toBe('CANCELLED');
    for (const path of ['/expiring', '/analytics']) expect((await subscriptions().get(path, token)).status).toBe(403);
  });

  it.each(['library_staff', 'student'] as const)('is nothing for %s', async (role) => {
    const { id, tenantId } = await subscribe(app, subscriptions());
    const { token } = await app.signIn(await app.buildUser({ role, tenantId }));
    const { reads, billed, ofOwners } = await callsOf(id);
    for (const call of [...reads, ...billed, ...ofOwners]) expect((await call(token)).status).toBe(403);
  });

  it.each(['support', 'sales', 'auditor'] as BuiltInRoleCode[])(
    'can be seen by %s, and not be changed',
    async (role) => {
      const { id } = await subscribe(app, subscriptions());
      const token = await app.adminToken({ role });
      const { reads, billed, ofOwners, ofStaff } = await callsOf(id);
      for (const call of reads) expect((await call(token)).status).toBe(200);
      // Sales does not see what was invoiced.
      for (const call of billed) expect((await call(token)).status).toBe(role === 'sales' ? 403 : 200);
      const [preview, ...writes] = [...ofOwners, ...ofStaff];
      expect((await preview!(token)).status).not.toBe(403);
      for (const call of writes) expect((await call(token)).status).toBe(403);
    },
  );

  it.each([
    ['sales', 201],
    ['support', 403],
    ['finance', 201],
  ] as const)('can be made by %s: %i', async (role, status) => {
    const token = await app.adminToken({ role });
    const { tenantId } = await app.ownerWithToken();
    const body = { tenantId, planId: (await buildPlan(app)).id, billingCycle: 'MONTHLY' };
    expect((await subscriptions().post('', body, token)).status).toBe(status);
  });

  it('is moved in bulk by those alone who may', async () => {
    const plan = await buildPlan(app);
    const body = { fromPlanId: plan.id, toPlanId: plan.id, at: 'PERIOD_END' };
    for (const [role, status] of [
      ['operations', 403],
      ['sales', 403],
      ['finance', 200],
    ] as const) {
      const token = await app.adminToken({ role });
      expect((await subscriptions().post('/bulk/migrate-plan', body, token)).status, role).toBe(status);
    }
  });

  it('stays open to the owner of a library that is suspended', async () => {
    const { id, token: _, tenantId } = await subscribe(app, subscriptions());
    await app.query(`update tenants set status = 'SUSPENDED' where id = $1`, [tenantId]);
    const { token } = await app.ownerWithToken({ tenantId });
    expect((await subscriptions().get(`/${id}`, token)).status).toBe(200);
    dataOf(await subscriptions().post(`/${id}/cancel`, { at: 'PERIOD_END', reason }, token));
  });

  it('of a tenant is the only one that an admin sees within its space', async () => {
    const [one, other] = [await subscribe(app, subscriptions()), await subscribe(app, subscriptions())];
    const within = { token: admin, headers: { 'x-tenant-id': one.tenantId } };
    const list = await app.call('GET', '/api/subscriptions', within);
    expect(list.body.data.map(({ id }: { id: string }) => id)).toEqual([one.id]);
    expect((await app.call('GET', `/api/subscriptions/${other.id}`, within)).status).toBe(404);
  });
});

describe('Money', () => {
  it('needs an Idempotency-Key wherever it is asked for', async () => {
    const { id } = await subscribe(app, subscriptions());
    const { id: planId } = await buildPlan(app);
    const { id: addOnId } = await buildAddOn(app);
    for (const [path, body] of [
      [`/${id}/change`, { planId }],
      [`/${id}/reactivate`, {}],
      [`/${id}/add-ons`, { addOnId }],
      [`/${id}/renew`, undefined],
    ] as const) {
      const answer = await app.call('POST', `/api/subscriptions${path}`, { token: admin, body });
      expect(answer.status, answer.text).toBe(400);
      expect(answer.body.error.details.issues).toMatchObject([{ in: 'header', field: 'Idempotency-Key' }]);
    }
  });
});
