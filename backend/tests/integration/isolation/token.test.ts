import jwt from 'jsonwebtoken';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { knownPermissions } from '../../../src/config/permissions.ts';
import type { Actor } from '../../../src/types/context.ts';
import type { AccessTokenClaims } from '../../../src/utils/token.ts';
import { newId } from '../../../src/utils/ids.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { JWT_SECRET } from '../auth/support.ts';
import { buildPlace, peopleSeenBy, type Place } from './support.ts';

// Layer 5: the tenant of the token. Every other way of forging one is tested in tests/integration/auth/tokens.test.ts.

let app: TestApp;
let mine: Place;
let theirs: Place;
beforeAll(async () => {
  app = await startTestApp();
  mine = await buildPlace(app, 'Ours');
  theirs = await buildPlace(app, 'Theirs');
});
afterAll(() => app.close());

/** The token with other claims, signed with this key. */
function resigned(
  token: string,
  claims: Partial<Record<keyof AccessTokenClaims, unknown>>,
  secret = JWT_SECRET,
): string {
  const { header, payload } = jwt.decode(token, { complete: true }) as jwt.Jwt;
  const changed = Object.entries({ ...(payload as object), ...claims }).filter(([, value]) => value !== undefined);
  return jwt.sign(Object.fromEntries(changed), secret, { algorithm: 'HS256', keyid: header.kid as string });
}

const claimsOf = (token: string) => jwt.decode(token) as AccessTokenClaims;

describe('The tenant of a token', () => {
  it('is that of the person: the token as it was signed works', async () => {
    expect(claimsOf(mine.token).tenantId).toBe(mine.tenantId);
    expect(await peopleSeenBy(app, mine.tenantId, resigned(mine.token, {}))).toContain('Student of Ours');
  });

  it.each([
    ['with the right key', JWT_SECRET],
    ['with another key', 'test-secret-of-somebody-else-0123456789'],
  ])('changed into another one and signed %s is refused', async (_, secret) => {
    for (const tenantId of [theirs.tenantId, newId(), '', '*', undefined]) {
      const token = resigned(mine.token, { tenantId }, secret);
      for (const id of [mine.tenantId, theirs.tenantId]) {
        expectError(await app.call('GET', `/api/tenants/${id}/users`, { token }), 401, 'unauthenticated');
        expectError(
          await app.call('PUT', `/api/tenants/${id}`, { token, body: { city: 'Sikar' } }),
          401,
          'unauthenticated',
        );
      }
    }
    expect(await app.query(`select id from tenants where city = 'Sikar'`)).toEqual([]);
  });

  it("put together from two people's tokens is refused", async () => {
    const [own, other] = [claimsOf(mine.token), claimsOf(theirs.token)];
    for (const claims of [
      { userId: other.userId },
      { userId: other.userId, tenantId: other.tenantId },
      { sid: other.sid },
      { type: 'ADMIN_USER' },
      { type: 'ADMIN_USER', tenantId: undefined, permissions: ['tenants.read', 'tenants.access'] },
    ]) {
      const token = resigned(mine.token, claims);
      expectError(await app.call('GET', `/api/tenants/${own.tenantId}`, { token }), 401, 'unauthenticated');
      expectError(await app.call('GET', `/api/tenants/${other.tenantId}`, { token }), 401, 'unauthenticated');
    }
    expectSuccess(await app.call('GET', '/api/auth/me', { token: mine.token }));
  });

  it('is asked of the database also for a token that was seen before', async () => {
    const { owner, token } = await app.ownerWithToken();
    const path = `/api/tenants/${owner.tenantId}`;
    expectSuccess(await app.call('GET', path, { token }));
    await app.query(`update role_assignments set tenant_id = null where user_id = $1`, [owner.id]);
    await app.query(`update users set tenant_id = $2 where id = $1`, [owner.id, theirs.tenantId]);
    for (const id of [owner.tenantId, theirs.tenantId]) {
      expectError(await app.call('GET', `/api/tenants/${id}`, { token }), 401, 'unauthenticated');
    }
  });
});

describe('Where the claims of a token were believed', () => {
  it("a changed one would show the other tenant's people, so long as it is signed with the right key", async () => {
    vi.resetModules();
    vi.doMock('../../../src/services/principal.service.ts', async (original) => ({
      ...(await original<object>()),
      // As the design says it that this one replaces: the token is what is known of the person.
      principalBehind: async (claims: AccessTokenClaims) => ({ actor: believed(claims), row: {} }),
      isWorthRemembering: () => false,
    }));
    const naive = await startTestApp();
    try {
      const [ours, others] = [await buildPlace(naive, 'Ours'), await buildPlace(naive, 'Theirs')];
      expect(await peopleSeenBy(naive, others.tenantId, ours.token)).toEqual([]);
      const forged = resigned(ours.token, { tenantId: others.tenantId });
      expect(await peopleSeenBy(naive, others.tenantId, forged)).toContain('Student of Theirs');
      const unsigned = resigned(ours.token, { tenantId: others.tenantId }, 'test-secret-of-somebody-else-0123456789');
      expect(await peopleSeenBy(naive, others.tenantId, unsigned)).toEqual([]);
    } finally {
      await naive.close();
      vi.doUnmock('../../../src/services/principal.service.ts');
    }
  });
});

const believed = (claims: AccessTokenClaims): Actor => ({
  id: claims.userId,
  kind: 'user',
  type: claims.type,
  name: '',
  email: claims.email,
  role: claims.role,
  permissions: knownPermissions(claims.permissions),
  tenantId: claims.tenantId ?? null,
  tenantStatus: 'ACTIVE',
  sessionId: claims.sid,
  elevatedUntil: null,
  restriction: null,
  impersonation: null,
  creator: null,
});
