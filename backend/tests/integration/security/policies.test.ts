import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';

let app: TestApp;
let token: string;
let admin: { id: string };
beforeAll(async () => {
  app = await startTestApp();
  const person = await app.buildAdmin();
  admin = person;
  token = (await app.signInElevated(person)).token;
});
afterAll(() => app.close());
afterEach(() => app.query('delete from security_policies'));

const change = (type: string, body: unknown, version: number | undefined = 0, who = token) =>
  app.call('PUT', `/api/security/policies/${type}`, {
    token: who,
    body,
    ...(version !== undefined && { headers: { 'if-match': `"${version}"` } }),
  });
const policies = async () => (await app.call('GET', '/api/security/policies', { token })).body.data;
const policy = async (type: string) => (await policies()).find((one: { type: string }) => one.type === type);

describe('The policies', () => {
  it('are the defaults until somebody sets them', async () => {
    const all = await policies();
    expect(all.map(({ type }: { type: string }) => type)).toEqual(['PASSWORD', 'SESSION', 'MFA', 'LOCKOUT']);
    for (const one of all) expect(one).toMatchObject({ value: one.defaults, version: 0, updatedAt: null });
  });

  it('change field by field, with a version and a trace', async () => {
    const answer = await change('password', { minLength: 14 });
    expectSuccess(answer);
    expect(answer.headers.get('etag')).toBe('"1"');
    expect(answer.body.data).toMatchObject({ type: 'PASSWORD', version: 1, dryRun: false });
    expectSuccess(await change('password', { maxAgeDays: 365 }, 1));
    expect(await policy('PASSWORD')).toMatchObject({
      value: { minLength: 14, maxAgeDays: 365, historyCount: 5 },
      version: 2,
    });
    const [row] = await app.query(`select changes from audit_logs where request_id = $1`, [
      answer.headers.get('x-request-id'),
    ]);
    expect(row?.changes).toEqual({ minLength: { from: 12, to: 14 } });
  });

  it('need If-Match, of two at once one wins', async () => {
    const missing = await app.call('PUT', '/api/security/policies/lockout', { token, body: { freeTries: 4 } });
    expectError(missing, 428, 'version_required');
    const answers = await Promise.all([3, 4, 5, 6].map((freeTries) => change('lockout', { freeTries })));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 412, 412, 412]);
  });

  it.each([
    ['password', { minLength: 7 }, 'minLength'],
    ['password', { minLength: '14' }, 'minLength'],
    ['password', { freeTries: 5 }, 'freeTries'],
    ['session', { idleMinutes: 1 }, 'idleMinutes'],
    ['lockout', { firstDelaySeconds: 600, longestDelaySeconds: 60 }, 'firstDelaySeconds'],
    ['mfa', { requiredRoles: ['super_admin', 'no_such_role'] }, 'requiredRoles'],
    ['mfa', { requiredRoles: Array.from({ length: 51 }, () => 'super_admin') }, 'requiredRoles'],
    ['mfa', {}, 'dryRun'],
    ['mfa', { version: 9 }, 'version'],
  ])('refuse for %s what does not fit: %j', async (type, body, field) => {
    const answer = await change(type, body);
    expect(answer.status, answer.text).toBe(400);
    expect(answer.body.error.details.issues.map((issue: { field: string }) => issue.field)).toContain(field);
    expect(await policy(type.toUpperCase())).toMatchObject({ version: 0 });
  });

  it('cannot be polluted through the prototype', async () => {
    const answer = await app.call('PUT', '/api/security/policies/password', {
      token,
      rawBody: '{"__proto__": {"minLength": 8}, "constructor": {"prototype": {"minLength": 8}}}',
      headers: { 'if-match': '"0"' },
    });
    expect(answer.status).toBe(400);
    expect(({} as Record<string, unknown>).minLength).toBeUndefined();
  });
});

