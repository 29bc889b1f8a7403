import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PASSWORD } from '../../support/factories.ts';
import { statusesOf } from '../../support/calls.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import {
  auditRows,
  challengeFor,
  codeOf,
  forgetUsedCodes,
  from,
  login,
  mailsTo,
  PORTAL,
  verify,
  withPasskey,
  withTotp,
} from './support.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({ PUBLIC_URL: PORTAL });
});
afterAll(() => app.close());

describe('Signing in with a second factor', () => {
  it('takes both halves: the first answers a challenge and no token', async () => {
    const { person, secret } = await withTotp(app, await app.buildAdmin({ role: 'finance' }));
    const first = await login(app, person);
    expect(first.body.data).toEqual({
      mfaRequired: true,
      challenge: expect.stringMatching(/^[\w-]{43}$/),
      methods: ['totp', 'recovery_code'],
      expiresIn: 300,
    });
    const { challenge } = first.body.data;
    const kept = await app.query(`select challenge from auth_challenges where user_id = $1`, [person.id]);
    expect(kept.map((row) => row.challenge)).not.toContain(challenge);
    const second = await verify(app, { challenge, code: codeOf(secret) });
    expectSuccess(second);
    expect(second.body.data).toMatchObject({ tokenType: 'Bearer', user: { id: person.id }, recoveryCodesLeft: null });
    const [session] = await app.query(
      `select method, mfa from sessions where user_id = $1 order by created_at desc limit 1`,
      [person.id],
    );
    expect(session).toEqual({ method: 'PASSWORD', mfa: true });
    expect((await auditRows(app, 'auth.mfa_verify', person.id)).map(({ outcome }) => outcome)).toEqual(['SUCCESS']);
  });

  it('gives the refresh token as a cookie where that is asked for', async () => {
    const { person, secret } = await withTotp(app, await app.buildOwner());
    const challenge = await challengeFor(app, person);
    const answer = await verify(app, { challenge, code: codeOf(secret), refreshTokenIn: 'cookie' });
    expect(answer.body.data.refreshToken).toBeNull();
    expect(answer.headers.getSetCookie().some((cookie) => cookie.startsWith('studyspot_refresh='))).toBe(true);
  });

  it('uses a challenge up: once, also by two at once with different proofs', async () => {
    const { person, secret, recoveryCodes } = await withTotp(app, await app.buildOwner());
    const challenge = await challengeFor(app, person);
    const answers = await Promise.all([
      verify(app, { challenge, code: codeOf(secret) }),
      verify(app, { challenge, recoveryCode: recoveryCodes[0] }),
      verify(app, { challenge, recoveryCode: recoveryCodes[1] }),
    ]);
    expect(statusesOf(answers)).toEqual([200, 400, 400]);
    await forgetUsedCodes(app, person);
    expectError(await verify(app, { challenge, code: codeOf(secret) }), 400, 'token_invalid');
    const unused = await app.query(`select id from recovery_codes where user_id = $1 and used_at is null`, [person.id]);
    expect(unused.length).toBeGreaterThanOrEqual(9);
  });

  it('takes no challenge that is unknown, expired or made for something else', async () => {
    const { person, secret } = await withTotp(app, await app.buildOwner());
    const code = codeOf(secret);
    expectError(await verify(app, { challenge: 'x'.repeat(43), code }), 400, 'token_invalid');
    const challenge = await challengeFor(app, person);
    await app.query(`update auth_challenges set expires_at = now() - interval '1 second' where user_id = $1`, [
      person.id,
    ]);
    expectError(await verify(app, { challenge, code }), 400, 'token_invalid');
    const other = await challengeFor(app, person);
    await app.query(`update auth_challenges set purpose = 'PASSKEY_STEP_UP' where user_id = $1`, [person.id]);
    expectError(await verify(app, { challenge: other, code }), 400, 'token_invalid');
  });

  it('takes exactly one proof', async () => {
    const challenge = 'x'.repeat(43);
    expectError(await verify(app, { challenge }), 400, 'validation_failed', 'body code');
    const both = { challenge, code: '123456', recoveryCode: '7QKM-X2PD-9HTW' };
    expectError(await verify(app, both), 400, 'validation_failed', 'body code');
    for (const code of ['12345', '1234567', '١٢٣٤٥٦', '12 345', 123456, ['123456'], { $gt: '' }]) {
      expectError(await verify(app, { challenge, code }), 400, 'validation_failed', 'body code');
    }
  });

  it.each(['INACTIVE', 'SUSPENDED'])('is over when the account became %s in between', async (status) => {
    const { person, secret } = await withTotp(app, await app.buildOwner());
    const challenge = await challengeFor(app, person);
    await app.query(`update users set status = $1::user_status where id = $2`, [status, person.id]);
    expectError(await verify(app, { challenge, code: codeOf(secret) }), 401, 'invalid_credentials');
    expect((await auditRows(app, 'auth.mfa_verify', person.id))[0]?.changes).toMatchObject({ reason: 'account' });
  });

  it('is over when the library was purged in between', async () => {
    const { person, secret } = await withTotp(app, await app.buildOwner());
    const challenge = await challengeFor(app, person);
    await app.query(`update tenants set status = 'PURGED' where id = $1`, [person.tenantId]);
    expectError(await verify(app, { challenge, code: codeOf(secret) }), 401, 'invalid_credentials');
  });

  it('asks the address rules again', async () => {
    const { person, secret } = await withTotp(app, await app.buildAdmin());
    const challenge = await challengeFor(app, person);
    await app.query(
      `insert into ip_rules (id, effect, audience, network, note) values ('cmfa00000000000000000test', 'DENY', 'ADMINS', '198.51.100.0/24', 'test')`,
    );
    const code = codeOf(secret);
    expectError(await verify(app, { challenge, code }, '198.51.100.7'), 401, 'invalid_credentials');
    expectSuccess(await verify(app, { challenge, code }, '203.0.113.7'));
    await app.query(`delete from ip_rules`);
  });

  it('is asked for by a passkey as well, and not by recovery codes that were left over', async () => {
    const { person } = await withPasskey(app, await app.buildOwner());
    expect((await login(app, person)).body.data).toMatchObject({ mfaRequired: true, methods: ['passkey'] });
    const { person: other } = await withTotp(app, await app.buildOwner());
    await app.query(`delete from totp_credentials where user_id = $1`, [other.id]);
    expect((await login(app, other)).body.data.accessToken).toBeTypeOf('string');
  });
});

