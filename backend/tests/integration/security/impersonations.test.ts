import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modules } from '../../../src/routes/index.ts';
import { exampleOf } from '../../../src/routes/openapi-examples.ts';
import { newId } from '../../../src/utils/ids.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';

let app: TestApp;
let admin: { id: string; name: string; email: string | null };
let token: string;
beforeAll(async () => {
  app = await startTestApp();
  admin = await app.buildAdmin();
  token = (await app.signInElevated(admin)).token;
});
afterAll(() => app.close());

const why = { reason: 'She cannot find her invoices', ticket: 'SUP-1042' };
const start = (userId: string, more: object = {}, who = token, headers: Record<string, string> = {}) =>
  app.call('POST', '/api/security/impersonations', { token: who, headers, body: { userId, ...why, ...more } });

/** An admin of their own, so that one impersonation does not end that of another test. */
async function begin(more: object = {}, role: 'super_admin' | 'operations' | 'support' = 'super_admin') {
  const person = await app.buildAdmin({ role });
  const own = (await app.signInElevated(person)).token;
  const owner = await app.buildOwner();
  const answer = await start(owner.id, more, own);
  expectSuccess(answer, 201);
  const { accessToken, impersonation, expiresIn } = answer.body.data;
  return {
    admin: person,
    own,
    owner,
    tenantId: owner.tenantId as string,
    as: accessToken as string,
    id: impersonation.id as string,
    expiresIn: expiresIn as number,
    answer,
  };
}
const read = (as: string, tenantId: string) => app.call('GET', `/api/tenants/${tenantId}`, { token: as });
const rowOf = async (id: string) =>
  (await app.query(`select ended_at is not null as ended, end_reason from impersonations where id = $1`, [id]))[0];

describe('An impersonation', () => {
  it('is the person, for half an hour at most, in plain sight', async () => {
    const { as, owner, tenantId, admin: who, expiresIn, answer } = await begin({ minutes: 5 });
    expect(answer.body.data.refreshToken).toBeUndefined();
    expect(answer.headers.get('set-cookie')).toBeNull();
    expect(expiresIn).toBeLessThanOrEqual(300);
    const me = await app.call('GET', '/api/auth/me', { token: as });
    expectSuccess(me);
    expect(me.headers.get('x-impersonated-by')).toBe(who.id);
    expect(me.body.data).toMatchObject({ id: owner.id, tenantId });
    expectSuccess(await read(as, tenantId));
    const other = await app.buildTenant();
    expectError(await read(as, other.id), 404, 'not_found');
    const [person] = await app.query('select last_login_at from users where id = $1', [owner.id]);
    expect(person?.last_login_at).toBeNull();
    const [mail] = await app.query(`select job, tenant_id from outbox_messages where tenant_id = $1`, [tenantId]);
    expect(mail).toEqual({ job: 'email.impersonation-started', tenant_id: tenantId });
  });

  it('shows in the sessions of the person, who can end it', async () => {
    const { as, owner, tenantId, id } = await begin();
    const { token: theirs } = await app.signIn(owner);
    const sessions = await app.call('GET', '/api/auth/sessions', { token: theirs });
    const strange = sessions.body.data.find(({ current }: { current: boolean }) => !current);
    expectSuccess(await app.call('DELETE', `/api/auth/sessions/${strange.id}`, { token: theirs }));
    expectError(await read(as, tenantId), 401, 'unauthenticated');
    expect(await rowOf(id)).toEqual({ ended: true, end_reason: 'REVOKED' });
  });

  it('writes both names on every row, and the chain holds', async () => {
    const { as, owner, tenantId, admin: who } = await begin({ mode: 'READ_WRITE' });
    const answer = await app.call('PUT', `/api/tenants/${tenantId}`, { token: as, body: { city: 'Sikar' } });
    expectSuccess(answer);
    const rows = await app.query(
      `select actor_type, actor_id, actor_name, on_behalf_of_id, on_behalf_of_name from audit_logs where chain = $1 and request_id = $2`,
      [tenantId, answer.headers.get('x-request-id')],
    );
    expect(rows).toEqual([
      {
        actor_type: 'USER',
        actor_id: who.id,
        actor_name: who.name,
        on_behalf_of_id: owner.id,
        on_behalf_of_name: owner.name,
      },
    ]);
    const integrity = await app.call('GET', `/api/audit/integrity?chain=${tenantId}`, { token });
    expect(integrity.body.data).toMatchObject({ intact: true, breaks: [] });
  });
});

