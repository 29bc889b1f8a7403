import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { PASSWORD } from '../../support/factories.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { auditOf, claimsOf, cookieOf, login, me, refresh } from './support.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterEach(() => app.query(`delete from security_policies`));
afterAll(() => app.close());

const setPolicy = (type: string, value: object, updatedAt = new Date()) =>
  app.query(`insert into security_policies (type, value, updated_at) values ($1::security_policy_type, $2, $3)`, [
    type,
    JSON.stringify(value),
    updatedAt,
  ]);
const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000);
const sessionOf = async (token: string) =>
  (
    await app.query<{ minutes: number; restriction: string | null; revoked_reason: string | null }>(
      `select round(extract(epoch from expires_at - now()) / 60)::int as minutes, restriction, revoked_reason
         from sessions where id = $1`,
      [claimsOf(token).sid],
    )
  )[0];
const enrol = (userId: string) =>
  app.query(
    `insert into totp_credentials (user_id, tenant_id, sealed_secret, confirmed_at)
     select id, tenant_id, 'sealed', now() from users where id = $1`,
    [userId],
  );

describe('The policy of sessions', () => {
  it('says how long they go unused, for admins and for others, and the cookie goes with it', async () => {
    await setPolicy('SESSION', { idleMinutes: 600, adminIdleMinutes: 60 });
    const { token } = await app.signIn(await app.buildOwner());
    expect(await sessionOf(token)).toMatchObject({ minutes: 600 });
    const admin = await app.buildAdmin();
    const answer = await login(app, { email: admin.email, refreshTokenIn: 'cookie' });
    expect(await sessionOf(answer.body.data.accessToken)).toMatchObject({ minutes: 60 });
    expect(cookieOf(answer)?.flags).toContain('max-age=3600');
  });

  it('says how long they last at most, however often they are used', async () => {
    await setPolicy('SESSION', { idleMinutes: 600, absoluteHours: 12 });
    const { token, refreshToken } = await app.signIn(await app.buildOwner());
    await app.query(`update sessions set created_at = now() - interval '11 hours' where id = $1`, [
      claimsOf(token).sid,
    ]);
    expectSuccess(await refresh(app, refreshToken));
    expect(await sessionOf(token)).toMatchObject({ minutes: 60 });
  });

  it.each([
    ['unused for longer', `last_seen_at = now() - interval '61 minutes'`],
    ['older', `created_at = now() - interval '13 hours'`],
  ])('that has become stricter ends those that are %s', async (_what, change) => {
    const { token, refreshToken } = await app.signIn(await app.buildOwner());
    await app.query(`update sessions set ${change} where id = $1`, [claimsOf(token).sid]);
    await setPolicy('SESSION', { idleMinutes: 60, absoluteHours: 12 });
    expectError(await refresh(app, refreshToken), 401, 'unauthenticated');
    expect(await sessionOf(token)).toMatchObject({ revoked_reason: 'POLICY' });
    expectError(await me(app, token), 401, 'unauthenticated');
  });

  it('is not what the session of an impersonation goes by: that is not refreshed', async () => {
    const { owner, token, refreshToken } = await app.ownerWithToken();
    const { sid } = claimsOf(token);
    await app.query(
      `update sessions set impersonation_id = $1, method = 'IMPERSONATION', expires_at = created_at + interval '20 minutes' where id = $1`,
      [sid],
    );
    expectError(await refresh(app, refreshToken), 401, 'unauthenticated');
    const { token: own } = await app.signIn(owner);
    const { body } = await app.call('GET', '/api/auth/sessions', { token: own });
    expect(body.data.find(({ id }: { id: string }) => id === sid)).toMatchObject({
      impersonated: true,
      method: 'IMPERSONATION',
    });
  });
});

describe('A password that has expired', () => {
  it('leaves a session good for one thing only, until it is changed', async () => {
    await setPolicy('PASSWORD', { maxAgeDays: 30 });
    const owner = await app.buildOwner();
    await app.query(`update users set password_changed_at = now() - interval '31 days' where id = $1`, [owner.id]);
    const { token, refreshToken } = await app.signIn(owner);
    const { token: other } = await app.signIn(owner);
    const read = (with_: string) => app.call('GET', `/api/tenants/${owner.tenantId}`, { token: with_ });
    for (const live of [token, other]) expectError(await read(live), 403, 'password_expired');
    const answer = await me(app, token);
    expect(answer.body.data).toMatchObject({ restriction: 'PASSWORD_EXPIRED' });
    expect(new Date(answer.body.data.passwordExpiresAt).getTime()).toBeLessThan(Date.now());
    expectSuccess(await refresh(app, refreshToken));
    expectError(await read(token), 403, 'password_expired');
    const body = { currentPassword: PASSWORD, newPassword: 'three-quiet-rooms-in-kota' };
    expectSuccess(await app.call('POST', '/api/auth/change-password', { token, body }));
    expectSuccess(await read(token));
    expect((await me(app, token)).body.data).toMatchObject({ restriction: null });
  });

  it('while it is used is noticed with the next refresh', async () => {
    await setPolicy('PASSWORD', { maxAgeDays: 30 });
    const { owner, token, refreshToken } = await app.ownerWithToken();
    expect((await me(app, token)).body.data).toMatchObject({
      restriction: null,
      passwordExpiresAt: expect.any(String),
    });
    await app.query(`update users set password_changed_at = now() - interval '31 days' where id = $1`, [owner.id]);
    expectSuccess(await app.call('GET', `/api/tenants/${owner.tenantId}`, { token }));
    expectSuccess(await refresh(app, refreshToken));
    expectError(await app.call('GET', `/api/tenants/${owner.tenantId}`, { token }), 403, 'password_expired');
  });
});

