import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cacheKey, namesInSpace, namesOf, PLATFORM_SPACE } from '../../src/utils/cache-key.ts';
import { newId } from '../../src/utils/ids.ts';

const tenant = newId();
const user = newId();

describe('A key of the cache', () => {
  it.each([
    ['users', cacheKey.users(tenant, user), `users:${user}`, 300],
    ['tenant', cacheKey.tenant(tenant), `tenant:${tenant}`, 600],
    ['subscriptions', cacheKey.subscriptions(tenant), `subscriptions:${tenant}`, 3600],
    ['credits', cacheKey.credits(tenant), `credits:${tenant}`, 300],
    [
      'analytics',
      cacheKey.analytics(tenant, { date: '2026-08-11', of: 'tenant' }),
      `analytics:${tenant}:2026-08-11:tenant`,
      3600,
    ],
    [
      'report',
      cacheKey.report(tenant, { date: '2026-08-11', of: 'gstr1' }),
      `analytics:${tenant}:2026-08-11:report:gstr1`,
      21_600,
    ],
  ] as const)('of %s is that of the source design, within the tenant', (_, key, path, seconds) => {
    expect(key).toEqual({ family: path.split(':')[0], space: tenant, path, seconds });
    for (const name of Object.values(namesOf(key))) expect(name).toContain(`{${tenant}}`);
    expect(namesOf(key).value).toBe(`cache:{${tenant}}:value:${path}`);
  });

  it('of a person of the platform lies in the space of the platform', () => {
    expect(namesOf(cacheKey.users(PLATFORM_SPACE, user)).value).toBe(`cache:{platform}:value:users:${user}`);
    expect(namesInSpace(PLATFORM_SPACE).generation).toBe('cache:{platform}:generation');
  });

  it.each([undefined, null, '', 'Platform', '*', `${tenant} `, `${tenant}:x`, tenant.toUpperCase(), '{x}'])(
    'is not made without a tenant: %j',
    (space) => {
      expect(() => cacheKey.credits(space as string)).toThrow('No tenant');
      expect(() => cacheKey.users(space as string, user)).toThrow('No tenant');
    },
  );

  it('is not made of an empty part', () => {
    expect(() => cacheKey.users(tenant, '')).toThrow('empty part');
  });

  it('is another one for anything else that is asked, whatever its parts hold', () => {
    const parts = fc.tuple(
      fc.string({ minLength: 1, unit: 'binary' }),
      fc.option(fc.string({ minLength: 1, unit: 'binary' })),
    );
    fc.assert(
      fc.property(parts, parts, (one, other) => {
        const [a, b] = [one, other].map(
          ([id, variant]) => namesOf(cacheKey.users(tenant, id, variant ?? undefined)).value,
        );
        expect(a === b).toBe(JSON.stringify(one) === JSON.stringify(other));
        expect(a).toMatch(/^[\x21-\x7e]{1,300}$/);
      }),
    );
    expect(cacheKey.users(tenant, 'a', 'b').path).not.toBe(cacheKey.users(tenant, 'a:b').path);
    const long = 'x'.repeat(5000);
    expect(cacheKey.users(tenant, long).path).not.toBe(cacheKey.users(tenant, `${long}y`).path);
  });
});
