import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../src/utils/ids.ts';
import { queryString, statusesOf } from '../../support/calls.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { someAddress } from '../../support/factories.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';

let app: TestApp;
let token: string;
beforeAll(async () => {
  app = await startTestApp();
  token = await app.adminToken();
});
afterAll(() => app.close());

const list = async (path: string, query: Record<string, string | number | undefined> = {}, who = token) => {
  const answer = await app.call('GET', `/api/security/${path}${queryString(query)}`, { token: who });
  expectSuccess(answer);
  return answer.body as {
    data: { id: string; [field: string]: unknown }[];
    meta: { total?: number; nextCursor?: string };
  };
};
const ids = async (path: string, query: Record<string, string | number | undefined>) =>
  (await list(path, query)).data.map(({ id }) => id);

describe('Tries to sign in', () => {
  it('are listed by person, outcome, address, country and time', async () => {
    const user = await app.buildOwner();
    const ip = someAddress();
    const rows = Array.from({ length: 7 }, (_, index) => ({ id: newId(), minutes: index * 10 }));
    for (const [index, { id, minutes }] of rows.entries()) {
      await app.query(
        `insert into login_attempts (id, tenant_id, user_id, account, outcome, method, ip_address, country, created_at)
         values ($1, $2, $3, 'me…mple', $4::login_outcome, 'PASSWORD', $5, $6, now() - $7 * interval '1 minute')`,
        [id, user.tenantId, user.id, index % 2 ? 'SUCCESS' : 'WRONG_PASSWORD', ip, index % 3 ? 'IN' : 'NP', minutes],
      );
    }
    const all = rows.map(({ id }) => id);
    expect(await ids('login-attempts', { userId: user.id })).toEqual(all);
    expect(await ids('login-attempts', { tenantId: user.tenantId as string })).toEqual(all);
    expect(await ids('login-attempts', { ip, outcome: 'SUCCESS' })).toEqual([all[1], all[3], all[5]]);
    expect(await ids('login-attempts', { ip, country: 'NP' })).toEqual([all[0], all[3], all[6]]);
    const from = new Date(Date.now() - 35 * 60_000).toISOString();
    const to = new Date(Date.now() - 5 * 60_000).toISOString();
    expect(await ids('login-attempts', { ip, from, to })).toEqual(all.slice(1, 4));
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const { data, meta } = await list('login-attempts', { ip, limit: 3, cursor });
      seen.push(...data.map(({ id }) => id));
      cursor = meta.nextCursor ?? undefined;
    } while (cursor);
    expect(seen).toEqual(all);
  });
});

describe('Lock-outs', () => {
  const lock = async (userId: string, until: string, lifted = 'null') => {
    const id = newId();
    await app.query(
      `insert into lockouts (id, user_id, account, kind, network, throttle_key, failures, locked_until, lifted_at)
       values ($1, $2, 'me…mple', 'PASSWORD', '10.1.2.3', $3, 6, ${until}, ${lifted})`,
      [id, userId, `password|${id}|10.1.2.3`],
    );
    return id;
  };

  it('are those that hold, unless the history is asked for', async () => {
    const user = await app.buildOwner();
    const current = await lock(user.id, `now() + interval '1 hour'`);
    const over = await lock(user.id, `now() - interval '1 hour'`);
    const lifted = await lock(user.id, `now() + interval '30 minutes'`, 'now()');
    expect(await ids('lockouts', { userId: user.id })).toEqual([current]);
    expect(await ids('lockouts', { userId: user.id, history: 'true' })).toEqual([current, lifted, over]);
  });

  it('are lifted once, of two at once too', async () => {
    const id = await lock((await app.buildOwner()).id, `now() + interval '1 hour'`);
    const lift = () => app.call('DELETE', `/api/security/lockouts/${id}`, { token });
    expect(statusesOf(await Promise.all([lift(), lift(), lift()]))).toEqual([200, 409, 409]);
    expectError(await lift(), 409, 'conflict');
    const [row] = await app.query('select lifted_by_id from lockouts where id = $1', [id]);
    expect(row?.lifted_by_id).toBeTruthy();
  });

  it('that wrong passwords brought about are over when lifted: the counters too', async () => {
    const user = await app.buildOwner();
    const headers = { 'x-forwarded-for': someAddress() };
    const login = (password: string) =>
      app.call('POST', '/api/auth/login', { body: { email: user.email, password }, headers });
    await app.query(
      `insert into security_policies (type, value, updated_at)
       values ('LOCKOUT', '{"freeTries": 3, "firstDelaySeconds": 600, "longestDelaySeconds": 3600}', now())
       on conflict (type) do update set value = excluded.value`,
    );
    for (let index = 0; index < 6; index += 1) await login('wrong-wrong-wrong');
    expectError(await login('correct-horse-battery'), 401, 'invalid_credentials');
    const [held] = await ids('lockouts', { userId: user.id });
    expect(held).toBeDefined();
    expectSuccess(await app.call('DELETE', `/api/security/lockouts/${held}`, { token }));
    expectSuccess(await login('correct-horse-battery'));
    await app.query('delete from security_policies');
  });
});