describe('A second factor', () => {
  it('that is demanded of a role has to be there when the time of grace is over', async () => {
    await setPolicy('MFA', { requiredRoles: ['super_admin'], graceDays: 7 }, daysAgo(8));
    const [fresh, old, other] = [
      await app.buildAdmin(),
      await app.buildAdmin(),
      await app.buildAdmin({ role: 'support' }),
    ];
    for (const { id } of [old, other]) {
      await app.query(`update users set created_at = now() - interval '90 days' where id = $1`, [id]);
    }
    const [a, b, c] = [await app.signIn(fresh), await app.signIn(old), await app.signIn(other)];
    const [ofFresh, ofOld, ofOther] = await Promise.all(
      [a, b, c].map(async ({ token }) => (await me(app, token)).body.data),
    );
    expect(ofFresh).toMatchObject({ restriction: null, mfaEnabled: false, mfaDeadline: expect.any(String) });
    expect(new Date(ofFresh.mfaDeadline).getTime()).toBeGreaterThan(Date.now() + 6.9 * 86_400_000);
    expect(ofOld).toMatchObject({ restriction: 'MFA_REQUIRED' });
    expect(ofOther).toMatchObject({ restriction: null, mfaDeadline: null });
    expectSuccess(await app.call('GET', '/api/tenants', { token: a.token }));
    expectError(await app.call('GET', '/api/tenants', { token: b.token }), 403, 'mfa_required');
    await enrol(old.id);
    expectSuccess(await refresh(app, b.refreshToken));
    expectSuccess(await app.call('GET', '/api/tenants', { token: b.token }));
  });

  it('that is demanded of a person counts from then, whatever the policy says', async () => {
    const { owner, token, refreshToken } = await app.ownerWithToken();
    await app.query(`update users set mfa_required_since = now() - interval '8 days' where id = $1`, [owner.id]);
    expectSuccess(await refresh(app, refreshToken));
    expect((await me(app, token)).body.data).toMatchObject({ restriction: 'MFA_REQUIRED' });
  });

  it('that somebody has is asked for before there are tokens', async () => {
    const owner = await app.buildOwner();
    await enrol(owner.id);
    const answer = await login(app, { email: owner.email });
    expectSuccess(answer);
    expect(answer.body.data).toEqual({
      mfaRequired: true,
      challenge: expect.stringMatching(/^[\w-]{43}$/),
      methods: ['totp'],
      expiresIn: 300,
    });
    expect(answer.headers.getSetCookie()).toEqual([]);
    expect(await app.query(`select 1 from sessions where user_id = $1`, [owner.id])).toEqual([]);
    expect(await app.query(`select 1 from known_devices where user_id = $1`, [owner.id])).toEqual([]);
    expect(await app.query(`select outcome from login_attempts where user_id = $1`, [owner.id])).toEqual([
      { outcome: 'MFA_PENDING' },
    ]);
    expect(await auditOf(app, answer)).toEqual([
      expect.objectContaining({ action: 'auth.login', actor_id: owner.id, changes: { secondFactor: 'awaited' } }),
    ]);
    expectError(await login(app, { email: owner.email, password: 'not-the-right-one' }), 401, 'invalid_credentials');
  });

  it('survives a reset of the password, and a sign-in that was begun does not', async () => {
    const owner = await app.buildOwner();
    await enrol(owner.id);
    await login(app, { email: owner.email });
    const body = { token: await app.buildOneTimeToken(owner), password: 'three-quiet-rooms-in-kota' };
    expectSuccess(await app.call('POST', '/api/auth/reset-password', { body }));
    expect(await app.query(`select 1 from auth_challenges where user_id = $1 and used_at is null`, [owner.id])).toEqual(
      [],
    );
    const again = await login(app, { email: owner.email, password: body.password });
    expect(again.body.data).toMatchObject({ mfaRequired: true });
  });
});

describe('Who am I', () => {
  it('tells how long no step-up is needed, and who acts in my name', async () => {
    const admin = await app.buildAdmin();
    const { token } = await app.signInElevated(admin);
    const { elevatedUntil } = (await me(app, token)).body.data;
    expect(new Date(elevatedUntil).getTime()).toBeGreaterThan(Date.now());
    await app.query(`update sessions set elevated_until = now() - interval '1 second' where id = $1`, [
      claimsOf(token).sid,
    ]);
    expect((await me(app, token)).body.data).toMatchObject({ elevatedUntil: null, impersonation: null });

    const { owner, token: theirs, tenantId } = await app.ownerWithToken();
    await app.query(
      `insert into impersonations (id, tenant_id, admin_id, admin_name, user_id, user_name, reason, ticket, mode, expires_at)
       values ($1, $2, $3, $4, $5, $6, 'help', 'T-1', 'READ_ONLY', now() + interval '20 minutes')`,
      [claimsOf(theirs).sid, tenantId, admin.id, admin.name, owner.id, owner.name],
    );
    await app.query(
      `update sessions set impersonation_id = id, expires_at = created_at + interval '20 minutes' where id = $1`,
      [claimsOf(theirs).sid],
    );
    expect((await me(app, theirs)).body.data.impersonation).toEqual({
      id: claimsOf(theirs).sid,
      adminName: admin.name,
      mode: 'READ_ONLY',
      expiresAt: expect.any(String),
    });
    const body = { currentPassword: PASSWORD, newPassword: 'three-quiet-rooms-in-kota' };
    const barred = [
      await app.call('POST', '/api/auth/change-password', { token: theirs, body }),
      await app.call('PUT', '/api/auth/me', { token: theirs, body: { name: 'Somebody Else' } }),
      await app.call('POST', '/api/auth/verify-email/resend', { token: theirs }),
    ];
    for (const answer of barred) expectError(answer, 403, 'impersonation_restricted');
  });
});