describe('Nobody begins one', () => {
  it('without a reason, a ticket and a step-up, nor for longer than half an hour', async () => {
    const { id } = await app.buildOwner();
    for (const [body, field] of [
      [{ reason: 'Because' }, 'reason'],
      [{ ticket: '' }, 'ticket'],
      [{ minutes: 31 }, 'minutes'],
      [{ minutes: 0 }, 'minutes'],
      [{ mode: 'EVERYTHING' }, 'mode'],
      [{ expiresAt: '2030-01-01' }, 'expiresAt'],
      [{ tenantId: newId() }, 'tenantId'],
      [{ adminId: newId() }, 'adminId'],
    ] as const) {
      expectError(await start(id, body), 400, 'validation_failed', `body ${field}`);
    }
    expectError(await start(id, {}, await app.adminToken()), 403, 'step_up_required');
  });

  it('of an admin, of somebody who is not active, or of nobody', async () => {
    for (const role of ['finance', 'super_admin'] as const) {
      const other = await app.buildAdmin({ role });
      expectError(await start(other.id), 403, 'forbidden');
    }
    expectError(await start(admin.id), 403, 'forbidden');
    for (const status of ['INACTIVE', 'SUSPENDED', 'PENDING']) {
      expectError(await start((await app.buildOwner({ status })).id), 409, 'conflict');
    }
    expectError(await start(newId()), 404, 'not_found');
  });

  it('in a library that is suspended, or does not want it', async () => {
    const closed = await app.buildTenant({ status: 'SUSPENDED' });
    expectError(await start((await app.buildOwner({ tenantId: closed.id })).id), 403, 'tenant_suspended');
    const { owner, token: theirs, tenantId } = await app.ownerWithToken();
    expectSuccess(
      await app.call('PUT', `/api/tenants/${tenantId}/support-access`, { token: theirs, body: { allowed: false } }),
    );
    expectError(await start(owner.id), 403, 'forbidden');
    expectSuccess(
      await app.call('PUT', `/api/tenants/${tenantId}/support-access`, { token: theirs, body: { allowed: true } }),
    );
    expectSuccess(await start(owner.id), 201);
  });

  it('to write what they could not write themselves', async () => {
    const support = (await app.signInElevated(await app.buildAdmin({ role: 'support' }))).token;
    const owner = await app.buildOwner();
    const refused = await start(owner.id, { mode: 'READ_WRITE' }, support);
    expectError(refused, 403, 'exceeds_own_permissions');
    expect(refused.body.error.details.missing).toContain('tenants.update');
    expectSuccess(await start(owner.id, {}, support), 201);
  });

  it('to read what they could not read themselves', async () => {
    const support = await app.buildAdmin({ role: 'support' });
    await app.query(
      `insert into permission_overrides (id, user_id, permission_code, effect, reason) values ($1, $2, 'tenants.read', 'DENY', 'Of a test')`,
      [newId(), support.id],
    );
    const { token: theirs } = await app.signInElevated(support);
    expectError(await start((await app.buildOwner()).id, {}, theirs), 403, 'exceeds_own_permissions');
  });

  it('out of another, or from within one tenant', async () => {
    const { as } = await begin({ mode: 'READ_WRITE' });
    expectError(await start((await app.buildOwner()).id, {}, as), 403, 'impersonation_restricted');
    const owner = await app.buildOwner();
    expectError(await start(owner.id, {}, token, { 'x-tenant-id': owner.tenantId as string }), 403, 'tenant_mismatch');
  });

  it('twice: of several at once one goes on', async () => {
    const person = await app.buildAdmin();
    const { token: own } = await app.signInElevated(person);
    const owners = await Promise.all([app.buildOwner(), app.buildOwner(), app.buildOwner()]);
    const answers = await Promise.all(owners.map(({ id }) => start(id, {}, own)));
    for (const answer of answers) expectSuccess(answer, 201);
    const statuses = await Promise.all(
      answers.map(async ({ body }) => (await app.call('GET', '/api/auth/me', { token: body.data.accessToken })).status),
    );
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 401, 401]);
    const live = await app.query(
      `select id from impersonations where admin_id = $1 and ended_at is null and expires_at > now()`,
      [person.id],
    );
    expect(live).toHaveLength(1);
  });
});

