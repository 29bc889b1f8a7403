import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../src/utils/ids.ts';
import { buildPaymentMethod, buildPlan } from '../../support/billing.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';

type Step = { step: string; done: boolean; doneAt: string | null; skipped: object | null; required: boolean };

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());

const path = (id: string) => `/api/tenants/${id}/onboarding`;
const read = async (id: string, token: string) => {
  const answer = await app.call('GET', path(id), { token });
  expect(answer.status, answer.text).toBe(200);
  return answer.body.data as { steps: Step[]; progress: object; complete: boolean };
};
const doneOf = async (id: string, token: string) =>
  (await read(id, token)).steps.filter(({ done }) => done).map(({ step }) => step);
const say = (id: string, token: string, body: object) => app.call('POST', path(id), { token, body });

describe('GET /api/tenants/:id/onboarding', () => {
  it('follows the facts, and goes back with them', async () => {
    const { token, tenantId } = await app.ownerWithToken();
    const asLibrary = `insert into libraries (id, tenant_id, name, address_line, city, state, pincode, seat_count, created_at, updated_at)
                       values ($1, $2, 'Hall', 'A', 'Kota', 'RJ', '324005', 10, '2026-07-01T10:00:00Z', now())`;
    const start = await read(tenantId, token);
    expect(start.steps.map(({ step }) => step)).toEqual([
      'PROFILE',
      'GSTIN',
      'FIRST_LIBRARY',
      'BRANDING',
      'STAFF',
      'PLAN',
      'PAYMENT_METHOD',
      'FIRST_STUDENT',
    ]);
    expect(start).toMatchObject({ progress: { done: 0, skipped: 0, total: 8 }, complete: false });

    const body = { addressLine: '12 Road', city: 'Kota', state: 'RJ', pincode: '324005', phone: '9829012345' };
    await app.call('PUT', `/api/tenants/${tenantId}`, { token, body });
    expect(await doneOf(tenantId, token)).toEqual(['PROFILE']);
    await app.query(asLibrary, [newId(), tenantId]);
    await app.buildUser({ role: 'library_staff', tenantId });
    const student = await app.buildUser({ role: 'student', tenantId });
    await app.query(
      `insert into tenant_branding (tenant_id, display_name, updated_at) values ($1, 'Saraswati', now())`,
      [tenantId],
    );
    const later = await read(tenantId, token);
    expect(later.progress).toEqual({ done: 5, skipped: 0, total: 8 });
    expect(later.steps.find(({ step }) => step === 'FIRST_LIBRARY')?.doneAt).toBe('2026-07-01T10:00:00.000Z');

    await app.query(`update users set deleted_at = now() where id = $1`, [student.id]);
    await app.query(`update tenant_branding set display_name = null where tenant_id = $1`, [tenantId]);
    await app.query(`update tenants set phone = null where id = $1`, [tenantId]);
    expect(await doneOf(tenantId, token)).toEqual(['FIRST_LIBRARY', 'STAFF']);
  });

  it('counts a subscription that has not ended and a payment method that can be charged, since they are there', async () => {
    const { token, tenantId } = await app.ownerWithToken();
    const plan = await buildPlan(app);
    const doneAt = async (step: string) => (await read(tenantId, token)).steps.find((one) => one.step === step)?.doneAt;
    await app.query(
      `insert into subscriptions (id, tenant_id, plan_id, plan_version_id, status, billing_cycle, started_on, anchor_day,
                                  current_period_start, current_period_end, created_at, updated_at)
       values ($1, $2, $3, $4, 'TRIAL', 'MONTHLY', '2026-07-01', 1, '2026-07-01', '2026-08-01', '2026-07-01T10:00:00Z', now())`,
      [newId(), tenantId, plan.id, plan.versionId],
    );
    const method = await buildPaymentMethod(app, tenantId);
    expect(await doneOf(tenantId, token)).toEqual(['PLAN', 'PAYMENT_METHOD']);
    expect(await doneAt('PLAN')).toBe('2026-07-01T10:00:00.000Z');

    await app.query(`update subscriptions set status = 'EXPIRED', ended_on = '2026-08-01' where tenant_id = $1`, [
      tenantId,
    ]);
    await app.query(`update payment_methods set status = 'FAILED' where id = $1`, [method]);
    expect(await doneOf(tenantId, token)).toEqual([]);
    expect(await doneAt('PLAN')).toBeNull();
  });

  it('counts the GSTIN of the billing profile, and not the people and rooms of others', async () => {
    const { token, tenantId } = await app.ownerWithToken();
    const other = await app.ownerWithToken();
    await app.buildUser({ role: 'student', tenantId: other.tenantId });
    await app.query(
      `insert into billing_profiles (tenant_id, legal_name, gstin, email, address_line, city, state, pincode, updated_at)
       values ($1, 'S', '08AAPFU0939F1ZV', 'a@b.example', 'A', 'Kota', 'RJ', '324005', now())`,
      [tenantId],
    );
    expect(await doneOf(tenantId, token)).toEqual(['GSTIN']);
    expect(await doneOf(tenantId, await app.adminToken())).toEqual(['GSTIN']);
  });

  it("is a 404 for another tenant's, a purged one and one that is not there", async () => {
    const { token } = await app.ownerWithToken();
    const admin = await app.adminToken();
    const other = (await app.buildTenant()).id;
    const purged = (await app.buildTenant({ status: 'PURGED' })).id;
    for (const [id, who] of [
      [other, token],
      [purged, admin],
      [newId(), admin],
    ] as const) {
      expect((await app.call('GET', path(id), { token: who })).status).toBe(404);
      const body = { step: 'GSTIN', applies: false, reason: 'Not registered' };
      expect((await say(id, who, body)).status).toBe(404);
    }
    expect(await app.query(`select * from onboarding_skips where tenant_id = any($1)`, [[other, purged]])).toEqual([]);
  });
});

