import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Answer } from '../../support/client.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { withClient } from '../../support/database.ts';
import { auditOf, claimsOf, cookieOf, login, me, refresh, refreshByCookie } from './support.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());

const tokenOf = (answer: Answer): string => answer.body.data.refreshToken;

/** A session, and the tokens of its first rotations, oldest first. */
async function sessionWith(rotations: number) {
  const user = await app.buildOwner();
  const { token, refreshToken } = await app.signIn(user);
  const tokens = [refreshToken];
  for (let round = 0; round < rotations; round += 1) tokens.push(tokenOf(await refresh(app, tokens[round] as string)));
  return {
    user,
    accessToken: token,
    sessionId: claimsOf(token).sid,
    tokens: tokens as [string, string, string, string],
  };
}

/** As if everything that happened to the session had happened so much earlier. */
const letPass = (sessionId: string, interval: string) =>
  app.query(
    `update sessions set rotations = array(select r - $2::interval from unnest(rotations) r order by 1) where id = $1`,
    [sessionId, interval],
  );

type Row = { refresh_generation: number; revoked_reason: string | null; revoked_at: Date | null };
const rowOf = async (sessionId: string) =>
  (
    await app.query<Row>(`select refresh_generation, revoked_reason, revoked_at from sessions where id = $1`, [
      sessionId,
    ])
  )[0] as Row;

describe('Refreshing', () => {
  it('gives a new access token and replaces the refresh token', async () => {
    const { user, sessionId, tokens } = await sessionWith(0);
    const answer = await refresh(app, tokens[0]);
    expectSuccess(answer);
    expect(answer.body.data).toEqual({
      accessToken: expect.any(String),
      tokenType: 'Bearer',
      expiresIn: 900,
      refreshToken: expect.stringMatching(new RegExp(`^${sessionId}\\.1\\.`)),
      user: expect.objectContaining({ id: user.id, role: 'owner', tenantId: user.tenantId }),
    });
    expectSuccess(await me(app, answer.body.data.accessToken));
    expect(claimsOf(answer.body.data.accessToken).sid).toBe(sessionId);
    expect(await auditOf(app, answer)).toEqual([]);
  });

  it('prolongs the session', async () => {
    const { sessionId, tokens } = await sessionWith(0);
    await app.query(
      `update sessions set expires_at = now() + interval '1 minute', last_seen_at = now() - interval '1 day' where id = $1`,
      [sessionId],
    );
    expectSuccess(await refresh(app, tokens[0]));
    const [row] = await app.query(
      `select expires_at > now() + interval '29 days' as prolonged, last_seen_at > now() - interval '1 minute' as seen from sessions where id = $1`,
      [sessionId],
    );
    expect(row).toEqual({ prolonged: true, seen: true });
  });

  it('twenty times at once gives everybody the same new one, and rotates once', async () => {
    const { sessionId, tokens } = await sessionWith(1);
    const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(app, tokens[1])));
    for (const answer of answers) expectSuccess(answer);
    expect(new Set(answers.map(tokenOf)).size).toBe(1);
    expect(tokenOf(answers[0] as Answer)).toContain(`${sessionId}.2.`);
    expect(await rowOf(sessionId)).toMatchObject({ refresh_generation: 2, revoked_at: null });
    for (const answer of answers.slice(0, 3)) expectSuccess(await me(app, answer.body.data.accessToken));
    expectSuccess(await refresh(app, tokenOf(answers[0] as Answer)));
  });

  it('waits for one that is under way, and goes by what that has done', async () => {
    const { sessionId, tokens } = await sessionWith(1);
    const waiting = await withClient(app.database.ownerUrl, async (client) => {
      await client.query('begin');
      await client.query(
        `update sessions set refresh_generation = 3, rotations = rotations || array[now(), now()]::timestamptz[] where id = $1`,
        [sessionId],
      );
      const slow = refresh(app, tokens[1]);
      const isHeldUp = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      await expect.poll(async () => (await app.query(isHeldUp)).length, { timeout: 4000 }).toBe(1);
      await client.query('commit');
      return slow;
    });
    expectSuccess(waiting);
    expect(tokenOf(waiting)).toContain(`${sessionId}.3.`);
    expect(await rowOf(sessionId)).toMatchObject({ refresh_generation: 3, revoked_at: null });
  });

  it('with the direct parent gives the active one again, any time later', async () => {
    const { sessionId, tokens } = await sessionWith(2);
    await letPass(sessionId, '25 days');
    const answer = await refresh(app, tokens[1]);
    expectSuccess(answer);
    expect(tokenOf(answer)).toBe(tokens[2]);
    expect(await rowOf(sessionId)).toMatchObject({ refresh_generation: 2, revoked_at: null });
  });

  it('with an older one within 10 s gives the active one again', async () => {
    const { sessionId, tokens } = await sessionWith(3);
    await letPass(sessionId, '8 seconds');
    for (const old of tokens.slice(0, 3)) {
      const answer = await refresh(app, old);
      expectSuccess(answer);
      expect(tokenOf(answer)).toBe(tokens[3]);
    }
    expect(await rowOf(sessionId)).toMatchObject({ refresh_generation: 3, revoked_at: null });
  });

  it('with an older one after that ends the session for everybody at once, and raises an alarm', async () => {
    const { user, accessToken, sessionId, tokens } = await sessionWith(2);
    const elsewhere = await app.signIn(user);
    expectSuccess(await me(app, accessToken));
    await letPass(sessionId, '11 seconds');
    const answer = await refresh(app, tokens[0]);
    expectError(answer, 401, 'unauthenticated');
    expect(await rowOf(sessionId)).toMatchObject({ revoked_reason: 'REFRESH_REUSE', revoked_at: expect.any(Date) });
    expect(await auditOf(app, answer)).toEqual([
      expect.objectContaining({
        action: 'security.refresh_reuse',
        chain: user.tenantId,
        actor_type: 'USER',
        actor_id: user.id,
        resource: 'session',
        resource_id: sessionId,
        outcome: 'DENIED',
        changes: { presented: 0, active: 2 },
      }),
    ]);
    expectError(await me(app, accessToken), 401, 'unauthenticated');
    for (const token of tokens) expectError(await refresh(app, token), 401, 'unauthenticated');
    expectSuccess(await me(app, elsewhere.token));
    const alarms = await app.query(
      `select 1 from audit_logs where action = 'security.refresh_reuse' and resource_id = $1`,
      [sessionId],
    );
    expect(alarms).toHaveLength(1);
    const events = await app.query(
      `select type, severity, tenant_id, user_id, details, resolved_at from security_events where session_id = $1 and type = 'REFRESH_REUSE'`,
      [sessionId],
    );
    expect(events).toEqual([
      {
        type: 'REFRESH_REUSE',
        severity: 'HIGH',
        tenant_id: user.tenantId,
        user_id: user.id,
        details: { presented: 0, active: 2 },
        resolved_at: null,
      },
    ]);
  });

  it('tells the claims as they are now', async () => {
    const { user, tokens } = await sessionWith(0);
    await app.query(`update users set permission_version = 7 where id = $1`, [user.id]);
    await app.query(`delete from role_assignments where user_id = $1`, [user.id]);
    const { accessToken } = (await refresh(app, tokens[0])).body.data;
    expect(claimsOf(accessToken)).toMatchObject({ pv: 7, permissions: [], role: 'none' });
  });
});

