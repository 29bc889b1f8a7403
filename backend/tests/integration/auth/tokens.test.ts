import { createHmac, generateKeyPairSync } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { BUILT_IN_ROLES } from '../../../src/config/permissions.ts';
import { newId } from '../../../src/utils/ids.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { claimsOf, from, JWT_SECRET, me, startAnotherApp } from './support.ts';

let app: TestApp;
let genuine: string;
let tenantId: string;
beforeAll(async () => {
  app = await startTestApp();
  ({ token: genuine, tenantId } = await app.ownerWithToken());
});
afterAll(() => app.close());

const kid = () => (jwt.decode(genuine, { complete: true }) as jwt.Jwt).header.kid as string;

/** A token that is signed as ours are, with other claims, header or key. */
const signed = (
  claims: Record<string, unknown> = {},
  { secret = JWT_SECRET, ...options }: jwt.SignOptions & { secret?: string } = {},
) => {
  const changed = Object.entries({ ...claimsOf(genuine), ...claims }).filter(([, value]) => value !== undefined);
  return jwt.sign(Object.fromEntries(changed), secret, { algorithm: 'HS256', keyid: kid(), ...options });
};

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const seconds = () => Math.floor(Date.now() / 1000);

const forgeries: Record<string, () => string | Promise<string>> = {
  expired: () => signed({ exp: seconds() - 1 }),
  'without an end': () => signed({ exp: undefined }),
  'whose end is a text': () => {
    const head = `${part({ alg: 'HS256', kid: kid() })}.${part({ ...claimsOf(genuine), exp: 'never' })}`;
    return `${head}.${createHmac('sha256', JWT_SECRET).update(head).digest('base64url')}`;
  },
  'not valid yet': () => signed({ nbf: seconds() + 600 }),
  'with its payload changed': () => {
    const [header, , signature] = genuine.split('.');
    return `${header}.${part({ ...claimsOf(genuine), role: 'super_admin', permissions: ['tenants.suspend'] })}.${signature}`;
  },
  'with its signature changed': () => genuine.slice(0, -4) + (genuine.endsWith('AAAA') ? 'BBBB' : 'AAAA'),
  'with its signature taken off': () => genuine.slice(0, genuine.lastIndexOf('.') + 1),
  'without a signature, alg none': () => `${part({ alg: 'none', typ: 'JWT', kid: kid() })}.${part(claimsOf(genuine))}.`,
  'without a signature, alg nOnE': () => `${part({ alg: 'nOnE', typ: 'JWT', kid: kid() })}.${part(claimsOf(genuine))}.`,
  'with alg none and the genuine signature': () =>
    `${part({ alg: 'none', kid: kid() })}.${genuine.split('.').slice(1).join('.')}`,
  'under HS512, with the right secret': () => signed({}, { algorithm: 'HS512' }),
  'under HS384, with the right secret': () => signed({}, { algorithm: 'HS384' }),
  'under RS256, signed with the secret all the same': () => {
    const head = `${part({ alg: 'RS256', typ: 'JWT', kid: kid() })}.${part(claimsOf(genuine))}`;
    return `${head}.${createHmac('sha256', JWT_SECRET).update(head).digest('base64url')}`;
  },
  'under RS256, with a key that it brings along': () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const header = { alg: 'RS256' as const, kid: kid(), jwk: publicKey.export({ format: 'jwk' }) };
    return jwt.sign(claimsOf(genuine), privateKey, { algorithm: 'RS256', header });
  },
  'signed with a public key as a secret': () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    return signed({}, { secret: publicKey.export({ type: 'spki', format: 'pem' }) });
  },
  'signed with another secret': () => signed({}, { secret: 'another-secret-of-access-tokens-00000000' }),
  'signed with an empty secret': () => {
    const head = `${part({ alg: 'HS256', kid: kid() })}.${part(claimsOf(genuine))}`;
    return `${head}.${createHmac('sha256', '').update(head).digest('base64url')}`;
  },
  'of a key that is not known': () => signed({}, { keyid: '00000000' }),
  'without the id of its key': () => jwt.sign(claimsOf(genuine), JWT_SECRET, { algorithm: 'HS256' }),
  'of another issuer': () => signed({ iss: 'somebody-else' }),
  'without an issuer': () => signed({ iss: undefined }),
  'for another audience': () => signed({ aud: 'studyspot-student-app' }),
  'without an audience': () => signed({ aud: undefined }),
  'of a person of another type': () => signed({ type: 'ADMIN_USER' }),
  'of a type that does not exist': () => signed({ type: 'ROOT' }),
  'of another tenant': async () => signed({ tenantId: (await app.buildTenant()).id }),
  'of no tenant': () => signed({ tenantId: undefined }),
  'of somebody else': async () => signed({ userId: (await app.buildOwner({ tenantId })).id }),
  "of somebody else's session": async () => signed({ sid: claimsOf((await app.ownerWithToken()).token).sid }),
  'of a session that never was': () => signed({ sid: newId() }),
  'without a session': () => signed({ sid: undefined }),
  'whose session is an object': () => signed({ sid: { $ne: null } }),
  'whose permissions are a text': () => signed({ permissions: 'tenants.read' }),
  'whose permission version is a text': () => signed({ pv: '1' }),
};