describe('POST /api/tenants/:id/onboarding', () => {
  it('leaves a step out, with who said so and why, and takes it back', async () => {
    const { owner, token, tenantId } = await app.ownerWithToken();
    const answer = await say(tenantId, token, { step: 'GSTIN', applies: false, reason: 'Below the threshold' });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.body.data.progress).toEqual({ done: 0, skipped: 1, total: 8 });
    const gstin = (await read(tenantId, token)).steps.find(({ step }) => step === 'GSTIN');
    expect(gstin?.skipped).toEqual({
      reason: 'Below the threshold',
      by: { id: owner.id, name: owner.name },
      at: expect.stringMatching(/^20\d\d-.*Z$/),
    });
    const audit = await app.query(`select changes from audit_logs where chain = $1 and action = 'tenants.onboarding'`, [
      tenantId,
    ]);
    expect(JSON.stringify(audit)).toContain('Below the threshold');

    await say(tenantId, token, { step: 'GSTIN', applies: false, reason: 'Really below it' });
    expect((await read(tenantId, token)).progress).toMatchObject({ skipped: 1 });
    const back = await say(tenantId, token, { step: 'GSTIN', applies: true });
    expect(back.body.data.progress).toMatchObject({ skipped: 0 });
    expect((await say(tenantId, token, { step: 'GSTIN', applies: true })).status).toBe(200);
  });

  it('counts a step that is done as done, whoever left it out', async () => {
    const { token, tenantId } = await app.ownerWithToken();
    await say(tenantId, token, { step: 'STAFF', applies: false, reason: 'Runs it alone' });
    await app.buildUser({ role: 'library_staff', tenantId });
    expect((await read(tenantId, token)).progress).toEqual({ done: 1, skipped: 0, total: 8 });
  });

  it.each([
    [{ step: 'PROFILE', applies: false, reason: 'Too much to write' }, 'step'],
    [{ step: 'FIRST_STUDENT', applies: false, reason: 'Nobody comes' }, 'step'],
    [{ step: 'GSTIN', applies: false }, 'reason'],
    [{ step: 'GSTIN', applies: false, reason: 'no' }, 'reason'],
    [{ step: 'PLAN', applies: false, reason: 'Wants it for nothing' }, 'step'],
    [{ step: 'PAYMENT', applies: true }, 'step'],
    [{ step: 'GSTIN', applies: true, done: true }, 'done'],
  ])('refuses %j', async (body, field) => {
    const { token, tenantId } = await app.ownerWithToken();
    const answer = await say(tenantId, token, body);
    expect(answer.status).toBe(400);
    expect(answer.body.error.details.issues).toMatchObject([{ in: 'body', field }]);
  });

  it('takes the same said several times at once', async () => {
    const { token, tenantId } = await app.ownerWithToken();
    const body = { step: 'BRANDING', applies: false, reason: 'Likes it plain' };
    const answers = await Promise.all(Array.from({ length: 4 }, () => say(tenantId, token, body)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(await app.query(`select step from onboarding_skips where tenant_id = $1`, [tenantId])).toHaveLength(1);
  });
});
