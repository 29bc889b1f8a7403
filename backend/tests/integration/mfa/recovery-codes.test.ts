import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { statusesOf } from '../../support/calls.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { addPasskey, challengeFor, mailsTo, PORTAL, stepUp, verify, withTotp } from './support.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({ PUBLIC_URL: PORTAL });
});
afterAll(() => app.close());

const renew = (token: string) => app.call('POST', '/api/auth/mfa/recovery-codes', { token });

describe('A recovery code', () => {
  it('completes a sign-in once, however it is typed, and says how many are left', async () => {
    const { person, recoveryCodes } = await withTotp(app, await app.buildOwner());
    const [first = '', second = ''] = recoveryCodes;
    const answer = await verify(app, { challenge: await challengeFor(app, person), recoveryCode: first });
    expectSuccess(answer);
    expect(answer.body.data.recoveryCodesLeft).toBe(9);
    const again = await verify(app, { challenge: await challengeFor(app, person), recoveryCode: first });
    expectError(again, 401, 'invalid_credentials');
    const typed = ` ${second.toLowerCase().replaceAll('-', ' ')} `;
    expectSuccess(await verify(app, { challenge: await challengeFor(app, person), recoveryCode: typed }));
  });

  it('used by eight at once, for sign-ins and step-ups, gets through exactly once', async () => {
    const { person, token, recoveryCodes } = await withTotp(app, await app.buildOwner());
    for (const recoveryCode of recoveryCodes.slice(0, 3)) {
      const challenges = await Promise.all([1, 2, 3, 4].map(() => challengeFor(app, person)));
      const answers = await Promise.all([
        ...challenges.map((challenge) => verify(app, { challenge, recoveryCode })),
        ...[1, 2, 3, 4].map(() => stepUp(app, token, { recoveryCode })),
      ]);
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(answers.filter(({ status }) => status === 401)).toHaveLength(7);
    }
    const left = await app.query(`select id from recovery_codes where user_id = $1 and used_at is null`, [person.id]);
    expect(left).toHaveLength(7);
  });

  it('of which two different ones are used at once uses up both', async () => {
    const { token, recoveryCodes } = await withTotp(app, await app.buildOwner());
    const answers = await Promise.all(
      recoveryCodes.slice(0, 2).map((recoveryCode) => stepUp(app, token, { recoveryCode })),
    );
    expect(statusesOf(answers)).toEqual([200, 200]);
    expect(new Set(answers.map(({ body }) => body.data.recoveryCodesLeft))).toEqual(new Set([8, 9]));
  });

  it('warns by mail when three are left, once', async () => {
    const { person, token, recoveryCodes } = await withTotp(app, await app.buildOwner());
    for (const recoveryCode of recoveryCodes.slice(0, 6)) expectSuccess(await stepUp(app, token, { recoveryCode }));
    const warnings = async () =>
      (await mailsTo(app, person.id)).filter(({ job }) => job === 'email.recovery-codes-low');
    expect(await warnings()).toEqual([]);
    for (const recoveryCode of recoveryCodes.slice(6, 9)) expectSuccess(await stepUp(app, token, { recoveryCode }));
    expect((await warnings()).map(({ payload }) => payload)).toEqual([{ userId: person.id, left: 3 }]);
  });

  it('of somebody else is wrong, and so is one of the same person from before', async () => {
    const one = await withTotp(app, await app.buildOwner());
    const other = await withTotp(app, await app.buildOwner());
    const stolen = { challenge: await challengeFor(app, one.person), recoveryCode: other.recoveryCodes[0] };
    expectError(await verify(app, stolen), 401, 'invalid_credentials');
    expectSuccess(await stepUp(app, one.token, { recoveryCode: one.recoveryCodes[0] }));
    const renewed = await renew(one.token);
    expectSuccess(renewed);
    expect(renewed.body.data.recoveryCodes).toHaveLength(10);
    const old = { challenge: await challengeFor(app, one.person), recoveryCode: one.recoveryCodes[1] };
    expectError(await verify(app, old), 401, 'invalid_credentials');
    const fresh = { challenge: await challengeFor(app, one.person), recoveryCode: renewed.body.data.recoveryCodes[0] };
    expectSuccess(await verify(app, fresh));
  });

  it('is kept as a hash that another row cannot use', async () => {
    const one = await withTotp(app, await app.buildOwner());
    const other = await withTotp(app, await app.buildOwner());
    await app.query(`delete from recovery_codes where user_id = $1`, [other.person.id]);
    await app.query(`update recovery_codes set user_id = $1 where user_id = $2`, [other.person.id, one.person.id]);
    const copied = { challenge: await challengeFor(app, other.person), recoveryCode: one.recoveryCodes[0] };
    expectError(await verify(app, copied), 401, 'invalid_credentials');
  });
});

describe('New recovery codes', () => {
  it('are for somebody with a second factor, a passkey too', async () => {
    const owner = await app.buildOwner();
    const { token } = await app.signInElevated(owner);
    expectError(await renew(token), 409, 'conflict');
    await addPasskey(app, token);
    expectSuccess(await renew(token));
    expect((await app.call('GET', '/api/auth/mfa', { token })).body.data).toMatchObject({
      passkeys: 1,
      recoveryCodesLeft: 10,
    });
  });

  it('are not kept for a repeated Idempotency-Key', async () => {
    const { token } = await withTotp(app, await app.buildOwner());
    const again = () =>
      app.call('POST', '/api/auth/mfa/recovery-codes', { token, headers: { 'idempotency-key': 'the-same-key-1' } });
    const [first, second] = [await again(), await again()];
    expect(first.body.data.recoveryCodes).not.toEqual(second.body.data.recoveryCodes);
  });
});