describe('A dry run', () => {
  it('of a maximum age tells whose passwords are older, and changes nothing', async () => {
    const old = await app.buildAdmin();
    await app.buildOwner();
    await app.query(`update users set password_changed_at = now() - interval '400 days' where id = $1`, [old.id]);
    const answer = await change('password', { maxAgeDays: 365, dryRun: true });
    expect(answer.body.data).toMatchObject({
      dryRun: true,
      version: 0,
      value: { maxAgeDays: 365 },
      affected: { admins: 1, people: 0 },
    });
    expect(await policy('PASSWORD')).toMatchObject({ version: 0, value: { maxAgeDays: null } });
  });

  it('of a second factor tells who has none yet, and by when they need one', async () => {
    const [with_, without] = [await app.buildAdmin({ role: 'auditor' }), await app.buildAdmin({ role: 'auditor' })];
    await app.query(
      `insert into totp_credentials (user_id, sealed_secret, confirmed_at) values ($1, 'v1.x.y.z', now())`,
      [with_.id],
    );
    const answer = await change('mfa', { requiredRoles: ['auditor'], graceDays: 3, dryRun: true });
    expect(without).toBeDefined();
    expect(answer.body.data.affected).toMatchObject({ admins: 1, people: 0 });
    expect(Date.parse(answer.body.data.affected.due)).toBeGreaterThan(Date.now() + 2.9 * 86_400_000);
  });

  it('of limits for sessions tells how many would end, and the real thing ends exactly those', async () => {
    const owner = await app.buildOwner();
    const sessions = [await app.signIn(owner), await app.signIn(owner), await app.signIn(owner)];
    const ids = (
      await app.query<{ id: string }>('select id from sessions where user_id = $1 order by id', [owner.id])
    ).map(({ id }) => id);
    await app.query(`update sessions set created_at = now() - interval '3 hours' where id = $1`, [ids[0]]);
    const tried = await change('session', { absoluteHours: 2, dryRun: true });
    expect(tried.body.data.affected).toMatchObject({ admins: 0, people: 1, sessionsEnded: 1, sessionsShortened: 2 });
    expect(
      await app.query('select id from sessions where user_id = $1 and revoked_at is null', [owner.id]),
    ).toHaveLength(3);

    expectSuccess(await change('session', { absoluteHours: 2 }));
    const after = await app.query<{ id: string; revoked_reason: string | null; hours: number }>(
      `select id, revoked_reason, extract(epoch from expires_at - created_at)::int / 3600 as hours from sessions where user_id = $1 order by id`,
      [owner.id],
    );
    expect(after.map(({ revoked_reason }) => revoked_reason)).toEqual(['POLICY', null, null]);
    expect(after.slice(1).map(({ hours }) => hours)).toEqual([2, 2]);
    const answers = await Promise.all(
      sessions.map(({ token: theirs }) => app.call('GET', '/api/auth/me', { token: theirs })),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 200, 401]);
    expect((await app.call('GET', '/api/auth/me', { token })).status).toBe(200);
  });
});

describe('Nobody shuts everybody out', () => {
  it('by demanding at once a second factor that they do not have', async () => {
    expectError(await change('mfa', { requiredRoles: ['super_admin'], graceDays: 0 }), 409, 'conflict');
    expectSuccess(await change('mfa', { requiredRoles: ['super_admin'], graceDays: 7 }));
    // And not in two steps either.
    expectError(await change('mfa', { graceDays: 0 }, 1), 409, 'conflict');
    await app.query(
      `insert into totp_credentials (user_id, sealed_secret, confirmed_at) values ($1, 'v1.x.y.z', now()) on conflict do nothing`,
      [admin.id],
    );
    expectSuccess(await change('mfa', { graceDays: 0 }, 1));
    await app.query('delete from totp_credentials where user_id = $1', [admin.id]);
  });

  it('without having just proved who they are', async () => {
    const plain = await app.adminToken();
    expectError(await change('password', { minLength: 8 }, 0, plain), 403, 'step_up_required');
    const auditor = await app.elevatedToken({ role: 'auditor' });
    expectError(await change('password', { minLength: 8 }, 0, auditor), 403, 'forbidden');
  });
});
