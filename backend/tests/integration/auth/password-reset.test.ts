import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Answer } from '../../support/client.ts';
import { PASSWORD, someAddress } from '../../support/factories.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { auditOf, from, login, me, refresh } from './support.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());

const NEW_PASSWORD = 'quiet-rooms-after-nine';

const forgot = (body: object, address?: string) =>
  app.call('POST', '/api/auth/forgot-password', { body, headers: from(address) });
const reset = (token: string, password = NEW_PASSWORD, address?: string) =>
  app.call('POST', '/api/auth/reset-password', { body: { token, password }, headers: from(address) });
const outboxOf = (answer: Answer) =>
  app.query<{ job: string; payload: Record<string, unknown>; tenant_id: string | null; published_at: Date | null }>(
    `select job, payload, tenant_id, published_at from outbox_messages where request_id = $1`,
    [answer.headers.get('x-request-id')],
  );

describe('Forgot password', () => {
  it('answers the same to the byte, whoever it is', async () => {
    const owner = await app.buildOwner({ phone: '+919414055501' });
    const suspended = await app.buildOwner({ status: 'SUSPENDED' });
    const answers = await Promise.all([
      forgot({ email: owner.email }),
      forgot({ phone: '94140 55501' }),
      forgot({ email: suspended.email }),
      forgot({ email: 'nobody@people.example' }),
      forgot({ phone: '+919414099999' }),
    ]);
    for (const answer of answers) {
      expect(answer.status).toBe(202);
      expect(answer.text).toBe(
        '{"success":true,"data":{"message":"If there is such an account, a mail is on its way."}}',
      );
      expect(answer.headers.getSetCookie()).toEqual([]);
    }
    expect(await app.query(`select 1 from one_time_tokens where user_id = $1`, [owner.id])).toEqual([]);
  });

  it('hands over a job that holds the question and no token, and audits that somebody asked', async () => {
    const owner = await app.buildOwner();
    const address = someAddress();
    const answer = await forgot({ email: `  ${owner.email?.toUpperCase()}` }, address);
    expect(await outboxOf(answer)).toEqual([
      {
        job: 'email.password-reset',
        payload: { email: owner.email, askedFrom: address },
        tenant_id: null,
        published_at: null,
      },
    ]);
    expect(await auditOf(app, answer)).toEqual([
      {
        action: 'auth.forgot_password',
        chain: 'platform',
        tenant_id: null,
        actor_type: 'ANONYMOUS',
        actor_id: null,
        actor_name: null,
        resource: 'password',
        resource_id: null,
        outcome: 'SUCCESS',
        changes: { by: 'email' },
        ip_address: address,
      },
    ]);
    const byPhone = await forgot({ phone: '094140 55502' });
    expect((await outboxOf(byPhone))[0]?.payload).toMatchObject({ phone: '+919414055502' });
  });

  it.each([
    ['nothing', {}, 'body email'],
    ['both', { email: 'a@b.co', phone: '9414055501' }, 'body email'],
    ['no email', { email: 'a@b' }, 'body email'],
    ['two lines', { email: 'a@b.co\r\nBcc: c@d.co' }, 'body email'],
    ['no phone', { phone: '12345' }, 'body phone'],
  ])('for %s is a 400', async (_what, body, field) => {
    expectError(await forgot(body), 400, 'validation_failed', field);
  });
});

