import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TenantStatus } from '../../../src/generated/prisma/enums.ts';
import { buildPlan, buildSubscription } from '../../support/billing.ts';
import { statusesOf } from '../../support/calls.ts';
import { expectError } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { moveGrace, runJob, runOutbox } from './support.ts';

const DAY_MS = 86_400_000;
const reason = 'The library closes at the end of the month';

let app: TestApp;
let token: string;
beforeAll(async () => {
  app = await startTestApp();
  token = await app.elevatedToken({ name: 'Asha Menon' });
});
afterAll(() => app.close());

const begin = (id: string, who = token, body: object = { reason }) =>
  app.call('POST', `/api/tenants/${id}/offboard`, { token: who, body });
const cancel = (id: string, body: object = {}, who = token) =>
  app.call('POST', `/api/tenants/${id}/offboard/cancel`, { token: who, body });
const look = async (id: string) => (await app.call('GET', `/api/tenants/${id}/offboarding`, { token })).body.data;
const mailsTo = async (address: string) =>
  (await app.query(`select template from email_deliveries where recipient = $1 order by created_at`, [address])).map(
    ({ template }) => template as string,
  );
const transitions = (id: string) =>
  app.query(
    `select "from", "to", reason, actor_name from tenant_transitions where tenant_id = $1 order by created_at`,
    [id],
  );

describe('Off-boarding', () => {
  it.each(['TRIAL', 'ACTIVE', 'SUSPENDED', 'INACTIVE'] as const)(
    'of a tenant that is %s gives thirty days, and called off leads back',
    async (status) => {
      const { id } = await app.buildTenant({ status });
      const begun = await begin(id);
      expect(begun.status, begun.text).toBe(200);
      expect(begun.body.data).toMatchObject({
        tenantId: id,
        status: 'OFFBOARDING',
        offboarding: { state: 'GRACE', reason, statusBefore: status, requestedBy: { name: 'Asha Menon' } },
        legalHold: null,
      });
      const { graceEndsAt, requestedAt } = begun.body.data.offboarding;
      expect(Date.parse(graceEndsAt) - Date.parse(requestedAt)).toBe(30 * DAY_MS);
      const back = await cancel(id, { reason: 'They stay after all' });
      expect(back.body.data, back.text).toMatchObject({ status, offboarding: { state: 'CANCELLED' } });
      expect(await transitions(id)).toEqual([
        { from: status, to: 'OFFBOARDING', reason, actor_name: 'Asha Menon' },
        { from: 'OFFBOARDING', to: status, reason: 'They stay after all', actor_name: 'Asha Menon' },
      ]);
      expect((await begin(id)).status).toBe(200);
    },
  );

  it('is what DELETE does, and no row is removed', async () => {
    const owner = await app.buildOwner();
    const id = owner.tenantId as string;
    const answer = await app.call('DELETE', `/api/tenants/${id}`, { token, body: { reason } });
    expect(answer.body.data, answer.text).toMatchObject({ status: 'OFFBOARDING', offboarding: { state: 'GRACE' } });
    expect(await app.query(`select 1 from users where id = $1`, [owner.id])).toHaveLength(1);
    const actions = await app.query(`select action from audit_logs where chain = $1`, [id]);
    expect(actions.map(({ action }) => action)).toEqual(['tenants.offboard']);
  });

  it('takes as long as the setting says', async () => {
    const path = '/api/settings/tenants.offboarding_grace_days';
    const set = (value: number, version: number) =>
      app.call('PUT', path, { token, body: { value }, headers: { 'if-match': `"${version}"` } });
    expect((await set(90, 0)).status).toBe(200);
    const { id } = await app.buildTenant();
    const { graceEndsAt, requestedAt } = (await begin(id)).body.data.offboarding;
    expect(Date.parse(graceEndsAt) - Date.parse(requestedAt)).toBe(90 * DAY_MS);
    expectError(await set(29, 1), 400, 'validation_failed');
    expect((await set(30, 1)).status).toBe(200);
  });

  it('ends the subscription at once, so that nothing is billed any more; called off it stays ended', async () => {
    const { tenantId: id } = await app.ownerWithToken();
    const subscription = await buildSubscription(app, id, await buildPlan(app));
    expect((await begin(id)).status).toBe(200);
    const row = () =>
      app.query(`select status, mrr::text, next_event_on, cancel_reason from subscriptions where id = $1`, [
        subscription,
      ]);
    const ended = { status: 'CANCELLED', mrr: '0.00', next_event_on: null, cancel_reason: reason };
    expect(await row()).toEqual([ended]);
    const back = await cancel(id);
    expect(back.body.data, back.text).toMatchObject({ status: 'ACTIVE', offboarding: { statusBefore: 'ACTIVE' } });
    expect(await row()).toEqual([ended]);
    expect((await transitions(id)).map(({ to }) => to)).toEqual(['OFFBOARDING', 'ACTIVE']);
    const actions = await app.query(`select action from audit_logs where chain = $1 order by sequence`, [id]);
    expect(actions.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['tenants.offboard', 'subscriptions.cancel', 'tenants.offboard_cancel']),
    );
  });

  it('bills nobody for the period that was to begin', async () => {
    const { tenantId: id } = await app.ownerWithToken();
    const subscription = await buildSubscription(app, id, await buildPlan(app));
    await app.query(
      `update subscriptions set current_period_start = current_date - 32, current_period_end = current_date - 1, next_event_on = current_date - 1
        where id = $1`,
      [subscription],
    );
    expect((await begin(id)).status).toBe(200);
    expect(await app.query(`select status from subscriptions where id = $1`, [subscription])).toEqual([
      { status: 'CANCELLED' },
    ]);
    expect(await app.query(`select 1 from invoices where tenant_id = $1`, [id])).toEqual([]);
  });

  it('begun twice at once begins once, and once more is refused', async () => {
    const { id } = await app.buildTenant();
    expect(statusesOf(await Promise.all([begin(id), begin(id), begin(id)]))).toEqual([200, 409, 409]);
    expectError(await begin(id), 409, 'invalid_transition');
    expect(await app.query(`select 1 from offboardings where tenant_id = $1`, [id])).toHaveLength(1);
    expect(statusesOf(await Promise.all([cancel(id), cancel(id)]))).toEqual([200, 409]);
  });

  it('ends by calling it off alone: suspending and activating are refused meanwhile', async () => {
    const { id } = await app.buildTenant();
    await begin(id);
    for (const what of ['suspend', 'activate']) {
      const answer = await app.call('POST', `/api/tenants/${id}/${what}`, { token, body: { reason } });
      expectError(answer, 409, 'invalid_transition');
      expect(answer.body.error.message).toContain('offboard/cancel');
    }
    expect(await look(id)).toMatchObject({ status: 'OFFBOARDING' satisfies TenantStatus });
  });

  it('needs the permission and a step-up, and another tenant is a 404', async () => {
    const { id } = await app.buildTenant();
    expectError(await begin(id, await app.adminToken()), 403, 'step_up_required');
    expectError(await begin(id, await app.elevatedToken({ role: 'operations' })), 403, 'forbidden');
    const { token: owner, tenantId } = await app.ownerWithToken();
    expectError(await begin(tenantId, owner), 403, 'forbidden');
    const other = await app.buildTenant();
    const headers = { 'x-tenant-id': other.id };
    expectError(
      await app.call('POST', `/api/tenants/${id}/offboard`, { token, body: { reason }, headers }),
      404,
      'not_found',
    );
    expectError(await app.call('GET', `/api/tenants/${id}/offboarding`, { token, headers }), 404, 'not_found');
    expectError(await begin(id, token, { reason: 'abc' }), 400, 'validation_failed');
    expect(await look(id)).toMatchObject({ status: 'ACTIVE', offboarding: null });
  });

  it('signs people out; they may sign in again, and then export and nothing else', async () => {
    const { owner, token: before, tenantId } = await app.ownerWithToken();
    await begin(tenantId);
    expectError(await app.call('GET', '/api/auth/me', { token: before }), 401, 'unauthenticated');
    const { token: after } = await app.signInElevated(owner);
    expect((await app.call('GET', '/api/auth/me', { token: after })).status).toBe(200);
    expectError(await app.call('GET', `/api/tenants/${tenantId}`, { token: after }), 403, 'tenant_suspended');
    expect((await app.call('POST', `/api/tenants/${tenantId}/exports`, { token: after })).status).toBe(202);
  });
});