describe('Events', () => {
  it('are listed by what they are, and resolved once', async () => {
    const user = await app.buildOwner();
    const make = async (type: string, severity: string) => {
      const id = newId();
      await app.query(
        `insert into security_events (id, tenant_id, type, severity, user_id, details)
         values ($1, $2, $3::security_event_type, $4::security_event_severity, $5, '{}')`,
        [id, user.tenantId, type, severity, user.id],
      );
      return id;
    };
    const reuse = await make('REFRESH_REUSE', 'HIGH');
    const device = await make('NEW_DEVICE', 'LOW');
    const mine = { userId: user.id };
    expect(await ids('events', { ...mine, type: 'NEW_DEVICE' })).toEqual([device]);
    expect(await ids('events', { ...mine, severity: 'HIGH' })).toEqual([reuse]);
    expect((await ids('events', { tenantId: user.tenantId as string })).toSorted()).toEqual([reuse, device].toSorted());
    const resolve = (id: string, resolution: unknown = 'It was a test of ours') =>
      app.call('POST', `/api/security/events/${id}/resolve`, { token, body: { resolution } });
    expect(statusesOf(await Promise.all([resolve(reuse), resolve(reuse)]))).toEqual([200, 409]);
    expectError(await resolve(device, ''), 400, 'validation_failed', 'body resolution');
    expect(await ids('events', { ...mine, resolved: 'false' })).toEqual([device]);
    const [resolved] = (await list('events', { ...mine, resolved: 'true' })).data;
    expect(resolved).toMatchObject({ id: reuse, resolution: 'It was a test of ours' });
    const auditor = await app.adminToken({ role: 'auditor' });
    expectSuccess(await app.call('GET', '/api/security/events', { token: auditor }));
    const answer = await app.call('POST', `/api/security/events/${device}/resolve`, {
      token: auditor,
      body: { resolution: 'Nothing to see here' },
    });
    expectError(answer, 403, 'forbidden');
  });
});

