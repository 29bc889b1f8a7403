import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PASSWORD } from '../../support/factories.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { auditOf, claimsOf, from, login, me, refresh } from './support.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());

const NEW = 'three-quiet-rooms-in-kota';

const change = (token: string, newPassword: string, currentPassword = PASSWORD) =>
  app.call('POST', '/api/auth/change-password', { token, body: { currentPassword, newPassword } });
const reset = (token: string, password: string) =>
  app.call('POST', '/api/auth/reset-password', { body: { token, password }, headers: from() });

async function withPolicy(type: string, value: object, act: () => Promise<void>): Promise<void> {
  await app.query(
    `insert into security_policies (type, value, updated_at) values ($1::security_policy_type, $2, now())`,
    [type, JSON.stringify(value)],
  );
  try {
    await act();
  } finally {
    await app.query(`delete from security_policies`);
  }
}

describe('A new password', () => {
  const refused: [string, string, RegExp][] = [
    ['that is short', 'eleven-char', /at least 12 characters/],
    ['of few emojis, though they take many bytes', '🙂🙃😀😁😂😃😄😅', /at least 12 characters/],
    ['that many people use', 'qwertyuiop123', /many people use/],
    ['that many people use, in capitals', 'PASSWORD123456', /many people use/],
    ['that is a common word with a trivial ending', 'Football-2026!', /many people use/],
    ['that is a common word twice', 'sunshinesunshine', /many people use/],
    ['of one character', 'aaaaaaaaaaaaaaaa', /many people use/],
    ['with a part of the name', 'my-verma-loves-books', /must not contain your name/],
    ['with the name in other letters', 'MY_VeRmA_loves_books', /must not contain your name/],
    ['with the name of the library', 'SaraswatiHallKota-quiet', /must not contain your name/],
    ['with the phone', 'quiet98290 45678rooms', /must not contain your name/],
    ['with the email address', 'quiet.asha.v.kota.rooms', /must not contain your name/],
    ['that is the present one', PASSWORD, /must differ from the last 5/],
  ];
  let token: string;
  let userId: string;
  beforeAll(async () => {
    const tenant = await app.buildTenant({ name: 'Saraswati Hall, Kota' });
    const user = await app.buildOwner({
      name: 'Asha Verma',
      tenantId: tenant.id,
      email: 'asha.v.kota@people.example',
      phone: '+919829045678',
    });
    userId = user.id;
    ({ token } = await app.signIn(user));
  });

  it.each(refused)('%s is refused, and says why', async (_what, password, why) => {
    const answer = await change(token, password);
    expectError(answer, 400, 'validation_failed', 'body newPassword');
    expect(answer.body.error.message).toMatch(why);
    const link = await app.buildOneTimeToken({ id: userId, tenantId: null });
    expectError(await reset(link, password), 400, 'validation_failed', 'body password');
  });

  it('is refused where it came before, and taken after so many others', { timeout: 60_000 }, async () => {
    await withPolicy('PASSWORD', { historyCount: 3 }, async () => {
      const user = await app.buildOwner();
      const { token: live } = await app.signIn(user);
      const passwords = [PASSWORD, `${NEW}-1`, `${NEW}-2`, `${NEW}-3`];
      for (const [index, password] of passwords.slice(1).entries()) {
        expectSuccess(await change(live, password, passwords[index]));
      }
      for (const earlier of passwords.slice(1)) {
        expectError(await change(live, earlier, `${NEW}-3`), 400, 'validation_failed', 'body newPassword');
      }
      expectSuccess(await change(live, PASSWORD, `${NEW}-3`));
      const [kept] = await app.query(
        `select count(*)::int as total, bool_and(password_hash like '$argon2id$%') as hashed from password_history where user_id = $1`,
        [user.id],
      );
      expect(kept).toEqual({ total: 4, hashed: true });
    });
  });

  it('is what the policy says: shorter, common and personal where it allows that', async () => {
    const lax = { minLength: 8, refuseCommon: false, refusePersonal: false, historyCount: 0 };
    await withPolicy('PASSWORD', lax, async () => {
      const { token: live } = await app.signIn(await app.buildOwner({ name: 'Asha Verma' }));
      expectSuccess(await change(live, 'password'));
      expectSuccess(await change(live, 'ashaverma', 'password'));
      expectSuccess(await change(live, 'ashaverma', 'ashaverma'));
    });
    await withPolicy('PASSWORD', { minLength: 30 }, async () => {
      const { token: live } = await app.signIn(await app.buildOwner());
      const answer = await change(live, NEW);
      expectError(answer, 400, 'validation_failed', 'body newPassword');
      expect(answer.body.error.message).toContain('30 characters');
    });
  });
});