describe('Owners are told', () => {
  it('when it begins, 48 hours before its end, and when it is called off, each once', async () => {
    const owner = await app.buildOwner();
    const second = await app.buildOwner({ tenantId: owner.tenantId });
    const id = owner.tenantId as string;
    await begin(id);
    expect(await runOutbox(app, 'email.offboarding', id)).toBe(2);
    await runJob('cleanup.offboarding');
    expect(await runOutbox(app, 'email.offboarding', id)).toBe(0);
    await moveGrace(app, id, -47);
    await Promise.all([runJob('cleanup.offboarding'), runJob('cleanup.offboarding')]);
    await runJob('cleanup.offboarding');
    expect(await runOutbox(app, 'email.offboarding', id)).toBe(2);
    expect((await look(id)).offboarding.noticeSentAt).toEqual(expect.any(String));
    await cancel(id);
    expect(await runOutbox(app, 'email.offboarding', id)).toBe(2);
    const all = ['offboarding-begun', 'offboarding-notice', 'offboarding-cancelled'];
    for (const { email } of [owner, second]) expect(await mailsTo(email ?? '')).toEqual(all);
  });

  it('at the address of the tenant, where no owner can be written to', async () => {
    const { id, email } = await app.buildTenant();
    await app.buildOwner({ tenantId: id, status: 'INACTIVE' });
    await begin(id);
    await runOutbox(app, 'email.offboarding');
    expect(await mailsTo(email)).toEqual(['offboarding-begun']);
  });

  it('nothing that is no longer so', async () => {
    const owner = await app.buildOwner();
    await begin(owner.tenantId as string);
    await cancel(owner.tenantId as string);
    await runOutbox(app, 'email.offboarding');
    expect(await mailsTo(owner.email ?? '')).toEqual(['offboarding-cancelled']);
  });
});
