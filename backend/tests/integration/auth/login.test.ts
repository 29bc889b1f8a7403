import { hash } from '@node-rs/argon2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Answer } from '../../support/client.ts';
import { PASSWORD, someAddress } from '../../support/factories.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { auditOf, claimsOf, cookieOf, from, login, me, startAnotherApp } from './support.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());

let serial = 10_000;
const somePhone = () => `+9198290${(serial += 1)}`;

describe('Signing in', () => {
  it('answers tokens and who it is, and nothing else', async () => {
    const owner = await app.buildOwner();
    const answer = await login(app, owner.email ? { email: owner.email } : {});
    expectSuccess(answer);
    expect(answer.body).toEqual({
      success: true,
      data: {
        accessToken: expect.stringMatching(/^ey/),
        tokenType: 'Bearer',
        expiresIn: 900,
        refreshToken: expect.stringMatching(/^c[a-z0-9]{24}\.0\.[\w-]{43}$/),
        deviceToken: expect.stringMatching(/^c[a-z0-9]{24}\.[\w-]{43}$/),
        user: {
          id: owner.id,
          name: owner.name,
          email: owner.email,
          type: 'PLATFORM_USER',
          role: 'owner',
          tenantId: owner.tenantId,
        },
      },
    });
    expect(answer.headers.getSetCookie()).toEqual([]);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const [stored] = await app.query<Record<string, string>>(
      `select u.password_hash, s.refresh_seed from users u join sessions s on s.user_id = u.id where u.id = $1`,
      [owner.id],
    );
    for (const secret of [stored?.password_hash, stored?.refresh_seed, PASSWORD]) {
      expect(answer.text + JSON.stringify(claimsOf(answer.body.data.accessToken))).not.toContain(secret);
    }
  });

  it('begins a session, notes the time, and is audited with the person in their own chain', async () => {
    const owner = await app.buildOwner();
    const address = someAddress();
    const answer = await app.call('POST', '/api/auth/login', {
      body: { email: owner.email, password: PASSWORD },
      headers: { ...from(address), 'user-agent': 'Kiosk/1.0' },
    });
    const { sid } = claimsOf(answer.body.data.accessToken);
    const [row] = await app.query(
      `select s.user_id, s.tenant_id, s.ip_address, s.user_agent, s.revoked_at, u.last_login_at > now() - interval '1 minute' as recent,
              s.expires_at - s.created_at = interval '30 days' as thirty_days
         from sessions s join users u on u.id = s.user_id where s.id = $1`,
      [sid],
    );
    expect(row).toEqual({
      user_id: owner.id,
      tenant_id: owner.tenantId,
      ip_address: address,
      user_agent: 'Kiosk/1.0',
      revoked_at: null,
      recent: true,
      thirty_days: true,
    });
    expect(await auditOf(app, answer)).toEqual([
      expect.objectContaining({
        action: 'auth.login',
        chain: owner.tenantId,
        actor_type: 'USER',
        actor_id: owner.id,
        actor_name: owner.name,
        resource: 'session',
        resource_id: sid,
        outcome: 'SUCCESS',
        ip_address: address,
      }),
    ]);
  });

  it('works by email in any case, with spaces around', async () => {
    const admin = await app.buildAdmin({ email: 'asha.menon@people.example' });
    for (const email of ['asha.menon@people.example', 'Asha.MENON@People.Example', '  asha.menon@people.example ']) {
      const answer = await login(app, { email });
      expectSuccess(answer);
      expect(answer.body.data.user.id).toBe(admin.id);
    }
  });

  it('works by phone in any usual spelling', async () => {
    const owner = await app.buildOwner({ phone: '+919414012345', email: null });
    for (const phone of [
      '+919414012345',
      '9414012345',
      '094140 12345',
      '+91 94140-12345',
      '0091 94140 12345',
      '(+91) 9414012345',
    ]) {
      const answer = await login(app, { phone });
      expectSuccess(answer);
      expect(answer.body.data.user).toMatchObject({ id: owner.id, email: null });
    }
  });

  it('by a phone that two people share signs in neither', async () => {
    const phone = somePhone();
    const parent = await app.buildUser({ role: 'parent', phone });
    await app.buildUser({ role: 'student', phone, tenantId: parent.tenantId });
    expectError(await login(app, { phone }), 401, 'invalid_credentials');
    expectSuccess(await login(app, { email: parent.email }));
  });

  it('by a phone works for the one of two who has an account that is open', async () => {
    const phone = somePhone();
    const parent = await app.buildUser({ role: 'parent', phone });
    await app.buildUser({ role: 'student', phone, password: false, status: 'PENDING' });
    await app.buildUser({ role: 'student', phone, status: 'INACTIVE' });
    expect((await login(app, { phone })).body.data.user.id).toBe(parent.id);
  });

  it.each([
    ['neither email nor phone', { password: PASSWORD }, 'body email'],
    ['both', { email: 'a@b.co', phone: '9829012345', password: PASSWORD }, 'body email'],
    ['no password', { email: 'a@b.co' }, 'body password'],
    ['an empty password', { email: 'a@b.co', password: '' }, 'body password'],
    ['a password without end', { email: 'a@b.co', password: 'x'.repeat(201) }, 'body password'],
    ['a password that is no text', { email: 'a@b.co', password: { $ne: null } }, 'body password'],
    ['an email that is a list', { email: ['a@b.co'], password: PASSWORD }, 'body email'],
    [
      'another place for the token',
      { email: 'a@b.co', password: PASSWORD, refreshTokenIn: 'url' },
      'body refreshTokenIn',
    ],
    ['an unknown field', { email: 'a@b.co', password: PASSWORD, admin: true }, 'body admin'],
  ])('with %s is a 400', async (_what, body, field) => {
    expectError(await app.call('POST', '/api/auth/login', { body, headers: from() }), 400, 'validation_failed', field);
  });

  it.each(['pass\0word', '\ud800\ud800', "' or 1=1 --", '\u202e'.repeat(50)])(
    'with the password %j is just wrong',
    async (password) => {
      const admin = await app.buildAdmin();
      expectError(await login(app, { email: admin.email, password }), 401, 'invalid_credentials');
    },
  );
});

