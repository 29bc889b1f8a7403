import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { statusesOf } from '../../support/calls.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import {
  addPasskey,
  auditRows,
  challengeFor,
  codeOf,
  forgetUsedCodes,
  login,
  mailsTo,
  PORTAL,
  stepUp,
  verify,
  withTotp,
  wrongCode,
} from './support.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({ PUBLIC_URL: PORTAL });
});
afterAll(() => app.close());

const setUp = (token: string) => app.call('POST', '/api/auth/mfa/totp/setup', { token });
const confirm = (token: string, code: string) =>
  app.call('POST', '/api/auth/mfa/totp/confirm', { token, body: { code } });
const turnOff = (token: string) => app.call('DELETE', '/api/auth/mfa/totp', { token });

describe('Setting up an authenticator app', () => {
  it('gives secret, link and picture, and demands nothing before the first code', async () => {
    const owner = await app.buildOwner();
    const { token } = await app.signIn(owner);
    const answer = await setUp(token);
    expectSuccess(answer);
    const { secret, uri, qrCode } = answer.body.data;
    expect(secret).toMatch(/^[A-Z2-7]{32}$/);
    const link = new URL(uri);
    expect(`${link.protocol}//${link.host}${decodeURIComponent(link.pathname)}`).toBe(
      `otpauth://totp/StudySpot:${owner.email}`,
    );
    expect(Object.fromEntries(link.searchParams)).toMatchObject({ secret, issuer: 'StudySpot' });
    expect(Buffer.from(qrCode.replace('data:image/png;base64,', ''), 'base64').subarray(1, 4).toString()).toBe('PNG');
    const [row] = await app.query(`select * from totp_credentials where user_id = $1`, [owner.id]);
    expect(row).toMatchObject({ confirmed_at: null, tenant_id: owner.tenantId });
    expect(JSON.stringify(row)).not.toContain(secret);
    expect((await login(app, owner)).body.data.accessToken).toBeTypeOf('string');
    expect((await app.call('GET', '/api/auth/mfa', { token })).body.data).toMatchObject({
      enabled: false,
      totpSince: null,
    });
  });

  it('begun again replaces what was not confirmed; what was stays on', async () => {
    const { token } = await app.ownerWithToken();
    const first = (await setUp(token)).body.data.secret;
    const second = (await setUp(token)).body.data.secret;
    expect(second).not.toBe(first);
    expectError(await confirm(token, codeOf(first)), 400, 'validation_failed', 'body code');
    expectSuccess(await confirm(token, codeOf(second)));
    expectError(await setUp(token), 403, 'step_up_required');
    expectError(await confirm(token, codeOf(second, 1)), 409, 'conflict');
  });

  it('on a new phone takes the place of the old one with its first code, and not before', async () => {
    const { person, token, secret, recoveryCodes } = await withTotp(app, await app.buildOwner());
    const next = (await setUp(token)).body.data.secret;
    expectError(await confirm(token, codeOf(secret)), 400, 'validation_failed', 'body code');
    const oldPhone = await verify(app, { challenge: await challengeFor(app, person), code: codeOf(secret) });
    expectSuccess(oldPhone);
    const early = await verify(app, { challenge: await challengeFor(app, person), code: codeOf(next, 1) });
    expectError(early, 401, 'invalid_credentials');
    // Who took over a session without a step-up cannot put their own phone in its place.
    expectError(await confirm(oldPhone.body.data.accessToken, codeOf(next)), 403, 'step_up_required');
    const replaced = await confirm(token, codeOf(next));
    expectSuccess(replaced);
    await forgetUsedCodes(app, person);
    const answers = [secret, next].map(async (of) =>
      verify(app, { challenge: await challengeFor(app, person), code: codeOf(of) }),
    );
    expect(statusesOf(await Promise.all(answers))).toEqual([200, 401]);
    const challenge = await challengeFor(app, person);
    expectError(await verify(app, { challenge, recoveryCode: recoveryCodes[0] }), 401, 'invalid_credentials');
    expectSuccess(await verify(app, { challenge, recoveryCode: replaced.body.data.recoveryCodes[0] }));
    expect(await auditRows(app, 'auth.totp_enable', person.id)).toContainEqual({
      outcome: 'SUCCESS',
      changes: { replaced: true },
    });
    expectError(await confirm(token, codeOf(next)), 409, 'conflict');
  });

  it('answers ten codes once, tells the person, keeps their sessions and keeps no secret in the trail', async () => {
    const owner = await app.buildOwner();
    const other = await app.signIn(owner);
    const { token, recoveryCodes, secret } = await withTotp(app, owner);
    expect(new Set(recoveryCodes).size).toBe(10);
    for (const code of recoveryCodes) expect(code).toMatch(/^([2-9A-HJ-NP-Z]{4}-){2}[2-9A-HJ-NP-Z]{4}$/);
    expectSuccess(await app.call('GET', '/api/auth/me', { token: other.token }));
    expect(await mailsTo(app, owner.id)).toContainEqual({
      job: 'email.mfa-changed',
      payload: { userId: owner.id, change: 'TOTP_ON' },
    });
    expect((await app.call('GET', '/api/auth/mfa', { token })).body.data).toEqual({
      enabled: true,
      totpSince: expect.any(String),
      passkeys: 0,
      recoveryCodesLeft: 10,
      deadline: null,
    });
    const kept = await app.query(
      `select string_agg(t::text, ' ') as text from (
         select to_jsonb(a) from audit_logs a union all select to_jsonb(r) from recovery_codes r
         union all select to_jsonb(o) from outbox_messages o union all select to_jsonb(i) from idempotency_keys i) t`,
    );
    for (const hidden of [secret, ...recoveryCodes]) expect(kept[0]!.text).not.toContain(hidden);
  });

  it('needs a step-up where there is a passkey already', async () => {
    const owner = await app.buildOwner();
    const { token } = await app.signIn(owner);
    await addPasskey(app, token);
    expectError(await setUp(token), 403, 'step_up_required');
    await app.query(`update sessions set elevated_until = now() + interval '10 minutes' where user_id = $1`, [
      owner.id,
    ]);
    const { secret } = (await setUp(token)).body.data;
    await app.query(`update sessions set elevated_until = null where user_id = $1`, [owner.id]);
    expectError(await confirm(token, codeOf(secret)), 403, 'step_up_required');
  });

  it('confirmed twice at once is confirmed once', async () => {
    const { token } = await app.ownerWithToken();
    const { secret } = (await setUp(token)).body.data;
    const answers = await Promise.all([1, 2, 3].map(() => confirm(token, codeOf(secret))));
    expect(statusesOf(answers)).toEqual([200, 409, 409]);
  });
});

