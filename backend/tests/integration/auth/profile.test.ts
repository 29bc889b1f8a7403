import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Answer } from '../../support/client.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { auditOf, from, login, me } from './support.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());

let serial = 0;
const someEmail = () => `new-address-${process.pid}-${(serial += 1)}@people.example`;
const update = (token: string, body: object) => app.call('PUT', '/api/auth/me', { token, body });
const verify = (token: string) => app.call('POST', '/api/auth/verify-email', { body: { token }, headers: from() });
const resend = (token: string) => app.call('POST', '/api/auth/verify-email/resend', { token });
const outboxOf = async (answer: Answer) =>
  app.query<{ job: string; payload: object; tenant_id: string | null }>(
    `select job, payload, tenant_id from outbox_messages where request_id = $1 order by job`,
    [answer.headers.get('x-request-id')],
  );
const addressesOf = async (id: string) =>
  (await app.query(`select email, pending_email, email_verified from users where id = $1`, [id]))[0];

describe('My profile', () => {
  it('takes another name and phone, answers who I am, and is audited with what differs', async () => {
    const { owner, token } = await app.ownerWithToken();
    const answer = await update(token, { name: '  Asha Verma ', phone: '094140 12321' });
    expectSuccess(answer);
    expect(answer.body.data).toMatchObject({ id: owner.id, name: 'Asha Verma', phone: '+919414012321', role: 'owner' });
    expect((await me(app, token)).body.data).toEqual(answer.body.data);
    expect(await auditOf(app, answer)).toEqual([
      expect.objectContaining({
        action: 'auth.update_profile',
        resource: 'user',
        resource_id: owner.id,
        chain: owner.tenantId,
        changes: { name: { from: owner.name, to: 'Asha Verma' }, phone: { from: null, to: '+919414012321' } },
      }),
    ]);
    expect((await update(token, { phone: null })).body.data.phone).toBeNull();
  });

  it('keeps something by which I can be reached', async () => {
    const owner = await app.buildOwner({ email: null, phone: '+919414012399' });
    const { accessToken } = (await login(app, { phone: owner.phone })).body.data;
    expectError(await update(accessToken, { phone: null }), 400, 'validation_failed', 'body phone');
  });

  it.each([
    ['nothing', {}, 'body name'],
    ['an empty name', { name: ' ' }, 'body name'],
    ['a role', { role: 'super_admin' }, 'body role'],
    ['a type', { type: 'ADMIN_USER' }, 'body type'],
    ['a tenant', { tenantId: 'x' }, 'body tenantId'],
    ['a hash', { name: 'A', passwordHash: 'x' }, 'body passwordHash'],
    ['a verified address', { emailVerified: true }, 'body emailVerified'],
    ['no email', { email: null }, 'body email'],
    ['a phone that is none', { phone: '12' }, 'body phone'],
  ])('with %s is a 400', async (_what, body, field) => {
    expectError(await update((await app.ownerWithToken()).token, body), 400, 'validation_failed', field);
  });
});

