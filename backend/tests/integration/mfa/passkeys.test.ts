import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { statusesOf } from '../../support/calls.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { softwareAuthenticator, type Deviation } from '../../support/software-authenticator.ts';
import { addPasskey, auditRows, mailsTo, PORTAL, withPasskey, withTotp } from './support.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({ PUBLIC_URL: PORTAL, CORS_ORIGINS: 'https://office.portal.studyspot.example' });
});
afterAll(() => app.close());

const begin = (token: string) => app.call('POST', '/api/auth/passkeys/register/options', { token });
const register = (token: string, response: object, name = 'Phone') =>
  app.call('POST', '/api/auth/passkeys/register', { token, body: { name, response } });
const list = (token: string) => app.call('GET', '/api/auth/passkeys', { token });
const remove = (token: string, id: string) => app.call('DELETE', `/api/auth/passkeys/${id}`, { token });

describe('Adding a passkey', () => {
  it('asks the browser for one that verifies its holder, for this portal and nobody else', async () => {
    const owner = await app.buildOwner();
    const { token } = await app.signIn(owner);
    const answer = await begin(token);
    expectSuccess(answer);
    expect(answer.body.data.options).toMatchObject({
      rp: { id: 'portal.studyspot.example', name: 'StudySpot' },
      user: { id: Buffer.from(owner.id).toString('base64url'), name: owner.email },
      pubKeyCredParams: [-7, -8, -257].map((alg) => ({ type: 'public-key', alg })),
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      attestation: 'none',
      excludeCredentials: [],
    });
  });

  it('keeps it, lists it, tells the person and leaves its row', async () => {
    const owner = await app.buildOwner();
    const { token, id, answer, authenticator } = await withPasskey(app, owner);
    expect(answer.body.data).toMatchObject({ id, name: 'Phone', transports: ['internal', 'hybrid'], backedUp: false });
    const { data, meta } = (await list(token)).body;
    expect(data).toEqual([{ ...answer.body.data, lastUsedAt: null }]);
    expect(meta.total).toBe(1);
    expect((await mailsTo(app, owner.id)).at(-1)?.payload).toEqual({ userId: owner.id, change: 'PASSKEY_ADDED' });
    expect(await auditRows(app, 'auth.passkey_register', owner.id)).toHaveLength(1);
    const [row] = await app.query(`select tenant_id, credential_id, counter from passkeys where id = $1`, [id]);
    expect(row).toEqual({ tenant_id: owner.tenantId, credential_id: authenticator.id, counter: '1' });
    const again = (await begin(token)).body.data.options;
    expect(again.excludeCredentials.map((one: { id: string }) => one.id)).toEqual([authenticator.id]);
  });

  it('works on a page of ours, too', async () => {
    const { token } = await app.ownerWithToken();
    const authenticator = softwareAuthenticator('https://office.portal.studyspot.example');
    await addPasskey(app, token, { authenticator });
  });

  const wrongs: [string, Deviation][] = [
    ['of another origin', { origin: 'https://evil.example' }],
    ['of an origin that only ends alike', { origin: 'https://evilportal.studyspot.example' }],
    ['of an origin under the name, but none of ours', { origin: 'https://other.portal.studyspot.example' }],
    ['without TLS', { origin: 'http://portal.studyspot.example' }],
    ['for another relying party', { rpId: 'studyspot.example' }],
    ['within a page of somebody else', { crossOrigin: true }],
    ['of another challenge', { challenge: Buffer.alloc(32).toString('base64url') }],
    ['that is a sign-in', { type: 'webauthn.get' }],
    ['that did not verify its holder', { verified: false }],
    [
      'with certificates, which would be looked up',
      { statement: { format: 'packed', fields: new Map([['x5c', Buffer.from('x')]]) } },
    ],
    ['with a proof of another kind', { statement: { format: 'android-safetynet', fields: new Map() } }],
  ];
  it.each(wrongs)('refuses a ceremony %s', async (_, told) => {
    const owner = await app.buildOwner();
    const { token } = await app.signIn(owner);
    const { options } = (await begin(token)).body.data;
    const answer = await register(token, softwareAuthenticator(PORTAL).create(options, told));
    expectError(answer, 400, 'token_invalid');
    expect(await app.query(`select id from passkeys where user_id = $1`, [owner.id])).toEqual([]);
  });

  it('refuses the answer a second time, later, and in another session or of another person', async () => {
    const owner = await app.buildOwner();
    const { token } = await app.signInElevated(owner);
    const { options } = (await begin(token)).body.data;
    const response = softwareAuthenticator(PORTAL).create(options);
    const { token: elsewhere } = await app.signInElevated(owner);
    expectError(await register(elsewhere, response), 400, 'token_invalid');
    const { token: stranger } = await app.ownerWithToken();
    expectError(await register(stranger, response), 400, 'token_invalid');
    expectSuccess(await register(token, response), 201);
    expectError(await register(token, response), 400, 'token_invalid');

    const late = (await begin(token)).body.data.options;
    await app.query(`update auth_challenges set expires_at = now() - interval '1 second' where user_id = $1`, [
      owner.id,
    ]);
    const answer = await register(token, softwareAuthenticator(PORTAL).create(late));
    expectError(answer, 400, 'token_invalid');
  });

  it('answered twice at once adds one', async () => {
    const { token } = await app.signInElevated(await app.buildOwner());
    const { options } = (await begin(token)).body.data;
    const response = softwareAuthenticator(PORTAL).create(options);
    const answers = await Promise.all([1, 2, 3].map(() => register(token, response)));
    expect(statusesOf(answers)).toEqual([201, 400, 400]);
  });

  it('that somebody has already is refused', async () => {
    const { authenticator } = await withPasskey(app, await app.buildOwner());
    const { token } = await app.ownerWithToken();
    const { options } = (await begin(token)).body.data;
    const answer = await register(
      token,
      softwareAuthenticator(PORTAL).create(options, { credentialId: authenticator.id }),
    );
    expectError(answer, 409, 'conflict');
  });

  it('needs a step-up where there is a second factor: at the beginning and at the end', async () => {
    const owner = await app.buildOwner();
    const { token } = await app.signIn(owner);
    const { options } = (await begin(token)).body.data;
    await withTotp(app, owner);
    await app.query(`update sessions set elevated_until = null where user_id = $1`, [owner.id]);
    expectError(await register(token, softwareAuthenticator(PORTAL).create(options)), 403, 'step_up_required');
    expectError(await begin(token), 403, 'step_up_required');
  });

  it('ends at twenty, however many come at once', async () => {
    const owner = await app.buildOwner();
    const { token } = await app.signInElevated(owner);
    await app.query(
      `insert into passkeys (id, tenant_id, user_id, name, credential_id, public_key, counter, backed_up)
       select 'c' || lpad(n::text, 24, '0'), $1, $2, 'Key ' || n, 'filler-' || n, '\\x00', 0, false from generate_series(1, 19) n`,
      [owner.tenantId, owner.id],
    );
    const begun = await Promise.all([1, 2, 3].map(() => begin(token)));
    const answers = await Promise.all(
      begun.map(({ body }) => register(token, softwareAuthenticator(PORTAL).create(body.data.options))),
    );
    expect(statusesOf(answers)).toEqual([201, 409, 409]);
    expectError(await begin(token), 409, 'conflict');
    await app.query(`delete from passkeys where user_id = $1`, [owner.id]);
  });

  it('refuses what is too large or of the wrong shape', async () => {
    const { token } = await app.ownerWithToken();
    const { options } = (await begin(token)).body.data;
    const good = softwareAuthenticator(PORTAL).create(options);
    const large = { ...good, response: { ...good.response, attestationObject: 'A'.repeat(40_001) } };
    expectError(await register(token, large), 400, 'validation_failed', 'body response.response.attestationObject');
    const many = { ...good, response: { ...good.response, transports: Array.from({ length: 11 }, () => 'usb') } };
    expectError(await register(token, many), 400, 'validation_failed', 'body response.response.transports');
    expectError(await register(token, good, 'x'.repeat(61)), 400, 'validation_failed', 'body name');
    for (const attestationObject of [
      'AAAA',
      'o2NmbXRkbm9uZQ',
      Buffer.from('{}').toString('base64url'),
      'f'.repeat(39_999),
    ]) {
      const broken = { ...good, response: { ...good.response, attestationObject } };
      expectError(await register(token, broken), 400, 'token_invalid');
    }
    for (const clientDataJSON of [
      'AAAA',
      Buffer.from('null').toString('base64url'),
      Buffer.from('[]').toString('base64url'),
    ]) {
      const broken = { ...good, response: { ...good.response, clientDataJSON } };
      expectError(await register(token, broken), 400, 'token_invalid');
    }
  });
});