describe('A new password', () => {
  it('by a link of a mail leaves the second factor on', async () => {
    const { person, secret } = await withTotp(app, await app.buildOwner());
    const token = await app.buildOneTimeToken(person);
    const password = 'another-quiet-reading-room';
    expectSuccess(await app.call('POST', '/api/auth/reset-password', { body: { token, password }, ...from() }));
    const first = await app.call('POST', '/api/auth/login', { body: { email: person.email, password }, ...from() });
    expect(first.body.data).toMatchObject({ mfaRequired: true });
    expect(first.body.data.accessToken).toBeUndefined();
    expectSuccess(await verify(app, { challenge: first.body.data.challenge, code: codeOf(secret) }));
    expect(password).not.toBe(PASSWORD);
  });
});

describe('A reset by an admin', () => {
  const reset = async (userId: string) => {
    const { runInTransaction } = await import('../../../src/services/context.service.ts');
    const { resetMfa, requireMfa } = await import('../../../src/services/mfa.service.ts');
    const base = {
      actor: null,
      scope: { role: 'portal' as const },
      tenantId: null,
      requestId: 'test',
      now: new Date(),
      client: { ip: '', userAgent: null },
    };
    const within = <Result>(work: Parameters<typeof runInTransaction<null, Result>>[2]) =>
      runInTransaction<null, Result>(base as never, {}, work);
    return {
      reset: () => within((tx) => resetMfa(tx, userId)),
      require: (required: boolean) => within((tx) => requireMfa(tx, userId, required)),
    };
  };

  it('takes every factor and whatever was begun, ends the sessions and tells the person', async () => {
    const { person, token, secret } = await withTotp(app, await app.buildOwner());
    const challenge = await challengeFor(app, person);
    expect(await (await reset(person.id)).reset()).toBe(1);
    for (const table of ['totp_credentials', 'recovery_codes', 'passkeys']) {
      expect(await app.query(`select * from ${table} where user_id = $1`, [person.id])).toEqual([]);
    }
    expectError(await app.call('GET', '/api/auth/me', { token }), 401, 'unauthenticated');
    expectError(await verify(app, { challenge, code: codeOf(secret) }), 400, 'token_invalid');
    const [session] = await app.query(`select revoked_reason from sessions where user_id = $1`, [person.id]);
    expect(session?.revoked_reason).toBe('MFA_RESET');
    expect((await mailsTo(app, person.id)).at(-1)?.payload).toEqual({ userId: person.id, change: 'RESET' });
    expect((await login(app, person)).body.data.accessToken).toBeTypeOf('string');
  });

  it('while a code is on its way lets in neither too much nor gets stuck', async () => {
    const { person, secret } = await withTotp(app, await app.buildOwner());
    const challenge = await challengeFor(app, person);
    const [answer] = await Promise.all([
      verify(app, { challenge, code: codeOf(secret) }),
      (await reset(person.id)).reset(),
    ]);
    expect([200, 400, 401]).toContain(answer.status);
    const live = await app.query(`select id from sessions where user_id = $1 and revoked_at is null`, [person.id]);
    expect(live).toEqual([]);
  });

  it('may demand a factor: the grace counts from the first demand, and setting one up lifts the restriction', async () => {
    const owner = await app.buildOwner();
    const { token } = await app.signIn(owner);
    const admin = await reset(owner.id);
    await admin.require(true);
    const since = async () =>
      (await app.query(`select mfa_required_since as since from users where id = $1`, [owner.id]))[0]?.since;
    const first = await since();
    expect(first).toBeInstanceOf(Date);
    await admin.require(true);
    expect(await since()).toEqual(first);
    expect((await app.call('GET', '/api/auth/mfa', { token })).body.data.deadline).toBeTypeOf('string');
    await app.query(`update users set mfa_required_since = now() - interval '100 days' where id = $1`, [owner.id]);
    await admin.require(true);
    const restriction = async () =>
      (await app.query(`select restriction from sessions where user_id = $1`, [owner.id]))[0]?.restriction;
    expect(await restriction()).toBe('MFA_REQUIRED');
    const { secret } = (await app.call('POST', '/api/auth/mfa/totp/setup', { token })).body.data;
    expectSuccess(await app.call('POST', '/api/auth/mfa/totp/confirm', { token, body: { code: codeOf(secret) } }));
    expect(await restriction()).toBeNull();
    await admin.require(false);
    expect(await since()).toBeNull();
  });
});