describe('Another email address', () => {
  it('needs somebody who has just proved who they are', async () => {
    const { owner, token } = await app.ownerWithToken();
    expectError(await update(token, { email: someEmail() }), 403, 'step_up_required');
    expect(await addressesOf(owner.id)).toMatchObject({ email: owner.email, pending_email: null });
    expectSuccess(await update(token, { email: owner.email, name: 'Same Address' }));
  });

  it('counts once it is confirmed: the old one signs in until then and is told, and afterwards no longer', async () => {
    const owner = await app.buildOwner();
    const { token } = await app.signInElevated(owner);
    const email = someEmail();
    const answer = await update(token, { email: ` ${email.toUpperCase()}` });
    expectSuccess(answer);
    expect(answer.body.data).toMatchObject({ email: owner.email, pendingEmail: email });
    expect(await outboxOf(answer)).toEqual([
      { job: 'email.address-changing', payload: { userId: owner.id, to: owner.email }, tenant_id: owner.tenantId },
      { job: 'email.verify-email', payload: { userId: owner.id }, tenant_id: owner.tenantId },
    ]);
    expectSuccess(await login(app, { email: owner.email }));
    expectError(await login(app, { email }), 401, 'invalid_credentials');

    const reset = await app.buildOneTimeToken(owner);
    const confirmed = await verify(await app.buildOneTimeToken(owner, 'EMAIL_VERIFICATION'));
    expectSuccess(confirmed);
    expect(await addressesOf(owner.id)).toEqual({ email, pending_email: null, email_verified: true });
    expectSuccess(await login(app, { email }));
    expectError(await login(app, { email: owner.email }), 401, 'invalid_credentials');
    const late = { token: reset, password: 'three-quiet-rooms-in-kota' };
    expectError(await app.call('POST', '/api/auth/reset-password', { body: late }), 400, 'token_invalid');
    expect((await me(app, token)).body.data).toMatchObject({ email, pendingEmail: null });
    expect(await auditOf(app, confirmed)).toEqual([
      expect.objectContaining({
        action: 'auth.verify_email',
        actor_id: owner.id,
        chain: owner.tenantId,
        changes: { email: { from: owner.email, to: email } },
      }),
    ]);
  });

  it('that somebody else has is not told apart at first, and cannot be taken over', async () => {
    const [owner, other] = [await app.buildOwner(), await app.buildOwner()];
    const { token } = await app.signInElevated(owner);
    const answer = await update(token, { email: other.email });
    expectSuccess(answer);
    expect(answer.body.data.pendingEmail).toBe(other.email);
    const link = await app.buildOneTimeToken(owner, 'EMAIL_VERIFICATION');
    expectError(await verify(link), 409, 'conflict');
    expect(await addressesOf(owner.id)).toMatchObject({ email: owner.email, pending_email: other.email });
    expectSuccess(await login(app, { email: owner.email }));
    expect((await login(app, { email: other.email })).body.data.user.id).toBe(other.id);
  });

  it('that two people want at the same moment goes to one of them', async () => {
    const email = someEmail();
    const owners = await Promise.all([app.buildOwner(), app.buildOwner()]);
    const links = await Promise.all(
      owners.map(async (owner) => {
        await app.query(`update users set pending_email = $2 where id = $1`, [owner.id, email]);
        return app.buildOneTimeToken(owner, 'EMAIL_VERIFICATION');
      }),
    );
    const answers = await Promise.all(links.map(verify));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    expect(await app.query(`select 1 from users where email = $1`, [email])).toHaveLength(1);
  });

  it('that is replaced by yet another is no longer confirmed by its link; taken back, by none', async () => {
    const owner = await app.buildOwner();
    const { token } = await app.signInElevated(owner);
    expectSuccess(await update(token, { email: someEmail() }));
    const first = await app.buildOneTimeToken(owner, 'EMAIL_VERIFICATION');
    const second = someEmail();
    expectSuccess(await update(token, { email: second }));
    expectError(await verify(first), 400, 'token_invalid');
    const link = await app.buildOneTimeToken(owner, 'EMAIL_VERIFICATION');
    expectSuccess(await update(token, { email: owner.email }));
    expectError(await verify(link), 400, 'token_invalid');
    expect(await addressesOf(owner.id)).toMatchObject({ email: owner.email, pending_email: null });
  });
});