describe('A code', () => {
  it('is good for its step and the one to either side, not beyond', async () => {
    const { person, secret } = await withTotp(app, await app.buildOwner());
    for (const [steps, isGood] of [
      [-3, false],
      [2, false],
      [-1, true],
      [0, true],
      [1, true],
    ] as const) {
      const challenge = await challengeFor(app, person);
      const answer = await verify(app, { challenge, code: codeOf(secret, steps) });
      if (isGood) expectSuccess(answer);
      else expectError(answer, 401, 'invalid_credentials');
    }
  });

  it('works once, and none from before it works after it', async () => {
    const { person, secret } = await withTotp(app, await app.buildOwner());
    const code = codeOf(secret);
    expectSuccess(await verify(app, { challenge: await challengeFor(app, person), code }));
    expectError(await verify(app, { challenge: await challengeFor(app, person), code }), 401, 'invalid_credentials');
    const before = await verify(app, { challenge: await challengeFor(app, person), code: codeOf(secret, -1) });
    expectError(before, 401, 'invalid_credentials');
  });

  it('with which the app was turned on is used up', async () => {
    const owner = await app.buildOwner();
    const { token } = await app.signIn(owner);
    const { secret } = (await setUp(token)).body.data;
    const code = codeOf(secret);
    expectSuccess(await confirm(token, code));
    expectError(await verify(app, { challenge: await challengeFor(app, owner), code }), 401, 'invalid_credentials');
  });

  it('used eight times at once, for sign-ins and step-ups, gets through exactly once', async () => {
    const { person, token, secret } = await withTotp(app, await app.buildOwner());
    for (let round = 0; round < 3; round += 1) {
      await forgetUsedCodes(app, person);
      const challenges = await Promise.all([1, 2, 3, 4].map(() => challengeFor(app, person)));
      const code = codeOf(secret);
      const answers = await Promise.all([
        ...challenges.map((challenge) => verify(app, { challenge, code })),
        ...[1, 2, 3, 4].map(() => stepUp(app, token, { code })),
      ]);
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(answers.filter(({ status }) => status === 401)).toHaveLength(7);
    }
  });

  it('of somebody else is wrong', async () => {
    const one = await withTotp(app, await app.buildOwner());
    const other = await withTotp(app, await app.buildOwner());
    const challenge = await challengeFor(app, one.person);
    expectError(await verify(app, { challenge, code: codeOf(other.secret) }), 401, 'invalid_credentials');
  });

  it('from a secret that was copied to another row opens nothing', async () => {
    const one = await withTotp(app, await app.buildOwner());
    const other = await withTotp(app, await app.buildOwner());
    await app.query(
      `update totp_credentials set sealed_secret = (select sealed_secret from totp_credentials where user_id = $1) where user_id = $2`,
      [one.person.id, other.person.id],
    );
    const answer = await verify(app, { challenge: await challengeFor(app, other.person), code: codeOf(one.secret) });
    expectError(answer, 500, 'internal_error');
  });
});

