import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { statusesOf } from '../../support/calls.ts';
import { expectError } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { moveGrace, runJob } from './support.ts';

let app: TestApp;
let token: string;
beforeAll(async () => {
  app = await startTestApp();
  token = await app.elevatedToken({ name: 'Asha Menon' });
});
afterAll(() => app.close());

const order = 'Order of the Rajasthan High Court';
const hold = (id: string, inForce: boolean, who = token) =>
  app.call('PUT', `/api/tenants/${id}/legal-hold`, { token: who, body: { inForce, reason: order } });
const begin = (id: string) =>
  app.call('POST', `/api/tenants/${id}/offboard`, { token, body: { reason: 'They leave us' } });
const look = async (id: string) => (await app.call('GET', `/api/tenants/${id}/offboarding`, { token })).body.data;

describe('A legal hold', () => {
  it('is placed and lifted with a reason, once each, and audited', async () => {
    const { id } = await app.buildTenant();
    expectError(await hold(id, false), 409, 'conflict');
    expect(statusesOf(await Promise.all([hold(id, true), hold(id, true)]))).toEqual([200, 409]);
    expect(await look(id)).toMatchObject({
      legalHold: { inForce: true, reason: order, placedByName: 'Asha Menon', liftedAt: null },
    });
    expect((await hold(id, false)).body.data.legalHold).toMatchObject({ inForce: false, liftReason: order });
    expect((await hold(id, true)).status).toBe(200);
    const rows = await app.query(`select action, changes from audit_logs where chain = $1 order by sequence`, [id]);
    expect(rows.map(({ action }) => action)).toEqual(Array(3).fill('tenants.legal_hold'));
    expect(rows[0]?.changes).toEqual({ legalHold: { from: false, to: true }, reason: order });
  });

  it('is for holders of tenants.delete who just proved who they are', async () => {
    const { id } = await app.buildTenant();
    expectError(await hold(id, true, await app.adminToken()), 403, 'step_up_required');
    expectError(await hold(id, true, await app.elevatedToken({ role: 'operations' })), 403, 'forbidden');
  });

  it('keeps notice and purge away; after the lift owners are told again, and 48 hours pass', async () => {
    const owner = await app.buildOwner();
    const id = owner.tenantId as string;
    await begin(id);
    await hold(id, true);
    await moveGrace(app, id, 1);
    await runJob('cleanup.offboarding');
    expect((await look(id)).offboarding.noticeSentAt).toBeNull();
    await moveGrace(app, id, 100, 100);
    await runJob('cleanup.offboarding');
    expect(await look(id)).toMatchObject({ status: 'OFFBOARDING', offboarding: { state: 'GRACE' } });
    await hold(id, false);
    await runJob('cleanup.offboarding');
    const { offboarding } = await look(id);
    expect(offboarding).toMatchObject({ state: 'GRACE', noticeSentAt: expect.any(String) });
    expect(Date.now() - Date.parse(offboarding.noticeSentAt)).toBeLessThan(60_000);
    await moveGrace(app, id, 100, 49);
    await runJob('cleanup.offboarding');
    expect(await look(id)).toMatchObject({ status: 'PURGED', offboarding: { state: 'PURGED' } });
  });

  it('placed while a purge is under way stops it where it is, and lifted lets it go on', async () => {
    const owner = await app.buildOwner();
    const id = owner.tenantId as string;
    await begin(id);
    await moveGrace(app, id, 100, 100);
    await app.query(
      `update offboardings set purge_started_at = now(), contact_email = 'a@b.example' where tenant_id = $1`,
      [id],
    );
    await hold(id, true);
    await runJob('cleanup.offboarding');
    expect(await app.query(`select 1 from users where id = $1`, [owner.id])).toHaveLength(1);
    expectError(await app.call('POST', `/api/tenants/${id}/offboard/cancel`, { token, body: {} }), 409, 'conflict');
    await hold(id, false);
    await runJob('cleanup.offboarding');
    expect(await look(id)).toMatchObject({ status: 'PURGED' });
  });
});