describe('A link to confirm an address', () => {
  it('works once, confirms the address that I have, and is for nothing else', async () => {
    const owner = await app.buildOwner();
    const link = await app.buildOneTimeToken(owner, 'EMAIL_VERIFICATION');
    const body = { token: link, password: 'three-quiet-rooms-in-kota' };
    expectError(await app.call('POST', '/api/auth/reset-password', { body }), 400, 'token_invalid');
    const invite = { ...body, name: 'Asha Verma' };
    expectError(await app.call('POST', '/api/auth/accept-invite', { body: invite }), 400, 'token_invalid');
    const answers = await Promise.all([verify(link), verify(link), verify(link)]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 400, 400]);
    expect(await addressesOf(owner.id)).toMatchObject({ email: owner.email, email_verified: true });
    expectError(await verify(await app.buildOneTimeToken(owner)), 400, 'token_invalid');
  });

  it('can be sent again while there is something to confirm', async () => {
    const { owner, token } = await app.ownerWithToken();
    const answer = await resend(token);
    expectSuccess(answer, 202);
    expect(await outboxOf(answer)).toMatchObject([{ job: 'email.verify-email', payload: { userId: owner.id } }]);
    await app.query(`update users set email_verified = true where id = $1`, [owner.id]);
    expectError(await resend(token), 409, 'conflict');
  });

  it('of somebody who has left confirms nothing', async () => {
    const owner = await app.buildOwner({ status: 'INACTIVE' });
    expectError(await verify(await app.buildOneTimeToken(owner, 'EMAIL_VERIFICATION')), 400, 'token_invalid');
  });
});

describe('An invitation', () => {
  const PASSWORD = 'three-quiet-rooms-in-kota';
  const accept = (token: string, name = 'Asha Verma', password = PASSWORD) =>
    app.call('POST', '/api/auth/accept-invite', { body: { token, name, password }, headers: from() });
  const invited = (overrides = {}) =>
    app.buildAdmin({ role: 'support', status: 'PENDING', password: false, ...overrides });

  it('makes the account active, with name and password, and works once', async () => {
    const admin = await invited();
    const [link, other] = [await app.buildOneTimeToken(admin, 'INVITE'), await app.buildOneTimeToken(admin, 'INVITE')];
    const answers = await Promise.all([accept(link), accept(link), accept(link)]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 400, 400]);
    expectError(await accept(other), 400, 'token_invalid');
    const [row] = await app.query(`select name, status, email_verified from users where id = $1`, [admin.id]);
    expect(row).toEqual({ name: 'Asha Verma', status: 'ACTIVE', email_verified: true });
    const signedIn = await login(app, { email: admin.email, password: PASSWORD });
    expect(signedIn.body.data.user).toMatchObject({ id: admin.id, role: 'support', name: 'Asha Verma' });
    const won = answers.find(({ status }) => status === 200) as Answer;
    expect(await auditOf(app, won)).toEqual([
      expect.objectContaining({ action: 'auth.accept_invite', actor_id: admin.id, changes: { name: 'Asha Verma' } }),
    ]);
  });

  it('is not used up by a password that is refused, also for the name that comes with it', async () => {
    const admin = await invited();
    const link = await app.buildOneTimeToken(admin, 'INVITE');
    const refused = await accept(link, 'Padmavati Iyer', 'my-padmavati-quiet-rooms');
    expectError(refused, 400, 'validation_failed', 'body password');
    expectSuccess(await accept(link));
  });

  it.each(['ACTIVE', 'INACTIVE', 'SUSPENDED'])('of an account that is %s is over', async (status) => {
    const admin = await invited({ status });
    expectError(await accept(await app.buildOneTimeToken(admin, 'INVITE')), 400, 'token_invalid');
    expect(await app.query(`select status, password_hash from users where id = $1`, [admin.id])).toEqual([
      { status, password_hash: null },
    ]);
  });

  it('that was withdrawn, and a link for something else, do not open the account', async () => {
    const admin = await invited();
    const link = await app.buildOneTimeToken(admin, 'INVITE');
    await app.query(`update one_time_tokens set used_at = now() where user_id = $1`, [admin.id]);
    expectError(await accept(link), 400, 'token_invalid');
    expectError(await accept(await app.buildOneTimeToken(admin, 'EMAIL_VERIFICATION')), 400, 'token_invalid');
    expectError(await accept(await app.buildOneTimeToken(admin)), 400, 'token_invalid');
  });
});
