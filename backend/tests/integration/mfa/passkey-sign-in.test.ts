import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { statusesOf } from '../../support/calls.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { softwareAuthenticator, type Deviation } from '../../support/software-authenticator.ts';
import {
  auditRows,
  challengeFor,
  from,
  loginOptions,
  passkeyLogin,
  PORTAL,
  stepUpOptions,
  verify,
  withPasskey,
  withTotp,
} from './support.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({ PUBLIC_URL: PORTAL });
});
afterAll(() => app.close());

/** What a sign-in may not be. */
const wrongs: [string, Deviation][] = [
  ['on another origin', { origin: 'https://evil.example' }],
  ['on an origin that only ends alike', { origin: 'https://evilportal.studyspot.example' }],
  ['for another relying party', { rpId: 'evil.example' }],
  ['within a page of somebody else', { crossOrigin: true }],
  ['that is a registration', { type: 'webauthn.create' }],
  ['that did not verify its holder', { verified: false }],
  ['with another challenge', { challenge: Buffer.alloc(32).toString('base64url') }],
  ['of a credential that nobody has', { credentialId: Buffer.from('nobody').toString('base64url') }],
];

const lastSession = async (userId: string) =>
  (
    await app.query(`select method, mfa from sessions where user_id = $1 order by created_at desc limit 1`, [userId])
  )[0];