describe('An access token', () => {
  it('works as it is', async () => {
    expectSuccess(await me(app, genuine));
    expectSuccess(await me(app, signed()));
  });

  it.each(Object.entries(forgeries))('%s is a 401', async (_what, forge) => {
    const token = await forge();
    for (const path of ['/api/auth/me', `/api/tenants/${tenantId}`]) {
      const answer = await app.call('GET', path, { token });
      expectError(answer, 401, 'unauthenticated');
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    }
    expectSuccess(await me(app, genuine));
  });

  it('is refused in the same words for every reason', async () => {
    const reasons = [forgeries.expired, forgeries['with its payload changed'], forgeries['of another tenant']];
    const answers = await Promise.all(reasons.map(async (forge) => me(app, (await forge?.()) ?? '')));
    const { token, owner } = await app.ownerWithToken();
    await app.query(`update users set status = 'SUSPENDED' where id = $1`, [owner.id]);
    answers.push(await me(app, token), await app.call('GET', '/api/auth/me'));
    expect(new Set(answers.map(({ body }) => body.error.message)).size).toBe(1);
  });

  it('that expires while it is known is refused from then on', async () => {
    const token = signed({ exp: seconds() + 2 });
    expectSuccess(await me(app, token));
    vi.useFakeTimers({ now: Date.now() + 5000, toFake: ['Date'] });
    try {
      expectError(await me(app, token), 401, 'unauthenticated');
    } finally {
      vi.useRealTimers();
    }
  });

  it('grants what its person may do now, whatever it says itself', async () => {
    const token = signed({
      permissions: ['tenants.read', 'tenants.suspend', 'audit.read'],
      role: 'super_admin',
      pv: 99,
    });
    expect((await me(app, token)).body.data).toMatchObject({
      role: 'owner',
      permissions: [...BUILT_IN_ROLES.owner.permissions].toSorted(),
    });
    expectError(await app.call('GET', '/api/audit', { token }), 403, 'forbidden');
  });

  it.each([
    ['no scheme', () => genuine],
    ['another scheme', () => `Basic ${genuine}`],
    ['two tokens', () => `Bearer ${genuine}, Bearer ${genuine}`],
    ['nothing after the scheme', () => 'Bearer'],
    ['quotes', () => `Bearer "${genuine}"`],
    ['other bytes', () => 'Bearer \xff\xfe\x80'],
    ['very long text', () => `Bearer ${'a'.repeat(12_000)}`],
  ])('with %s in the header is a 401', async (_what, header) => {
    expectError(
      await app.call('GET', '/api/auth/me', { headers: { authorization: header() } }),
      401,
      'unauthenticated',
    );
  });

  it('counts in the header only', async () => {
    for (const query of ['access_token', 'token', 'auth_token']) {
      expectError(
        await app.call('GET', `/api/auth/me?${query}=${genuine}`, { headers: from() }),
        401,
        'unauthenticated',
      );
    }
    const headers = { cookie: `token=${genuine}; access_token=${genuine}`, 'x-access-token': genuine };
    expectError(await app.call('GET', '/api/auth/me', { headers }), 401, 'unauthenticated');
    const byBody = await app.call('POST', '/api/auth/logout', { body: { access_token: genuine } });
    expectError(byBody, 401, 'unauthenticated');
  });
});

describe('The secret of access tokens', () => {
  it('can be replaced while tokens of the one before are still good', async () => {
    const rolled = await startAnotherApp({
      JWT_SECRET: 'the-next-secret-of-access-tokens-0123456',
      JWT_SECRET_PREVIOUS: JWT_SECRET,
    });
    try {
      const { token } = await rolled.ownerWithToken();
      expectSuccess(await me(rolled, token));
      const claims = claimsOf(token);
      const before = jwt.sign(claims, JWT_SECRET, { algorithm: 'HS256', keyid: kid() });
      expectSuccess(await me(rolled, before));
      expect(jwt.decode(token, { complete: true })?.header.kid).not.toBe(kid());
      // The key that signs with the id of the other.
      expectError(
        await me(
          rolled,
          jwt.sign(claims, JWT_SECRET, {
            algorithm: 'HS256',
            keyid: (jwt.decode(token, { complete: true }) as jwt.Jwt).header.kid as string,
          }),
        ),
        401,
        'unauthenticated',
      );
    } finally {
      await rolled.close();
    }
  });
});