describe('Over all endpoints', () => {
  const all = modules.flatMap(({ prefix, endpoints }) => endpoints.map((endpoint) => ({ prefix, endpoint })));
  const send = ({ prefix, endpoint }: (typeof all)[number], as: string) =>
    app.call(endpoint.method.toUpperCase(), `/api${prefix}${endpoint.path.replace(/:\w+/g, newId())}`, {
      token: as,
      ...(endpoint.ifMatch && { headers: { 'if-match': '"1"' } }),
      ...(endpoint.body && endpoint.method !== 'get' && { body: exampleOf(endpoint.body, 'input') }),
    });

  it('one that only reads writes nothing', async () => {
    const { as } = await begin();
    for (const one of all) {
      const { access, method, operationId } = one.endpoint;
      if (access === 'public' || method === 'get' || operationId === 'logout') continue;
      const answer = await send(one, as);
      expect(answer.body?.error?.code, `${operationId}: ${answer.text}`).toBe('impersonation_restricted');
      expect(answer.status).toBe(403);
    }
  });

  it('one that writes changes no credentials, takes no step-up, moves no money and no data by the file', async () => {
    const { as } = await begin({ mode: 'READ_WRITE' });
    for (const one of all) {
      const { access, method, operationId, stepUp, idempotency } = one.endpoint;
      if (access === 'public' || operationId === 'logout') continue;
      const permission = typeof access === 'object' && 'permission' in access ? access.permission : '';
      const isBarred =
        stepUp ||
        /\.(export|import)$/.test(permission) ||
        operationId === 'setSupportAccess' ||
        (method !== 'get' && (access === 'authenticated' || idempotency === 'required'));
      if (!isBarred) continue;
      const answer = await send(one, as);
      expect(answer.body?.error?.code, `${operationId}: ${answer.text}`).toBe('impersonation_restricted');
    }
    expect(all.filter(({ endpoint }) => endpoint.access === 'authenticated').length).toBeGreaterThan(5);
  });

  it('what was tried is written down', async () => {
    const { as, tenantId, admin: who } = await begin();
    const answer = await app.call('PUT', `/api/tenants/${tenantId}`, { token: as, body: { city: 'Sikar' } });
    expectError(answer, 403, 'impersonation_restricted');
    const rows = await app.query(
      `select actor_id, outcome from audit_logs where chain = $1 and action = 'security.impersonation_refused'`,
      [tenantId],
    );
    expect(rows).toEqual([{ actor_id: who.id, outcome: 'DENIED' }]);
  });
});