describe('A new password', () => {
  it('takes the place of the old one', async () => {
    const user = await app.buildOwner();
    const answer = await reset(await app.buildOneTimeToken(user));
    expectSuccess(answer);
    expect(answer.body.data).toEqual({ done: true });
    expectError(await login(app, { email: user.email, password: PASSWORD }), 401, 'invalid_credentials');
    expectSuccess(await login(app, { email: user.email, password: NEW_PASSWORD }));
    const [row] = await app.query(
      `select email_verified, password_hash like '$argon2id$%' as hashed, password_changed_at > now() - interval '1 minute' as noted from users where id = $1`,
      [user.id],
    );
    expect(row).toEqual({ email_verified: true, hashed: true, noted: true });
  });

  it('ends every session, voids every other link, is audited and told by mail', async () => {
    const user = await app.buildOwner();
    const stranger = await app.signIn(await app.buildOwner());
    const sessions = [await app.signIn(user), await app.signIn(user)];
    const [used, other] = [await app.buildOneTimeToken(user), await app.buildOneTimeToken(user)];
    const answer = await reset(used);
    expectSuccess(answer);
    for (const { token, refreshToken } of sessions) {
      expectError(await me(app, token), 401, 'unauthenticated');
      expectError(await refresh(app, refreshToken), 401, 'unauthenticated');
    }
    expectSuccess(await me(app, stranger.token));
    expectError(await reset(other), 400, 'token_invalid');
    expect(await outboxOf(answer)).toEqual([
      expect.objectContaining({
        job: 'email.password-changed',
        payload: { userId: user.id },
        tenant_id: user.tenantId,
      }),
    ]);
    expect(await auditOf(app, answer)).toEqual([
      expect.objectContaining({
        action: 'auth.reset_password',
        chain: user.tenantId,
        actor_type: 'USER',
        actor_id: user.id,
        resource: 'password',
        resource_id: user.id,
        changes: { ended: 2, purpose: 'PASSWORD_RESET' },
      }),
    ]);
    expect(
      await app.query(`select revoked_reason, count(*)::int from sessions where user_id = $1 group by 1`, [user.id]),
    ).toEqual([{ revoked_reason: 'PASSWORD_RESET', count: 2 }]);
  });

  it('of an owner who had none makes the account active', async () => {
    const owner = await app.buildOwner({ status: 'PENDING', password: false });
    const answer = await reset(await app.buildOneTimeToken(owner, 'WELCOME'));
    expectSuccess(answer);
    expectSuccess(await login(app, { email: owner.email, password: NEW_PASSWORD }));
    expect(await app.query(`select status from users where id = $1`, [owner.id])).toEqual([{ status: 'ACTIVE' }]);
    expect(await outboxOf(answer)).toEqual([]);
  });

  it('of an admin goes to the chain of the platform', async () => {
    const admin = await app.buildAdmin();
    const answer = await reset(await app.buildOneTimeToken(admin));
    expect(await auditOf(app, answer)).toEqual([expect.objectContaining({ chain: 'platform', actor_id: admin.id })]);
  });

  it('lets in again who was locked out by trying the forgotten one', async () => {
    const owner = await app.buildOwner();
    const address = someAddress();
    for (let round = 0; round < 6; round += 1) {
      await login(app, { email: owner.email, password: 'what-was-it-again' }, address);
    }
    expectError(await login(app, { email: owner.email }, address), 401, 'invalid_credentials');
    expectSuccess(await reset(await app.buildOneTimeToken(owner), NEW_PASSWORD, address));
    expectSuccess(await login(app, { email: owner.email, password: NEW_PASSWORD }, address));
  });
});

describe('The link of a mail', () => {
  it('works once: of ten at the same time exactly one gets through', async () => {
    const user = await app.buildOwner();
    const token = await app.buildOneTimeToken(user);
    const passwords = Array.from({ length: 10 }, (_, index) => `${NEW_PASSWORD}-${index}`);
    const answers = await Promise.all(passwords.map((password) => reset(token, password)));
    const winners = answers.flatMap((answer, index) => (answer.status === 200 ? [passwords[index]] : []));
    expect(winners).toHaveLength(1);
    for (const answer of answers) if (answer.status !== 200) expectError(answer, 400, 'token_invalid');
    expectSuccess(await login(app, { email: user.email, password: winners[0] }));
  });

  it('that is unknown, used or expired is refused in the same words, and nothing changes', async () => {
    const user = await app.buildOwner();
    const { token: session } = await app.signIn(user);
    const [expired, used] = [await app.buildOneTimeToken(user), await app.buildOneTimeToken(user)];
    const hashOf = (token: string) => createHash('sha256').update(token).digest('hex');
    await app.query(`update one_time_tokens set expires_at = now() - interval '1 second' where token_hash = $1`, [
      hashOf(expired),
    ]);
    await app.query(`update one_time_tokens set used_at = now() where token_hash = $1`, [hashOf(used)]);
    const answers = await Promise.all([reset(expired), reset(used), reset(randomBytes(32).toString('base64url'))]);
    for (const answer of answers) {
      expectError(answer, 400, 'token_invalid');
      expect(answer.body.error.message).toBe(answers[0]?.body.error.message);
      expect(await auditOf(app, answer)).toEqual([]);
    }
    expectSuccess(await me(app, session));
    expectSuccess(await login(app, { email: user.email }));
  });

  it.each(['SUSPENDED', 'INACTIVE'])('does not open an account that is %s', async (status) => {
    const user = await app.buildOwner({ status });
    const token = await app.buildOneTimeToken(user);
    expectError(await reset(token), 400, 'token_invalid');
    expect(await app.query(`select status from users where id = $1`, [user.id])).toEqual([{ status }]);
    expectError(await login(app, { email: user.email, password: NEW_PASSWORD }), 401, 'invalid_credentials');
  });

  it('is not used up by a password that is refused', async () => {
    const user = await app.buildOwner();
    const token = await app.buildOneTimeToken(user);
    expectError(await reset(token, 'too-short'), 400, 'validation_failed', 'body password');
    expectSuccess(await reset(token));
  });

  it.each([
    ['its hash', createHash('sha256').update('x').digest('hex')],
    ['nothing', ''],
    ['a wildcard', '%'.repeat(43)],
    ['a token with a newline', `${'a'.repeat(43)}\n`],
  ])('cannot be %s', async (_what, token) => {
    expectError(await reset(token), 400, 'validation_failed', 'body token');
  });

  it("cannot be the hash of one that is kept, cut to a token's length", async () => {
    const user = await app.buildOwner();
    await app.buildOneTimeToken(user);
    const [row] = await app.query<{ token_hash: string }>(`select token_hash from one_time_tokens where user_id = $1`, [
      user.id,
    ]);
    expectError(await reset((row?.token_hash ?? '').slice(0, 43)), 400, 'token_invalid');
  });
});