describe('Turning the app off', () => {
  it('ends the demand, takes the recovery codes along and tells the person', async () => {
    const { person, token } = await withTotp(app, await app.buildOwner());
    expectSuccess(await turnOff(token));
    expect((await login(app, person)).body.data.accessToken).toBeTypeOf('string');
    expect(await app.query(`select id from recovery_codes where user_id = $1`, [person.id])).toEqual([]);
    expect((await mailsTo(app, person.id)).at(-1)?.payload).toMatchObject({ change: 'TOTP_OFF' });
    expectError(await turnOff(token), 404, 'not_found');
  });

  it('keeps the recovery codes while there is a passkey', async () => {
    const { person, token } = await withTotp(app, await app.buildOwner());
    await addPasskey(app, token);
    expectSuccess(await turnOff(token));
    expect((await login(app, person)).body.data.methods).toEqual(['passkey', 'recovery_code']);
  });

  it('is refused for the last factor of somebody who has to have one', async () => {
    const admin = await app.buildAdmin({ role: 'finance' });
    const { token, secret } = await withTotp(app, admin);
    await app.query(`update users set mfa_required_since = now() where id = $1`, [admin.id]);
    expectError(await turnOff(token), 409, 'conflict');
    await app.query(`update users set mfa_required_since = null where id = $1`, [admin.id]);
    await app.query(
      `insert into security_policies (type, value, updated_at) values ('MFA', '{"requiredRoles":["finance"],"graceDays":7}', now())`,
    );
    try {
      expectError(await turnOff(token), 409, 'conflict');
      expectSuccess(await verify(app, { challenge: await challengeFor(app, admin), code: codeOf(secret) }));
      await addPasskey(app, token);
      expectSuccess(await turnOff(token));
    } finally {
      await app.query(`delete from security_policies where type = 'MFA'`);
    }
  });

  it('and removing the last passkey at once leaves one of them, where one is demanded', async () => {
    for (let round = 0; round < 3; round += 1) {
      const { person, token } = await withTotp(app, await app.buildOwner());
      const { id } = await addPasskey(app, token);
      await app.query(`update users set mfa_required_since = now() where id = $1`, [person.id]);
      const answers = await Promise.all([turnOff(token), app.call('DELETE', `/api/auth/passkeys/${id}`, { token })]);
      expect(statusesOf(answers)).toEqual([200, 409]);
    }
  });
});

describe('Wrong codes', () => {
  it('kill a challenge after five, however right the sixth is', async () => {
    const { person, secret } = await withTotp(app, await app.buildOwner());
    const challenge = await challengeFor(app, person);
    for (let round = 0; round < 5; round += 1) {
      // From elsewhere each time: this is about the challenge alone.
      expectError(await verify(app, { challenge, code: wrongCode(secret) }), 401, 'invalid_credentials');
    }
    expectError(await verify(app, { challenge, code: codeOf(secret) }), 400, 'token_invalid');
  });

  it('all at once get five looked at, and the right one after them none', async () => {
    const { person, secret } = await withTotp(app, await app.buildOwner());
    const challenge = await challengeFor(app, person);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => verify(app, { challenge, code: wrongCode(secret) })),
    );
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(5);
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(15);
    const rows = await auditRows(app, 'auth.mfa_verify', person.id);
    expect(rows.filter(({ changes }) => changes?.reason === 'answer')).toHaveLength(5);
    expectError(await verify(app, { challenge, code: codeOf(secret) }), 400, 'token_invalid');
  });

  it('from one place are stopped over many challenges, and do not keep the person out elsewhere', async () => {
    const { person, secret } = await withTotp(app, await app.buildOwner());
    const address = '203.0.113.99';
    const guesses = Array.from({ length: 8 }, async () => challengeFor(app, person));
    for (const challenge of await Promise.all(guesses))
      await verify(app, { challenge, code: wrongCode(secret) }, address);
    const locked = await verify(app, { challenge: await challengeFor(app, person), code: codeOf(secret) }, address);
    expectError(locked, 401, 'invalid_credentials');
    const reasons = (await auditRows(app, 'auth.mfa_verify', person.id)).map(({ changes }) => changes?.reason);
    expect(reasons.filter((reason) => reason === 'answer').length).toBeLessThanOrEqual(5);
    expect(reasons.at(-1)).toBe('locked');
    expectSuccess(await verify(app, { challenge: await challengeFor(app, person), code: codeOf(secret) }));
  });

  it('do not count as wrong passwords', async () => {
    const { person, secret } = await withTotp(app, await app.buildOwner());
    const address = '203.0.113.98';
    for (let round = 0; round < 8; round += 1) {
      await verify(app, { challenge: await challengeFor(app, person, address), code: wrongCode(secret) }, address);
    }
    expect((await login(app, person, address)).body.data.mfaRequired).toBe(true);
  });

  it('are kept in the list of attempts, and nowhere as they were typed', async () => {
    const { person, secret } = await withTotp(app, await app.buildOwner());
    const code = wrongCode(secret);
    await verify(app, { challenge: await challengeFor(app, person), code });
    const attempts = await app.query(
      `select outcome, method, account from login_attempts where user_id = $1 order by created_at`,
      [person.id],
    );
    expect(attempts.at(-1)).toMatchObject({ outcome: 'WRONG_CODE', method: 'PASSWORD' });
    const rows = await auditRows(app, 'auth.mfa_verify', person.id);
    expect(rows).toEqual([{ outcome: 'FAILURE', changes: { account: person.id, reason: 'answer' } }]);
  });
});