describe('It ends at once', () => {
  const over = async (as: string, tenantId: string) => expectError(await read(as, tenantId), 401, 'unauthenticated');

  it('when it is ended, once', async () => {
    const { as, own, id, tenantId } = await begin();
    const answer = await app.call('DELETE', `/api/security/impersonations/${id}`, { token: own });
    expectSuccess(answer);
    expect(answer.body.data).toMatchObject({ live: false, endReason: 'ENDED' });
    await over(as, tenantId);
    expectError(await app.call('DELETE', `/api/security/impersonations/${id}`, { token: own }), 409, 'conflict');
  });

  it('when somebody else ends it who may, and not when they may not', async () => {
    const { as, id, tenantId } = await begin();
    const support = await app.adminToken({ role: 'support' });
    expectError(await app.call('DELETE', `/api/security/impersonations/${id}`, { token: support }), 403, 'forbidden');
    expectSuccess(await read(as, tenantId));
    expectSuccess(await app.call('DELETE', `/api/security/impersonations/${id}`, { token }));
    await over(as, tenantId);
  });

  it('when they sign out with its token', async () => {
    const { as, id, tenantId } = await begin();
    expectSuccess(await app.call('POST', '/api/auth/logout', { token: as }));
    await over(as, tenantId);
    expect(await rowOf(id)).toEqual({ ended: true, end_reason: 'LOGOUT' });
  });

  it('when the admin signs out of their own account', async () => {
    const { as, own, id, tenantId } = await begin();
    expectSuccess(await app.call('POST', '/api/auth/logout', { token: own }));
    await over(as, tenantId);
    expect(await rowOf(id)).toMatchObject({ ended: true });
  });

  it("when the admin's sessions are ended by another", async () => {
    const { as, admin: who, tenantId } = await begin();
    const body = { userId: who.id, reason: 'The laptop was stolen' };
    expectSuccess(await app.call('POST', '/api/security/sessions/revoke', { token, body }));
    await over(as, tenantId);
  });

  it('when the admin is deactivated', async () => {
    const { as, admin: who, tenantId } = await begin();
    await app.query(`update users set status = 'INACTIVE' where id = $1`, [who.id]);
    await over(as, tenantId);
  });

  it('when the admin may no longer impersonate', async () => {
    const { as, admin: who, tenantId } = await begin({}, 'support');
    await app.query(
      `insert into permission_overrides (id, user_id, permission_code, effect, reason) values ($1, $2, 'security.impersonate', 'DENY', 'Of a test')`,
      [newId(), who.id],
    );
    await over(as, tenantId);
  });

  it('when the library withdraws its consent, and allowing again does not revive it', async () => {
    const { as, owner, tenantId, id } = await begin();
    const { token: theirs } = await app.signIn(owner);
    const set = (allowed: boolean, who = theirs) =>
      app.call('PUT', `/api/tenants/${tenantId}/support-access`, { token: who, body: { allowed } });
    const answer = await set(false);
    expect(answer.body.data).toEqual({ allowed: false, ended: 1 });
    await over(as, tenantId);
    expectError(await set(true, token), 403, 'forbidden');
    expectSuccess(await set(true));
    await over(as, tenantId);
    expect(await rowOf(id)).toEqual({ ended: true, end_reason: 'CONSENT_WITHDRAWN' });
    const actions = await app.query(
      `select action from audit_logs where chain = $1 and request_id = $2 order by sequence`,
      [tenantId, answer.headers.get('x-request-id')],
    );
    expect(actions.map(({ action }) => String(action)).toSorted()).toEqual([
      'security.impersonation_end',
      'tenants.support_access',
    ]);
  });

  it('also when it begins while the library withdraws its consent', async () => {
    const { token: own } = await app.signInElevated(await app.buildAdmin());
    for (let round = 0; round < 5; round += 1) {
      const { owner, token: theirs, tenantId } = await app.ownerWithToken();
      const set = (allowed: boolean) =>
        app.call('PUT', `/api/tenants/${tenantId}/support-access`, { token: theirs, body: { allowed } });
      const [begun] = await Promise.all([start(owner.id, {}, own), set(false)]);
      expect([201, 403]).toContain(begun.status);
      if (begun.status === 201) await over(begun.body.data.accessToken, tenantId);
      await set(true);
      if (begun.status === 201) await over(begun.body.data.accessToken, tenantId);
    }
  });

  it('when its time is over, and nothing makes it longer', async () => {
    const { as, id, tenantId } = await begin();
    const { refreshTokenOf } = await import('../../../src/utils/token.ts');
    const [session] = await app.query<{ id: string; refreshSeed: string }>(
      `select id, refresh_seed as "refreshSeed" from sessions where impersonation_id = $1`,
      [id],
    );
    // As if the token that nobody was given had been stolen from the server.
    const refreshToken = refreshTokenOf(session!, 0);
    const answer = await app.call('POST', '/api/auth/refresh', { body: { refreshToken } });
    expectError(answer, 401, 'unauthenticated');
    await expect(
      app.query(`update sessions set expires_at = now() + interval '2 hours' where id = $1`, [session!.id]),
    ).rejects.toMatchObject({ code: '23514' });
    await app.query(`update impersonations set expires_at = now() - interval '1 second' where id = $1`, [id]);
    await over(as, tenantId);
    const list = await app.call('GET', `/api/security/impersonations?live=false&limit=100`, { token });
    expect(list.body.data.find((one: { id: string }) => one.id === id)).toMatchObject({
      live: false,
      endReason: 'EXPIRED',
    });
  });

  it('when the person sets a new password by a mail', async () => {
    const { as, owner, id, tenantId } = await begin();
    const link = await app.buildOneTimeToken(owner);
    const body = { token: link, password: 'seven-blue-study-lamps' };
    expectSuccess(await app.call('POST', '/api/auth/reset-password', { body }));
    await over(as, tenantId);
    expect(await rowOf(id)).toMatchObject({ ended: true });
  });
});

