import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PASSWORD } from '../../support/factories.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import {
  auditRows,
  codeOf,
  forgetUsedCodes,
  PORTAL,
  stepUp,
  stepUpOptions,
  withPasskey,
  withTotp,
  wrongCode,
} from './support.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({ PUBLIC_URL: PORTAL });
});
afterAll(() => app.close());

const rpId = 'portal.studyspot.example';
/** Something that needs a step-up: 404 with it, 403 without. */
const needsStepUp = (token: string) => app.call('DELETE', '/api/auth/mfa/totp', { token });

describe('Proving again who one is', () => {
  it('with the password lifts this session for ten minutes, and no other', async () => {
    const admin = await app.buildAdmin();
    const { token } = await app.signIn(admin);
    const { token: other } = await app.signIn(admin);
    const before = Date.now();
    const answer = await stepUp(app, token, { password: PASSWORD });
    expectSuccess(answer);
    const until = Date.parse(answer.body.data.elevatedUntil);
    expect(until).toBeGreaterThanOrEqual(before + 600_000);
    expect(until).toBeLessThan(before + 630_000);
    expectError(await needsStepUp(token), 404, 'not_found');
    expectError(await needsStepUp(other), 403, 'step_up_required');
    await app.query(`update sessions set elevated_until = now() - interval '1 second' where user_id = $1`, [admin.id]);
    expectError(await needsStepUp(token), 403, 'step_up_required');
  });

  it('takes no password from somebody with a second factor, and tells nothing about it', async () => {
    const { token } = await withTotp(app, await app.buildOwner());
    for (const password of [PASSWORD, 'not-the-right-password']) {
      expectError(await stepUp(app, token, { password }), 400, 'validation_failed', 'body password');
    }
    const { token: plain } = await app.ownerWithToken();
    expectError(await stepUp(app, plain, { code: '123456' }), 400, 'validation_failed', 'body code');
  });

  it('with a code works once', async () => {
    const { token, secret } = await withTotp(app, await app.buildOwner());
    const code = codeOf(secret);
    expectSuccess(await stepUp(app, token, { code }));
    expectError(await stepUp(app, token, { code }), 401, 'invalid_credentials');
  });

  it('with a passkey needs a ceremony of this very session', async () => {
    const owner = await app.buildOwner();
    const { token: elsewhere } = await app.signIn(owner);
    const { token, authenticator } = await withPasskey(app, owner);
    await app.query(`update sessions set elevated_until = null where user_id = $1`, [owner.id]);
    const passkey = authenticator.get({ ...(await stepUpOptions(app, token)), rpId });
    expectError(await stepUp(app, elsewhere, { passkey }), 401, 'invalid_credentials');
    expectSuccess(await stepUp(app, token, { passkey }));
    expectError(await stepUp(app, token, { passkey }), 401, 'invalid_credentials');
    expectError(await needsStepUp(elsewhere), 403, 'step_up_required');

    const unverified = authenticator.get({ ...(await stepUpOptions(app, token)), rpId }, { verified: false });
    expectError(await stepUp(app, token, { passkey: unverified }), 401, 'invalid_credentials');
    const stranger = await withPasskey(app, await app.buildOwner());
    const theirs = stranger.authenticator.get({ ...(await stepUpOptions(app, token)), rpId });
    expectError(await stepUp(app, token, { passkey: theirs }), 401, 'invalid_credentials');
  });

  it('with a passkey is nothing for somebody who has none', async () => {
    const { token } = await app.ownerWithToken();
    expectError(await app.call('POST', '/api/auth/passkeys/step-up/options', { token }), 409, 'conflict');
  });

  it('wrong too often has to wait, however right it then is; each try leaves its row', async () => {
    const owner = await app.buildOwner();
    const { token } = await app.signIn(owner);
    const tries = Array.from({ length: 12 }, () => stepUp(app, token, { password: 'not-the-right-password' }));
    for (const answer of await Promise.all(tries)) expectError(answer, 401, 'invalid_credentials');
    expectError(await stepUp(app, token, { password: PASSWORD }), 401, 'invalid_credentials');
    const rows = await auditRows(app, 'auth.step_up', owner.id);
    expect(rows).toHaveLength(13);
    expect(new Set(rows.map(({ outcome }) => outcome))).toEqual(new Set(['FAILURE']));
    expect(rows.filter(({ changes }) => changes?.locked === false).length).toBeLessThanOrEqual(5);
    expect(JSON.stringify(rows)).not.toContain('password');
  });

  it('wrong in a stolen session does not keep the person from their own', async () => {
    const { person, token, secret } = await withTotp(app, await app.buildOwner());
    for (let round = 0; round < 8; round += 1) await stepUp(app, token, { code: wrongCode(secret) });
    const { verify, challengeFor } = await import('./support.ts');
    const mine = await verify(app, { challenge: await challengeFor(app, person), code: codeOf(secret) });
    expectSuccess(mine);
    await forgetUsedCodes(app, person);
    expectSuccess(await stepUp(app, mine.body.data.accessToken, { code: codeOf(secret) }));
  });

  it('takes exactly one proof', async () => {
    const { token } = await app.ownerWithToken();
    expectError(await stepUp(app, token, {}), 400, 'validation_failed', 'body password');
    expectError(
      await stepUp(app, token, { password: PASSWORD, code: '123456' }),
      400,
      'validation_failed',
      'body password',
    );
  });
});
