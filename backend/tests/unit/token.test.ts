import { createHmac, generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import jwt from 'jsonwebtoken';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type * as Token from '../../src/utils/token.ts';

const SECRET = 'a-secret-of-access-tokens-for-this-test';
const PREVIOUS = 'the-secret-before-it-of-access-tokens-0';
const env = {
  DATABASE_URL: 'postgresql://studyspot_app@127.0.0.1/none',
  JWT_SECRET: SECRET,
  JWT_SECRET_PREVIOUS: PREVIOUS,
  REFRESH_TOKEN_SECRET: 'a-secret-of-refresh-tokens-for-this-test',
  ENCRYPTION_KEY: 'a-secret-of-sealed-secrets-for-this-test',
  ACCESS_TOKEN_SECONDS: '600',
};

/** The module as a process with this environment has it. */
async function tokensWith(changes: Record<string, string | undefined> = {}): Promise<typeof Token> {
  vi.resetModules();
  for (const [name, value] of Object.entries({ ...env, ...changes })) vi.stubEnv(name, value);
  return import('../../src/utils/token.ts');
}

const claims = {
  userId: 'cm3k8v1x40000qp2h9d7f5a6b',
  email: 'asha@studyspot.example',
  role: 'super_admin',
  type: 'ADMIN_USER' as const,
  permissions: ['tenants.read'],
  sid: 'cm3k8v1x40001qp2h9d7f5a6b',
  pv: 1,
};

let tokens: typeof Token;
beforeEach(async () => {
  tokens = await tokensWith();
});

describe('Access tokens', () => {
  it('carry the claims, issuer, audience, their life and the id of their key, under HS256', () => {
    const { token, expiresIn } = tokens.signAccessToken({ ...claims, tenantId: 'cm3k8v1x40002qp2h9d7f5a6b' });
    const { header, payload } = jwt.verify(token, SECRET, { complete: true }) as jwt.Jwt & { payload: jwt.JwtPayload };
    expect(header).toMatchObject({ alg: 'HS256', typ: 'JWT', kid: expect.stringMatching(/^[0-9a-f]{8}$/) });
    expect(payload).toMatchObject({
      ...claims,
      tenantId: 'cm3k8v1x40002qp2h9d7f5a6b',
      iss: 'studyspot',
      aud: 'studyspot-admin-api',
    });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(600);
    expect(expiresIn).toBe(600);
  });

  it('name the key they were signed with, also after it was replaced; any other key is unknown', async () => {
    const before = await tokensWith({ JWT_SECRET: PREVIOUS, JWT_SECRET_PREVIOUS: undefined });
    const { token: old } = before.signAccessToken(claims);
    const after = await tokensWith();
    const { token: current } = after.signAccessToken(claims);
    expect(after.accessTokenSecretFor(old)?.export().toString()).toBe(PREVIOUS);
    expect(after.accessTokenSecretFor(current)?.export().toString()).toBe(SECRET);
    const later = await tokensWith({ JWT_SECRET_PREVIOUS: undefined });
    expect(later.accessTokenSecretFor(old)).toBeUndefined();
    expect(later.accessTokenSecretFor(current)).toBeDefined();
  });

  it('do not give their key away by its id', () => {
    const { token } = tokens.signAccessToken(claims);
    expect(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).not.toContain(SECRET.slice(0, 8));
  });

  it.each([
    ['nothing', ''],
    ['no dots', 'abc'],
    ['a header that is not JSON', 'abc.def.ghi'],
    ['a header that is null', `${Buffer.from('null').toString('base64url')}.e30.x`],
    ['no kid', `${Buffer.from('{"alg":"HS256"}').toString('base64url')}.e30.x`],
    ['a kid that is no text', `${Buffer.from('{"kid":["a"]}').toString('base64url')}.e30.x`],
    ['the name of a property', `${Buffer.from('{"kid":"__proto__"}').toString('base64url')}.e30.x`],
    ['a path', `${Buffer.from('{"kid":"../../etc/passwd"}').toString('base64url')}.e30.x`],
  ])('with %s have no key', (_what, token) => {
    expect(tokens.accessTokenSecretFor(token)).toBeUndefined();
  });

  it('have no key, whatever a header says, unless it names one of ours', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json().map((text) => `${Buffer.from(text).toString('base64url')}.x.y`),
        ),
        (text) => {
          expect(tokens.accessTokenSecretFor(text)).toBeUndefined();
        },
      ),
    );
  });

  it('signed with a public key as if it were a secret do not verify', () => {
    const { publicKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    const { token } = tokens.signAccessToken(claims);
    const [header = '', payload = ''] = token.split('.');
    const forged = `${header}.${payload}.${createHmac('sha256', publicKey).update(`${header}.${payload}`).digest('base64url')}`;
    const key = tokens.accessTokenSecretFor(forged);
    expect(() => jwt.verify(forged, key as never, { algorithms: ['HS256'] })).toThrow('invalid signature');
  });
});

