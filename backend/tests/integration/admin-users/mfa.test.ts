import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { statusesOf } from '../../support/calls.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';

type Admin = Awaited<ReturnType<TestApp['buildAdmin']>>;

let app: TestApp;
let tokens: string[];
beforeAll(async () => {
  app = await startTestApp();
  tokens = await Promise.all([1, 2, 3].map(() => app.elevatedToken()));
});
afterAll(() => app.close());

const toggle = (id: string, enabled: boolean, token: string) =>
  app.call('POST', `/api/admin-users/${id}/toggle-mfa`, { token, body: { enabled, reason: 'Has lost the phone' } });
const giveFactor = ({ id }: Admin) =>
  app.query(
    `insert into totp_credentials (user_id, sealed_secret, confirmed_at) values ($1, 'x', now())
     on conflict (user_id) do nothing`,
    [id],
  );
const hasFactor = async ({ id }: Admin) =>
  (await app.query('select from totp_credentials where user_id = $1', [id])).length > 0;
const approvals = ({ id }: Admin) =>
  app.query(`select approved_by_id is not null as approved from approvals where subject_id = $1 order by created_at`, [
    id,
  ]);

describe('A second factor', () => {
  it('is demanded by anybody who covers the person', async () => {
    const admin = await app.buildAdmin();
    const answer = await toggle(admin.id, true, tokens[0]!);
    expect(answer.body.data).toEqual({ status: 'DONE', approvalId: null, expiresAt: null });
    const { body } = await app.call('GET', `/api/admin-users/${admin.id}`, { token: tokens[0] });
    expect(body.data.mfa.requiredSince).toEqual(expect.any(String));
  });

  it('of an admin who is no super admin is removed at once, with their sessions', async () => {
    const admin = await app.buildAdmin({ role: 'support' });
    const { token } = await app.signIn(admin);
    await giveFactor(admin);
    expect((await toggle(admin.id, false, tokens[0]!)).body.data.status).toBe('DONE');
    expect(await hasFactor(admin)).toBe(false);
    expect((await app.call('GET', '/api/auth/me', { token })).status).toBe(401);
    expectError(await toggle(admin.id, false, tokens[0]!), 409, 'conflict');
  });
});

describe('The second factor of a super admin', () => {
  it('is removed by two: who asks twice still waits, somebody else does it', async () => {
    const admin = await app.buildAdmin();
    await giveFactor(admin);
    const asked = await toggle(admin.id, false, tokens[0]!);
    expectSuccess(asked);
    expect(asked.body.data).toEqual({
      status: 'PENDING_APPROVAL',
      approvalId: expect.any(String),
      expiresAt: expect.any(String),
    });
    expect((await toggle(admin.id, false, tokens[0]!)).body.data).toEqual(asked.body.data);
    expect(await hasFactor(admin)).toBe(true);
    const done = await toggle(admin.id, false, tokens[1]!);
    expect(done.body.data.status).toBe('DONE');
    expect(await hasFactor(admin)).toBe(false);
    const [row] = await app.query('select changes from audit_logs where request_id = $1 and action = $2', [
      done.headers.get('x-request-id'),
      'admins.mfa',
    ]);
    expect(row!.changes).toMatchObject({
      removed: true,
      approvalId: asked.body.data.approvalId,
      requestedById: expect.any(String),
    });
  });

  it('is not approved by the one it is of', async () => {
    const admin = await app.buildAdmin();
    const { token } = await app.signInElevated(admin);
    await giveFactor(admin);
    await toggle(admin.id, false, tokens[0]!);
    expectError(await toggle(admin.id, false, token), 403, 'forbidden');
    expect(await hasFactor(admin)).toBe(true);
  });

  it('asked for by two at once, or approved by two at once, takes exactly two', async () => {
    const admin = await app.buildAdmin();
    await giveFactor(admin);
    const both = await Promise.all([toggle(admin.id, false, tokens[0]!), toggle(admin.id, false, tokens[1]!)]);
    expect(new Set(both.map(({ body }) => body.data.status))).toEqual(new Set(['DONE', 'PENDING_APPROVAL']));
    expect(await approvals(admin)).toEqual([{ approved: true }]);

    await giveFactor(admin);
    await toggle(admin.id, false, tokens[0]!);
    const approved = await Promise.all([toggle(admin.id, false, tokens[1]!), toggle(admin.id, false, tokens[2]!)]);
    expect(statusesOf(approved)).toEqual([200, 409]);
    expect(await approvals(admin)).toEqual([{ approved: true }, { approved: true }]);
  });

  it('that was asked for a day ago has to be asked for again', async () => {
    const admin = await app.buildAdmin();
    await giveFactor(admin);
    await toggle(admin.id, false, tokens[0]!);
    await app.query(`update approvals set expires_at = now() where subject_id = $1`, [admin.id]);
    expect((await toggle(admin.id, false, tokens[1]!)).body.data.status).toBe('PENDING_APPROVAL');
    expect(await hasFactor(admin)).toBe(true);
  });
});