describe('Signing in with a passkey', () => {
  it('needs neither name nor password, counts as both factors, and is noted', async () => {
    const { person, authenticator, token } = await withPasskey(app, await app.buildOwner());
    const options = await loginOptions(app);
    expect(options).toMatchObject({ rpId: 'portal.studyspot.example', userVerification: 'required' });
    expect(options).not.toHaveProperty('allowCredentials');
    const answer = await passkeyLogin(app, authenticator.get(options));
    expectSuccess(answer);
    expect(answer.body.data.user).toMatchObject({ id: person.id });
    expect(await lastSession(person.id)).toEqual({ method: 'PASSKEY', mfa: true });
    expect((await auditRows(app, 'auth.passkey_login', person.id)).map(({ outcome }) => outcome)).toEqual(['SUCCESS']);
    const { data } = (await app.call('GET', '/api/auth/passkeys', { token })).body;
    expect(data[0].lastUsedAt).toBeTypeOf('string');
  });

  it('gives the refresh token as a cookie where that is asked for', async () => {
    const { authenticator } = await withPasskey(app, await app.buildOwner());
    const body = { passkey: authenticator.get(await loginOptions(app)), refreshTokenIn: 'cookie' };
    const answer = await app.call('POST', '/api/auth/passkeys/login', { body, ...from() });
    expectSuccess(answer);
    expect(answer.body.data.refreshToken).toBeNull();
  });

  it.each(wrongs)('refuses a ceremony %s', async (_, told) => {
    const { authenticator, person } = await withPasskey(app, await app.buildOwner());
    const answer = await passkeyLogin(app, authenticator.get(await loginOptions(app), told));
    expectError(answer, 401, 'invalid_credentials');
    const sessions = await app.query(`select id from sessions where user_id = $1`, [person.id]);
    expect(sessions).toHaveLength(1);
    const [row] = await app.query(`select outcome from audit_logs where request_id = $1`, [
      answer.headers.get('x-request-id'),
    ]);
    expect(row?.outcome).toBe('FAILURE');
  });

  it('refuses it in the name of somebody else, or of nobody', async () => {
    const one = await withPasskey(app, await app.buildOwner());
    const other = await withPasskey(app, await app.buildOwner());
    const named = (id: string) => Buffer.from(id).toString('base64url');
    for (const told of [
      { userHandle: named(other.person.id) },
      { userHandle: null },
      { credentialId: other.authenticator.id },
      { credentialId: other.authenticator.id, userHandle: named(other.person.id) },
    ]) {
      expectError(
        await passkeyLogin(app, one.authenticator.get(await loginOptions(app), told)),
        401,
        'invalid_credentials',
      );
    }
  });

  it('refuses a signature that was tampered with', async () => {
    const { authenticator } = await withPasskey(app, await app.buildOwner());
    const good = authenticator.get(await loginOptions(app));
    const bytes = Buffer.from(good.response.signature, 'base64url');
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
    const tampered = { ...good, response: { ...good.response, signature: bytes.toString('base64url') } };
    expectError(await passkeyLogin(app, tampered), 401, 'invalid_credentials');
    // And what it signed, after the signature: the counter.
    const fresh = authenticator.get(await loginOptions(app));
    const data = Buffer.from(fresh.response.authenticatorData, 'base64url');
    data.writeUInt32BE(4_000_000_000, 33);
    const counted = { ...fresh, response: { ...fresh.response, authenticatorData: data.toString('base64url') } };
    expectError(await passkeyLogin(app, counted), 401, 'invalid_credentials');
  });

  it('takes each challenge once, also when it was answered wrong or three times at once', async () => {
    const { authenticator } = await withPasskey(app, await app.buildOwner());
    const options = await loginOptions(app);
    const answers = await Promise.all([1, 2, 3].map(() => passkeyLogin(app, authenticator.get(options))));
    expect(statusesOf(answers)).toEqual([200, 401, 401]);
    expectError(await passkeyLogin(app, authenticator.get(options)), 401, 'invalid_credentials');
    const next = await loginOptions(app);
    expectError(await passkeyLogin(app, authenticator.get(next, { verified: false })), 401, 'invalid_credentials');
    expectError(await passkeyLogin(app, authenticator.get(next)), 401, 'invalid_credentials');
    expectSuccess(await passkeyLogin(app, authenticator.get(await loginOptions(app))));
  });

  it('refuses an expired challenge, and one of another purpose', async () => {
    const { authenticator, token } = await withPasskey(app, await app.buildOwner());
    const options = await loginOptions(app);
    await app.query(`update auth_challenges set expires_at = now() - interval '1 second' where challenge = $1`, [
      options.challenge,
    ]);
    expectError(await passkeyLogin(app, authenticator.get(options)), 401, 'invalid_credentials');
    const forStepUp = await stepUpOptions(app, token);
    const told = authenticator.get({ ...forStepUp, rpId: 'portal.studyspot.example' });
    expectError(await passkeyLogin(app, told), 401, 'invalid_credentials');
  });

  it.each(['INACTIVE', 'SUSPENDED'])('is refused to an account that is %s', async (status) => {
    const { authenticator, person } = await withPasskey(app, await app.buildOwner());
    await app.query(`update users set status = $1::user_status where id = $2`, [status, person.id]);
    const answer = await passkeyLogin(app, authenticator.get(await loginOptions(app)));
    expectError(answer, 401, 'invalid_credentials');
    const [attempt] = await app.query(
      `select outcome, method from login_attempts where user_id = $1 order by created_at desc limit 1`,
      [person.id],
    );
    expect(attempt).toEqual({ outcome: 'NOT_ACTIVE', method: 'PASSKEY' });
  });

  it('is refused from an address that is shut out', async () => {
    const { authenticator } = await withPasskey(app, await app.buildAdmin());
    await app.query(
      `insert into ip_rules (id, effect, audience, network, note) values ('cmfa00000000000000000test', 'DENY', 'ADMINS', '198.51.100.0/24', 'test')`,
    );
    const body = { passkey: authenticator.get(await loginOptions(app)) };
    const answer = await app.call('POST', '/api/auth/passkeys/login', { body, ...from('198.51.100.7') });
    expectError(answer, 401, 'invalid_credentials');
    await app.query(`delete from ip_rules`);
  });

  it('refuses what is too large', async () => {
    const { authenticator } = await withPasskey(app, await app.buildOwner());
    const good = authenticator.get(await loginOptions(app));
    for (const [field, most] of [
      ['clientDataJSON', 4000],
      ['authenticatorData', 4000],
      ['signature', 2000],
      ['userHandle', 200],
    ] as const) {
      const large = { ...good, response: { ...good.response, [field]: 'A'.repeat(most + 1) } };
      expectError(await passkeyLogin(app, large), 400, 'validation_failed', `body passkey.response.${field}`);
      const full = { ...good, response: { ...good.response, [field]: 'A'.repeat(most) } };
      expectError(await passkeyLogin(app, full), 401, 'invalid_credentials');
    }
    expectError(
      await passkeyLogin(app, { ...good, id: 'A'.repeat(1401) }),
      400,
      'validation_failed',
      'body passkey.id',
    );
  });
});

