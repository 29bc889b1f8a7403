import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../src/utils/ids.ts';
import { PASSWORD } from '../../support/factories.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { auditOf, claimsOf, from, me, refresh } from './support.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());

type User = Awaited<ReturnType<TestApp['buildOwner']>>;

/** Signs in so many times. @returns access tokens, oldest first */
async function signInTimes(user: User, times: number) {
  const sessions: { token: string; refreshToken: string; id: string }[] = [];
  for (let round = 0; round < times; round += 1) {
    const { token, refreshToken } = await app.signIn(user);
    sessions.push({ token, refreshToken, id: claimsOf(token).sid });
  }
  return sessions as [(typeof sessions)[number], ...typeof sessions];
}

const list = (token: string, query = '') => app.call('GET', `/api/auth/sessions${query}`, { token });
const revoke = (token: string, id: string) => app.call('DELETE', `/api/auth/sessions/${id}`, { token });
const idsOf = ({ body }: Awaited<ReturnType<typeof list>>): string[] => body.data.map(({ id }: { id: string }) => id);

describe('My sessions', () => {
  it('are listed newest first, with the one in use marked, and without secrets', async () => {
    const user = await app.buildAdmin();
    const sessions = await signInTimes(user, 3);
    const answer = await list(sessions[1]?.token as string);
    expectSuccess(answer);
    expect(idsOf(answer)).toEqual(sessions.map(({ id }) => id).toReversed());
    expect(answer.body.data.map(({ current }: { current: boolean }) => current)).toEqual([false, true, false]);
    expect(answer.body.meta).toEqual({ page: 1, limit: 20, total: 3, totalPages: 1 });
    expect(Object.keys(answer.body.data[0]).toSorted()).toEqual(
      'country createdAt current device expiresAt id impersonated ipAddress lastSeenAt method mfa userAgent'.split(' '),
    );
  });

  it('tell device, method and whether a second factor took part', async () => {
    const user = await app.buildOwner();
    const userAgent =
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36';
    const signedIn = await app.call('POST', '/api/auth/login', {
      body: { email: user.email, password: PASSWORD },
      headers: { ...from(), 'user-agent': userAgent },
    });
    const answer = await list(signedIn.body.data.accessToken);
    expect(answer.body.data).toEqual([
      expect.objectContaining({
        userAgent,
        device: 'Chrome on Windows',
        country: null,
        method: 'PASSWORD',
        mfa: false,
        impersonated: false,
      }),
    ]);
  });

  it('come page by page, each once', async () => {
    const sessions = await signInTimes(await app.buildOwner(), 5);
    const { token } = sessions[0];
    const pages = await Promise.all([1, 2, 3, 4].map((page) => list(token, `?page=${page}&limit=2`)));
    expect(pages.map((page) => idsOf(page).length)).toEqual([2, 2, 1, 0]);
    expect(pages.flatMap(idsOf)).toEqual(sessions.map(({ id }) => id).toReversed());
    expect(pages[2]?.body.meta).toEqual({ page: 3, limit: 2, total: 5, totalPages: 3 });
  });

  it('are mine only, and only those that are alive', async () => {
    const [mine, ended, expired] = await signInTimes(await app.buildOwner(), 3);
    await signInTimes(await app.buildOwner(), 1);
    expectSuccess(await revoke(mine.token, ended?.id as string));
    await app.query(`update sessions set expires_at = now() - interval '1 second' where id = $1`, [expired?.id]);
    expect(idsOf(await list(mine.token))).toEqual([mine.id]);
  });

  it('end one by one: its tokens stop working at once', async () => {
    const user = await app.buildOwner();
    const [mine, other] = (await signInTimes(user, 2)) as [Session, Session];
    const answer = await revoke(mine.token, other.id);
    expectSuccess(answer);
    expect(answer.body.data).toEqual({ revoked: 1 });
    expectError(await me(app, other.token), 401, 'unauthenticated');
    expectError(await refresh(app, other.refreshToken), 401, 'unauthenticated');
    expectSuccess(await me(app, mine.token));
    expect(await auditOf(app, answer)).toEqual([
      expect.objectContaining({
        action: 'auth.revoke_session',
        chain: user.tenantId,
        actor_id: user.id,
        resource_id: other.id,
        outcome: 'SUCCESS',
      }),
    ]);
  });
  type Session = { id: string; token: string; refreshToken: string };

  it('end all together but the one in use', async () => {
    const user = await app.buildAdmin();
    const [mine, ...others] = await signInTimes(user, 4);
    const [stranger] = await signInTimes(await app.buildAdmin(), 1);
    await app.query(`update sessions set expires_at = now() - interval '1 second' where id = $1`, [others[2]?.id]);
    const answer = await app.call('DELETE', '/api/auth/sessions', { token: mine.token });
    expectSuccess(answer);
    expect(answer.body.data).toEqual({ revoked: 2 });
    for (const { token } of others) expectError(await me(app, token), 401, 'unauthenticated');
    expectSuccess(await me(app, mine.token));
    expectSuccess(await me(app, stranger.token));
    const again = await app.call('DELETE', '/api/auth/sessions', { token: mine.token });
    expect(again.body.data).toEqual({ revoked: 0 });
  });
});