describe('A refresh token that is not genuine', () => {
  const forgeries: Record<string, (own: string, other: string) => string> = {
    'of a rotation that has not been': (own) => own.replace('.0.', '.1.'),
    'with one letter changed': (own) => own.slice(0, -2) + (own.at(-2) === 'A' ? 'B' : 'A') + own.slice(-1),
    'with its signature cut': (own) => own.slice(0, -1),
    "of another session, with this one's signature": (own, other) => `${other.slice(0, 25)}${own.slice(25)}`,
    "of this session, with another one's signature": (own, other) => `${own.slice(0, 25)}${other.slice(25)}`,
    'of a session that never was': (own) => `c${'0'.repeat(24)}${own.slice(25)}`,
    'that is an access token': () => 'eyJhbGciOiJIUzI1NiJ9.eyJ1c2VySWQiOiJ4In0.c2ln',
    empty: () => '',
  };

  it.each(Object.entries(forgeries))('%s is refused, and ends nothing', async (_what, forge) => {
    const own = await sessionWith(0);
    const other = await sessionWith(0);
    const answer = await refresh(app, forge(own.tokens[0], other.tokens[0]));
    expectError(answer, 401, 'unauthenticated');
    expect(answer.headers.getSetCookie()).toEqual([]);
    for (const { sessionId, tokens } of [own, other]) {
      expect(await rowOf(sessionId)).toMatchObject({ refresh_generation: 0, revoked_at: null });
      expectSuccess(await refresh(app, tokens[0]));
    }
  });

  it.each([
    ['longer than any', { refreshToken: 'x'.repeat(201) }],
    ['a number', { refreshToken: 1 }],
    ['null', { refreshToken: null }],
  ])('%s is a 400', async (_what, body) => {
    expectError(await app.call('POST', '/api/auth/refresh', { body }), 400, 'validation_failed', 'body refreshToken');
  });
});