describe('The library sees', () => {
  it('who acted in the name of its people, and nothing of other libraries', async () => {
    const one = await begin();
    const two = await begin();
    const { token: theirs } = await app.signIn(one.owner);
    const list = await app.call('GET', `/api/tenants/${one.tenantId}/impersonations`, { token: theirs });
    expectSuccess(list);
    expect(list.body.data).toMatchObject([{ id: one.id, adminName: one.admin.name, reason: why.reason, live: true }]);
    const other = await app.call('GET', `/api/tenants/${two.tenantId}/impersonations`, { token: theirs });
    expectError(other, 404, 'not_found');
    const withdrawn = await app.call('PUT', `/api/tenants/${two.tenantId}/support-access`, {
      token: theirs,
      body: { allowed: false },
    });
    expectError(withdrawn, 404, 'not_found');
    expectSuccess(await read(two.as, two.tenantId));
  });

  it.each(['library_staff', 'student', 'parent'] as const)('a %s cannot change the consent', async (role) => {
    const user = await app.buildUser({ role });
    const { token: theirs } = await app.signIn(user);
    const answer = await app.call('PUT', `/api/tenants/${user.tenantId}/support-access`, {
      token: theirs,
      body: { allowed: false },
    });
    expectError(answer, 403, 'forbidden');
  });

  it('the list of all by admin, person and library', async () => {
    const { admin: who, owner, tenantId, id } = await begin();
    for (const query of [
      `adminId=${who.id}`,
      `userId=${owner.id}`,
      `tenantId=${tenantId}`,
      `live=true&userId=${owner.id}`,
    ]) {
      const list = await app.call('GET', `/api/security/impersonations?${query}`, { token });
      expect(list.body.data.map((one: { id: string }) => one.id)).toEqual([id]);
    }
  });
});

describe('Whoever acts in the name of another', () => {
  it('is bound by the address rules of admins', async () => {
    const { as, tenantId } = await begin();
    await app.query(
      `insert into ip_rules (id, effect, audience, network, note) values ($1, 'DENY', 'ADMINS', '198.51.100.0/24', 'Of a test')`,
      [newId()],
    );
    const headers = { 'x-forwarded-for': '198.51.100.7' };
    expectError(await app.call('GET', `/api/tenants/${tenantId}`, { token: as, headers }), 403, 'address_refused');
    await app.query('delete from ip_rules');
  });
});