describe('Changing the password', () => {
  it('ends all other sessions and links, leaves this one, is audited and told by mail', async () => {
    const user = await app.buildOwner();
    const [mine, other] = [await app.signIn(user), await app.signIn(user)];
    const link = await app.buildOneTimeToken(user);
    const answer = await change(mine.token, NEW);
    expectSuccess(answer);
    expect(answer.body.data).toEqual({ done: true });
    expectSuccess(await me(app, mine.token));
    expectSuccess(await refresh(app, mine.refreshToken));
    expectError(await me(app, other.token), 401, 'unauthenticated');
    expectError(await refresh(app, other.refreshToken), 401, 'unauthenticated');
    expectError(await reset(link, `${NEW}-2`), 400, 'token_invalid');
    expectError(await login(app, { email: user.email }), 401, 'invalid_credentials');
    expectSuccess(await login(app, { email: user.email, password: NEW }));
    expect(await auditOf(app, answer)).toEqual([
      expect.objectContaining({
        action: 'auth.change_password',
        chain: user.tenantId,
        actor_id: user.id,
        resource_id: user.id,
        outcome: 'SUCCESS',
        changes: { ended: 1 },
      }),
    ]);
    const jobs = await app.query(`select job, payload from outbox_messages where request_id = $1`, [
      answer.headers.get('x-request-id'),
    ]);
    expect(jobs).toEqual([{ job: 'email.password-changed', payload: { userId: user.id } }]);
    const [ended] = await app.query(`select revoked_reason from sessions where id = $1`, [claimsOf(other.token).sid]);
    expect(ended).toEqual({ revoked_reason: 'PASSWORD_CHANGED' });
    const trail = await app.query(`select changes::text from audit_logs where resource_id = $1`, [user.id]);
    expect(JSON.stringify(trail)).not.toContain(NEW);
  });

  it('needs the current one; who guesses it in an open session is stopped, and no other session with them', async () => {
    const user = await app.buildOwner();
    const { token } = await app.signIn(user);
    const { token: elsewhere } = await app.signIn(user);
    for (let round = 0; round < 5; round += 1) {
      const answer = await change(token, NEW, `guess-number-${round}`);
      expectError(answer, 400, 'validation_failed', 'body currentPassword');
      expect(await auditOf(app, answer)).toEqual([
        expect.objectContaining({ action: 'auth.change_password', outcome: 'FAILURE', actor_id: user.id }),
      ]);
    }
    expectError(await change(token, NEW), 400, 'validation_failed', 'body currentPassword');
    expectSuccess(await change(elsewhere, NEW));
  });

  it('at the same time twice is done once', async () => {
    const user = await app.buildOwner();
    const { token } = await app.signIn(user);
    const passwords = [`${NEW}-1`, `${NEW}-2`];
    const answers = await Promise.all(passwords.map((password) => change(token, password)));
    const won = answers.findIndex(({ status }) => status === 200);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect([400, 409]).toContain(answers[1 - won]?.status);
    expectSuccess(await login(app, { email: user.email, password: passwords[won] }));
    expectError(await login(app, { email: user.email, password: passwords[1 - won] }), 401, 'invalid_credentials');
  });

  it('of an account without one says how to get one', async () => {
    const user = await app.buildOwner();
    const { token } = await app.signIn(user);
    await app.query(`update users set password_hash = null where id = $1`, [user.id]);
    const answer = await change(token, NEW);
    expectError(answer, 409, 'conflict');
    expect(answer.body.error.message).toContain('Forgot password');
  });
});

describe('A password that is changed while somebody signs in with the old one', () => {
  it('keeps them out, and is not put back by a better hash of the old one', async () => {
    const user = await app.buildOwner();
    const token = await app.buildOneTimeToken(user);
    const [signIns] = await Promise.all([
      Promise.all(Array.from({ length: 10 }, () => login(app, { email: user.email }))),
      reset(token, NEW),
    ]);
    const live = await app.query(`select 1 from sessions where user_id = $1 and revoked_at is null`, [user.id]);
    expect(live).toEqual([]);
    for (const { status, body } of signIns) {
      if (status === 200) expectError(await me(app, body.data.accessToken), 401, 'unauthenticated');
    }
    expectSuccess(await login(app, { email: user.email, password: NEW }));
  });
});