describe('A session that has ended is not refreshed:', () => {
  type Session = Awaited<ReturnType<typeof sessionWith>>;
  const endings: Record<string, (session: Session) => Promise<unknown>> = {
    'signed out': ({ accessToken }) => app.call('POST', '/api/auth/logout', { token: accessToken }),
    revoked: ({ accessToken, sessionId }) =>
      app.call('DELETE', `/api/auth/sessions/${sessionId}`, { token: accessToken }),
    expired: ({ sessionId }) =>
      app.query(`update sessions set expires_at = now() - interval '1 second' where id = $1`, [sessionId]),
    'of somebody suspended': ({ user }) => app.query(`update users set status = 'SUSPENDED' where id = $1`, [user.id]),
    'of somebody who has left': ({ user }) =>
      app.query(`update users set status = 'INACTIVE' where id = $1`, [user.id]),
    'of a tenant that was purged': ({ user }) =>
      app.query(`update tenants set status = 'PURGED' where id = $1`, [user.tenantId]),
  };

  it.each(Object.entries(endings))('%s', async (_how, end) => {
    const session = await sessionWith(1);
    await end(session);
    for (const token of session.tokens) expectError(await refresh(app, token), 401, 'unauthenticated');
    expectError(await me(app, session.accessToken), 401, 'unauthenticated');
    expect((await rowOf(session.sessionId)).refresh_generation).toBe(1);
  });
});

describe('A browser', () => {
  const signIn = async () => {
    const admin = await app.buildAdmin();
    const answer = await login(app, { email: admin.email, refreshTokenIn: 'cookie' });
    return { cookie: cookieOf(answer)?.pair as string, accessToken: answer.body.data.accessToken as string };
  };

  it('refreshes by its cookie, and gets the next one in a cookie', async () => {
    const { cookie } = await signIn();
    const answer = await refreshByCookie(app, `theme=dark; ${cookie}; lang=hi`);
    expectSuccess(answer);
    expect(answer.body.data.refreshToken).toBeNull();
    const next = cookieOf(answer);
    expect(next?.value).toMatch(/^c[a-z0-9]{24}\.1\./);
    expect(next?.flags).toEqual(expect.arrayContaining(['httponly', 'samesite=strict', 'path=/api/auth/refresh']));
    expectSuccess(await refreshByCookie(app, next?.pair as string));
  });

  it('with two tabs keeps a cookie that works, whoever is last', async () => {
    const { cookie } = await signIn();
    const answers = await Promise.all([refreshByCookie(app, cookie), refreshByCookie(app, cookie)]);
    const [one, other] = answers.map((answer) => cookieOf(answer)?.pair as string) as [string, string];
    expect(one).toBe(other);
    expectSuccess(await refreshByCookie(app, one));
  });

  it('that loses keeps its cookie: it may just have been given a better one', async () => {
    const { cookie, accessToken } = await signIn();
    const { sid } = claimsOf(accessToken);
    const second = cookieOf(await refreshByCookie(app, cookie))?.pair as string;
    await refreshByCookie(app, second);
    await letPass(sid, '1 minute');
    for (const lost of [
      cookie,
      second,
      `${cookie.slice(0, -3)}xyz`,
      'studyspot_refresh=',
      'studyspot_refresh=%E0%A4%A',
      'other=1',
    ]) {
      const answer = await refreshByCookie(app, lost);
      expectError(answer, 401, 'unauthenticated');
      expect(answer.headers.getSetCookie()).toEqual([]);
    }
  });

  it('without a cookie is told to sign in', async () => {
    expectError(await app.call('POST', '/api/auth/refresh'), 401, 'unauthenticated');
    expectError(await app.call('POST', '/api/auth/refresh', { body: {} }), 401, 'unauthenticated');
  });

  it('cannot mix the two: a token in the body counts, and its answer is in the body', async () => {
    const { cookie } = await signIn();
    const program = await sessionWith(0);
    const answer = await app.call('POST', '/api/auth/refresh', {
      body: { refreshToken: program.tokens[0] },
      headers: { cookie },
    });
    expectSuccess(answer);
    expect(tokenOf(answer)).toContain(`${program.sessionId}.1.`);
    expect(answer.headers.getSetCookie()).toEqual([]);
  });
});