describe('The counter of a passkey', () => {
  const events = (userId: string) =>
    app.query(`select type, severity, details from security_events where user_id = $1 and type = 'PASSKEY_COUNTER'`, [
      userId,
    ]);

  it('that goes back or stays is refused and raised as an event: somebody has a copy', async () => {
    const { person, authenticator } = await withPasskey(app, await app.buildOwner());
    expectSuccess(await passkeyLogin(app, authenticator.get(await loginOptions(app), { counter: 7 })));
    for (const counter of [7, 6, 0]) {
      const answer = await passkeyLogin(app, authenticator.get(await loginOptions(app), { counter }));
      expectError(answer, 401, 'invalid_credentials');
    }
    expect(await events(person.id)).toContainEqual({
      type: 'PASSKEY_COUNTER',
      severity: 'CRITICAL',
      details: expect.objectContaining({ known: 7, told: 7, name: 'Phone' }),
    });
    expectSuccess(await passkeyLogin(app, authenticator.get(await loginOptions(app), { counter: 8 })));
  });

  it('that is always 0 is no counter', async () => {
    const owner = await app.buildOwner();
    const { token } = await app.signIn(owner);
    const authenticator = softwareAuthenticator(PORTAL);
    const { options } = (await app.call('POST', '/api/auth/passkeys/register/options', { token })).body.data;
    const response = authenticator.create(options, { counter: 0 });
    expectSuccess(
      await app.call('POST', '/api/auth/passkeys/register', { token, body: { name: 'Key', response } }),
      201,
    );
    for (let round = 0; round < 2; round += 1) {
      expectSuccess(await passkeyLogin(app, authenticator.get(await loginOptions(app), { counter: 0 })));
    }
    expect(await events(owner.id)).toEqual([]);
  });

  it('in what nobody signed raises nothing', async () => {
    const { person, authenticator } = await withPasskey(app, await app.buildOwner());
    const stranger = softwareAuthenticator(PORTAL);
    const told = {
      credentialId: authenticator.id,
      userHandle: Buffer.from(person.id).toString('base64url'),
      counter: 0,
    };
    expectError(await passkeyLogin(app, stranger.get(await loginOptions(app), told)), 401, 'invalid_credentials');
    expect(await events(person.id)).toEqual([]);
  });
});

describe('A passkey as second factor', () => {
  it('completes the sign-in whose challenge the browser was given', async () => {
    const { person, authenticator } = await withPasskey(app, await app.buildOwner());
    const challenge = await challengeFor(app, person);
    const options = await loginOptions(app, { challenge });
    expect(options).toMatchObject({ allowCredentials: [{ id: authenticator.id, type: 'public-key' }] });
    const passkey = authenticator.get(options);
    expectSuccess(await verify(app, { challenge, passkey }));
    expect(await lastSession(person.id)).toEqual({ method: 'PASSWORD', mfa: true });
    expectError(await verify(app, { challenge, passkey }), 400, 'token_invalid');
  });

  it.each(wrongs)('refuses a ceremony %s', async (_, told) => {
    const { person, authenticator } = await withPasskey(app, await app.buildOwner());
    const challenge = await challengeFor(app, person);
    const options = await loginOptions(app, { challenge });
    expectError(
      await verify(app, { challenge, passkey: authenticator.get(options, told) }),
      401,
      'invalid_credentials',
    );
  });

  it('is bound to that one sign-in, and no sign-in by itself', async () => {
    const { person, authenticator } = await withPasskey(app, await app.buildOwner());
    const [one, other] = [await challengeFor(app, person), await challengeFor(app, person)];
    const passkey = authenticator.get(await loginOptions(app, { challenge: one }));
    expectError(await verify(app, { challenge: other, passkey }), 401, 'invalid_credentials');
    expectError(await passkeyLogin(app, passkey), 401, 'invalid_credentials');
    const free = authenticator.get(await loginOptions(app));
    expectError(await verify(app, { challenge: one, passkey: free }), 401, 'invalid_credentials');
  });

  it('of somebody else does not do', async () => {
    const { person } = await withTotp(app, await app.buildOwner());
    const thief = await withPasskey(app, await app.buildOwner());
    const challenge = await challengeFor(app, person);
    const passkey = thief.authenticator.get(await loginOptions(app, { challenge }));
    expectError(await verify(app, { challenge, passkey }), 401, 'invalid_credentials');
  });

  it('begins with no challenge that is over', async () => {
    const answer = await app.call('POST', '/api/auth/passkeys/login/options', {
      body: { challenge: 'x'.repeat(43) },
      ...from(),
    });
    expectError(answer, 400, 'token_invalid');
  });
});