const sessionId = fc
  .string({ unit: fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz0123456789'.split('')), minLength: 24, maxLength: 24 })
  .map((rest) => `c${rest}`);
const session = fc.record({ id: sessionId, refreshSeed: fc.base64String({ minLength: 32, maxLength: 32 }) });
const generation = fc.nat(999_999_999);

describe('Refresh tokens', () => {
  it('are read back as what they were made of, and are genuine', () => {
    fc.assert(
      fc.property(session, generation, (owner, number) => {
        const parts = tokens.parseRefreshToken(tokens.refreshTokenOf(owner, number));
        expect(parts).toMatchObject({ sessionId: owner.id, generation: number });
        expect(parts && tokens.isGenuineRefreshToken(owner, parts)).toBe(true);
      }),
    );
  });

  it('are the same each time they are derived, and another for each rotation, session and seed', () => {
    fc.assert(
      fc.property(session, session, generation, generation, (one, other, first, second) => {
        expect(tokens.refreshTokenOf(one, first)).toBe(tokens.refreshTokenOf(one, first));
        const isSame = one.id === other.id && one.refreshSeed === other.refreshSeed && first === second;
        expect(tokens.refreshTokenOf(one, first) === tokens.refreshTokenOf(other, second)).toBe(isSame);
      }),
    );
  });

  it('are not genuine when one character is another, or when they are of another session, rotation or seed', () => {
    fc.assert(
      fc.property(
        session,
        session,
        generation,
        fc.nat(200),
        fc.constantFrom(...'Az09-_.'.split('')),
        (owner, other, number, where, character) => {
          const token = tokens.refreshTokenOf(owner, number);
          const at = where % token.length;
          const forged = token.slice(0, at) + character + token.slice(at + 1);
          fc.pre(forged !== token);
          const parts = tokens.parseRefreshToken(forged);
          expect(parts ? tokens.isGenuineRefreshToken(owner, parts) : false).toBe(false);
          const genuine = tokens.parseRefreshToken(token);
          fc.pre(genuine !== undefined && other.refreshSeed !== owner.refreshSeed);
          expect(genuine && tokens.isGenuineRefreshToken(other, genuine)).toBe(false);
          expect(genuine && tokens.isGenuineRefreshToken({ ...owner, refreshSeed: other.refreshSeed }, genuine)).toBe(
            false,
          );
          expect(genuine && tokens.isGenuineRefreshToken(owner, { ...genuine, generation: number + 1 })).toBe(false);
        },
      ),
    );
  });

  it('need the key of the server: with another one the same session has other tokens', async () => {
    const owner = { id: 'cm3k8v1x40000qp2h9d7f5a6b', refreshSeed: 'x'.repeat(32) };
    const token = tokens.refreshTokenOf(owner, 3);
    const elsewhere = await tokensWith({ REFRESH_TOKEN_SECRET: 'another-secret-of-refresh-tokens-000000' });
    const parts = elsewhere.parseRefreshToken(token);
    expect(parts && elsewhere.isGenuineRefreshToken(owner, parts)).toBe(false);
  });

  const signature = 'V5q2v8u1o0n3m6l9k2j5h8g1f4d7s0a3p6i9u2y5t8r';
  it.each([
    ['nothing', ''],
    ['too few parts', `cm3k8v1x40000qp2h9d7f5a6b.${signature}`],
    ['an id of another shape', `xm3k8v1x40000qp2h9d7f5a6b.0.${signature}`],
    ['a number written with zeros', `cm3k8v1x40000qp2h9d7f5a6b.00.${signature}`],
    ['a negative number', `cm3k8v1x40000qp2h9d7f5a6b.-1.${signature}`],
    ['a number that no database holds', `cm3k8v1x40000qp2h9d7f5a6b.99999999999.${signature}`],
    ['a signature cut short', `cm3k8v1x40000qp2h9d7f5a6b.0.${signature.slice(1)}`],
    ['a newline at the end', `cm3k8v1x40000qp2h9d7f5a6b.0.${signature}\n`],
    ['a space before', ` cm3k8v1x40000qp2h9d7f5a6b.0.${signature}`],
    ['a NUL', `cm3k8v1x40000qp2h9d7f5a6b\0.0.${signature}`],
  ])('with %s are none', (_what, token) => {
    expect(tokens.parseRefreshToken(token)).toBeUndefined();
  });

  it('are read without an error, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'cab019.-_ \n\u0000é'.split('')) }), (text) => {
        expect(tokens.parseRefreshToken(text)).toBeUndefined();
      }),
    );
  });
});