describe('Removing a passkey', () => {
  it('needs a step-up and takes only one of my own', async () => {
    const mine = await withPasskey(app, await app.buildOwner());
    const other = await withPasskey(app, await app.buildUser({ tenantId: mine.person.tenantId }));
    expectError(await remove(mine.token, other.id), 404, 'not_found');
    await app.query(`update sessions set elevated_until = null where user_id = $1`, [mine.person.id]);
    expectError(await remove(mine.token, mine.id), 403, 'step_up_required');
    await app.query(`update sessions set elevated_until = now() + interval '1 minute' where user_id = $1`, [
      mine.person.id,
    ]);
    expectSuccess(await remove(mine.token, mine.id));
    expect((await list(mine.token)).body.data).toEqual([]);
    expect((await mailsTo(app, mine.person.id)).at(-1)?.payload).toMatchObject({ change: 'PASSKEY_REMOVED' });
    expect((await list(other.token)).body.data).toHaveLength(1);
  });

  it('is refused for the last factor of somebody who has to have one', async () => {
    const { person, token, id } = await withPasskey(app, await app.buildOwner());
    await app.query(`update users set mfa_required_since = now() where id = $1`, [person.id]);
    expectError(await remove(token, id), 409, 'conflict');
    const second = await addPasskey(app, token, { name: 'Laptop' });
    expectSuccess(await remove(token, id));
    expectError(await remove(token, second.id), 409, 'conflict');
  });
});