describe('A session that is not there to be ended is a 404:', () => {
  it("somebody else's, of the same tenant or another, which goes on", async () => {
    const owner = await app.buildOwner();
    const staff = await app.buildUser({ role: 'library_staff', tenantId: owner.tenantId });
    const [mine] = await signInTimes(owner, 1);
    for (const other of [staff, await app.buildOwner(), await app.buildAdmin()]) {
      const [theirs] = await signInTimes(other, 1);
      expectError(await revoke(mine.token, theirs.id), 404, 'not_found');
      expectSuccess(await me(app, theirs.token));
    }
  });

  it("a tenant's, for a super admin as well", async () => {
    const [admin] = await signInTimes(await app.buildAdmin(), 1);
    const owner = await app.buildOwner();
    const [theirs] = await signInTimes(owner, 1);
    for (const headers of [{} as Record<string, string>, { 'x-tenant-id': owner.tenantId as string }]) {
      expectError(
        await app.call('DELETE', `/api/auth/sessions/${theirs.id}`, { token: admin.token, headers }),
        404,
        'not_found',
      );
    }
    expectSuccess(await me(app, theirs.token));
  });

  it('one that never was, has been ended or has expired', async () => {
    const [mine, ended, expired] = await signInTimes(await app.buildOwner(), 3);
    await revoke(mine.token, ended?.id as string);
    await app.query(`update sessions set expires_at = now() - interval '1 second' where id = $1`, [expired?.id]);
    for (const id of [newId(), ended?.id, expired?.id]) {
      const answer = await revoke(mine.token, id as string);
      expectError(answer, 404, 'not_found');
      expect(await auditOf(app, answer)).toEqual([]);
    }
    const [row] = await app.query(`select revoked_at from sessions where id = $1`, [expired?.id]);
    expect(row).toEqual({ revoked_at: null });
  });
});

describe('An admin who works within a tenant', () => {
  it('still has their own profile, sessions and sign-out', async () => {
    const admin = await app.buildAdmin();
    const [mine, other] = await signInTimes(admin, 2);
    const { id: tenantId } = await app.buildTenant();
    const within = (method: string, path: string) =>
      app.call(method, path, { token: mine.token, headers: { 'x-tenant-id': tenantId } });
    expect((await within('GET', '/api/auth/me')).body.data).toMatchObject({ id: admin.id, tenant: null });
    expect(idsOf(await within('GET', '/api/auth/sessions'))).toEqual([other?.id, mine.id]);
    expect((await within('DELETE', `/api/auth/sessions/${other?.id}`)).body.data).toEqual({ revoked: 1 });
    const out = await within('POST', '/api/auth/logout');
    expectSuccess(out);
    expectError(await me(app, mine.token), 401, 'unauthenticated');
    expect(await auditOf(app, out)).toEqual([
      expect.objectContaining({ action: 'auth.logout', chain: 'platform', actor_id: admin.id }),
    ]);
  });
});

describe('Signing out', () => {
  it('ends this session only, at once and for good, and is audited', async () => {
    const user = await app.buildOwner();
    const [mine, other] = await signInTimes(user, 2);
    const answer = await app.call('POST', '/api/auth/logout', { token: mine.token });
    expectSuccess(answer);
    expect(answer.body.data).toEqual({ done: true });
    expectError(await me(app, mine.token), 401, 'unauthenticated');
    expectError(await app.call('POST', '/api/auth/logout', { token: mine.token }), 401, 'unauthenticated');
    expectError(await refresh(app, mine.refreshToken), 401, 'unauthenticated');
    expectSuccess(await me(app, other?.token as string));
    expect(await auditOf(app, answer)).toEqual([
      expect.objectContaining({ action: 'auth.logout', chain: user.tenantId, actor_id: user.id, resource_id: mine.id }),
    ]);
  });
});