/** What a stranger sees: everything but what differs from one request to the next. */
function seenFrom(answer: Answer) {
  const headers = [...answer.headers].filter(([name]) => !/^(date|x-request-id|ratelimit-.*)$/.test(name));
  const text = answer.text.replace(answer.headers.get('x-request-id') as string, 'ID');
  return { status: answer.status, text, headers };
}

describe('A refused sign-in', () => {
  const wrong = 'not-the-right-password';
  const refused: Record<string, () => Promise<{ attempt: Answer; tenantId: string | null; account: unknown }>> = {
    'an unknown email': async () => ({
      attempt: await login(app, { email: 'nobody-at-all@people.example' }),
      tenantId: null,
      account: 'no…mple',
    }),
    'an unknown phone': async () => ({
      attempt: await login(app, { phone: '+919000099999' }),
      tenantId: null,
      account: '+9…9999',
    }),
    'a wrong password': () => tryAs({}, wrong),
    'an admin and a wrong password': async () => {
      const { id, email } = await app.buildAdmin();
      return { attempt: await login(app, { email, password: wrong }), tenantId: null, account: id };
    },
    'a locked account': async () => {
      const user = await app.buildOwner();
      const address = someAddress();
      for (let round = 0; round < 5; round += 1) await login(app, { email: user.email, password: wrong }, address);
      return { attempt: await login(app, { email: user.email }, address), tenantId: user.tenantId, account: user.id };
    },
    'a suspended account': () => tryAs({ status: 'SUSPENDED' }),
    'an inactive account': () => tryAs({ status: 'INACTIVE' }),
    'a pending account': () => tryAs({ status: 'PENDING' }),
    'an account without a password': () => tryAs({ password: false }),
    'a tenant that was purged': async () => tryAs({ tenantId: (await app.buildTenant({ status: 'PURGED' })).id }),
  };
  const tryAs = async (overrides: Parameters<TestApp['buildOwner']>[0], password = PASSWORD) => {
    const user = await app.buildOwner(overrides);
    return { attempt: await login(app, { email: user.email, password }), tenantId: user.tenantId, account: user.id };
  };

  it('looks the same to the byte for every reason', async () => {
    const seen = await Promise.all(
      Object.entries(refused).map(async ([reason, act]) => [reason, seenFrom((await act()).attempt)] as const),
    );
    const [, first] = seen[0] as (typeof seen)[number];
    expect(first.status).toBe(401);
    for (const [reason, one] of seen) expect(one, reason).toEqual(first);
  });

  it.each(Object.keys(refused))('for %s is audited, without an actor', async (reason) => {
    const { attempt, tenantId, account } = await (refused[reason] as (typeof refused)[string])();
    expectError(attempt, 401, 'invalid_credentials');
    expect(attempt.headers.get('www-authenticate')).toBe('Bearer');
    expect(await auditOf(app, attempt)).toEqual([
      {
        action: 'auth.login',
        chain: tenantId ?? 'platform',
        tenant_id: tenantId,
        actor_type: 'ANONYMOUS',
        actor_id: null,
        actor_name: null,
        resource: 'session',
        resource_id: null,
        outcome: 'FAILURE',
        changes: { account, locked: reason === 'a locked account' },
        ip_address: expect.stringMatching(/^10\./),
      },
    ]);
    const sessions = await app.query(`select 1 from sessions where user_id = $1`, [account]);
    expect(sessions).toEqual([]);
  });
});