describe('Sessions of everybody', () => {
  const sessionsOf = (id: string) =>
    app.query<{ id: string; live: boolean }>(
      `select id, revoked_at is null as live from sessions where user_id = $1 order by created_at, id`,
      [id],
    );

  it('are listed by person, library, kind of person, address and whether they live', async () => {
    const owner = await app.buildOwner();
    const admin = await app.buildAdmin();
    await app.signIn(owner);
    await app.signIn(owner);
    await app.signIn(admin);
    const [first, second] = await sessionsOf(owner.id);
    await app.query(
      `update sessions set revoked_at = now(), revoked_reason = 'LOGOUT', ip_address = '192.0.2.77' where id = $1`,
      [first!.id],
    );
    expect(await ids('sessions', { userId: owner.id, live: 'true' })).toEqual([second!.id]);
    expect(await ids('sessions', { userId: owner.id, live: 'false' })).toEqual([first!.id]);
    expect(await ids('sessions', { tenantId: owner.tenantId as string })).toHaveLength(2);
    expect(await ids('sessions', { ip: '192.0.2.77' })).toEqual([first!.id]);
    expect(await ids('sessions', { userId: admin.id, type: 'ADMIN' })).toHaveLength(1);
    expect(await ids('sessions', { userId: admin.id, type: 'PLATFORM' })).toEqual([]);
    expect((await list('sessions', { limit: 100, type: 'ADMIN' })).data.filter(({ current }) => current)).toHaveLength(
      1,
    );
  });

  it('show no secrets', async () => {
    const answer = await app.call('GET', '/api/security/sessions?limit=100', { token });
    expect(answer.text).not.toMatch(/seed|rotations|refresh_|passwordHash/i);
  });

  const revoke = (body: object, who = token, headers: Record<string, string> = {}) =>
    app.call('POST', '/api/security/sessions/revoke', {
      token: who,
      headers,
      body: { reason: 'The laptop was stolen', ...body },
    });

  it('end for a person, for a library, and one by one', async () => {
    const owner = await app.buildOwner();
    const staff = await app.buildUser({ role: 'library_staff', tenantId: owner.tenantId });
    const tokens = [await app.signIn(owner), await app.signIn(owner), await app.signIn(staff)];
    const statuses = async () =>
      (await Promise.all(tokens.map((one) => app.call('GET', '/api/auth/me', { token: one.token })))).map(
        ({ status }) => status,
      );
    const [one] = await sessionsOf(owner.id);
    expectSuccess(await app.call('DELETE', `/api/security/sessions/${one!.id}`, { token }));
    expectError(await app.call('DELETE', `/api/security/sessions/${one!.id}`, { token }), 404, 'not_found');
    expect(await statuses()).toEqual([401, 200, 200]);
    expect((await revoke({ userId: owner.id })).body.data).toEqual({ revoked: 1 });
    expect(await statuses()).toEqual([401, 401, 200]);
    expect((await revoke({ tenantId: owner.tenantId as string })).body.data).toEqual({ revoked: 1 });
    expect(await statuses()).toEqual([401, 401, 401]);
  });

  it('end only for one of person, library and everybody, who are there, and with a reason', async () => {
    const { id, tenantId } = await app.buildOwner();
    expectError(await revoke({}), 400, 'validation_failed', 'body userId');
    expect((await revoke({ userId: id, tenantId })).status).toBe(400);
    expect((await revoke({ userId: id, everyone: true })).status).toBe(400);
    expectError(await revoke({ everyone: false }), 400, 'validation_failed', 'body everyone');
    expectError(await revoke({ userId: id, reason: '' }), 400, 'validation_failed', 'body reason');
    expectError(await revoke({ userId: newId() }), 404, 'not_found');
    expectError(await revoke({ tenantId: newId() }), 404, 'not_found');
    const within = { 'x-tenant-id': tenantId as string };
    const stranger = await app.buildOwner();
    expectError(await revoke({ userId: stranger.id }, token, within), 404, 'not_found');
  });

  it('end for everybody but the caller, who has just proved who they are', async () => {
    const others = [await app.signIn(await app.buildOwner()), await app.signIn(await app.buildAdmin())];
    expectError(await revoke({ everyone: true }), 403, 'step_up_required');
    const caller = await app.elevatedToken();
    const { id } = await app.buildTenant();
    expectError(await revoke({ everyone: true }, caller, { 'x-tenant-id': id }), 403, 'tenant_mismatch');
    const answer = await revoke({ everyone: true }, caller);
    expectSuccess(answer);
    expect(answer.body.data.revoked).toBeGreaterThanOrEqual(2);
    expectSuccess(await app.call('GET', '/api/auth/me', { token: caller }));
    for (const { token: theirs } of others) {
      expectError(await app.call('GET', '/api/auth/me', { token: theirs }), 401, 'unauthenticated');
    }
    token = await app.adminToken();
  });
});