describe('The hash of a password', () => {
  const hashOf = async (id: string) =>
    (await app.query<{ password_hash: string }>(`select password_hash from users where id = $1`, [id]))[0]
      ?.password_hash;

  it('is made anew when the parameters have risen, and the password stays the same', async () => {
    const admin = await app.buildAdmin();
    const weak = await hash(PASSWORD, { memoryCost: 8192, timeCost: 1, parallelism: 1 });
    await app.query(`update users set password_hash = $2 where id = $1`, [admin.id, weak]);
    expectError(await login(app, { email: admin.email, password: 'a-wrong-password' }), 401, 'invalid_credentials');
    expect(await hashOf(admin.id)).toBe(weak);
    expectSuccess(await login(app, { email: admin.email }));
    const strong = await hashOf(admin.id);
    expect(strong).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expectSuccess(await login(app, { email: admin.email }));
    expect(await hashOf(admin.id)).toBe(strong);
  });
});

describe('The refresh token in a cookie', () => {
  it('is for scripts and other sites out of reach, and goes to the refresh path only', async () => {
    const admin = await app.buildAdmin();
    const answer = await login(app, { email: admin.email, refreshTokenIn: 'cookie' });
    expectSuccess(answer);
    expect(answer.body.data.refreshToken).toBeNull();
    const cookie = cookieOf(answer);
    expect(cookie?.pair).toMatch(/^studyspot_refresh=c/);
    expect(cookie?.flags.filter((flag) => !flag.startsWith('expires='))).toEqual([
      `max-age=${30 * 86_400}`,
      'path=/api/auth/refresh',
      'httponly',
      'samesite=strict',
    ]);
  });

  it('is sent over TLS only where the portal is', async () => {
    const secure = await startAnotherApp({ PUBLIC_URL: 'https://portal.studyspot.example', REFRESH_TOKEN_DAYS: '7' });
    try {
      const admin = await secure.buildAdmin();
      const answer = await login(secure, { email: admin.email, refreshTokenIn: 'cookie' });
      const flags = cookieOf(answer)?.flags;
      expect(flags).toEqual(expect.arrayContaining(['secure', 'httponly', 'samesite=strict', `max-age=${7 * 86_400}`]));
      const out = await secure.call('POST', '/api/auth/logout', { token: answer.body.data.accessToken });
      expect(cookieOf(out)?.flags).toContain('secure');
    } finally {
      await secure.close();
    }
  });

  it('is taken back by signing out', async () => {
    const admin = await app.buildAdmin();
    const { accessToken } = (await login(app, { email: admin.email, refreshTokenIn: 'cookie' })).body.data;
    const answer = await app.call('POST', '/api/auth/logout', { token: accessToken });
    expectSuccess(answer);
    const cookie = cookieOf(answer);
    expect(cookie?.value).toBe('');
    expect(cookie?.flags).toEqual(
      expect.arrayContaining(['path=/api/auth/refresh', 'expires=thu, 01 jan 1970 00:00:00 gmt']),
    );
    expectError(await me(app, accessToken), 401, 'unauthenticated');
  });
});
