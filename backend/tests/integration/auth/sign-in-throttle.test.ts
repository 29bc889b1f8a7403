import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type * as Throttle from '../../../src/services/sign-in-throttle.service.ts';
import { someAddress } from '../../support/factories.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import type { TestApp } from '../../support/server.ts';
import { auditOf, login, startAnotherApp } from './support.ts';

const WRONG = 'not-the-right-password';
const times = <Result>(count: number, act: (index: number) => Promise<Result>): Promise<Result[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => act(index)));

const { redisUrl } = inject('testServers');
const stores: { store: string; environment: Record<string, string> }[] = [
  { store: 'memory', environment: {} },
  ...(redisUrl ? [{ store: 'Redis', environment: { REDIS_URL: redisUrl } }] : []),
];

describe.each(stores)('Guessing passwords, counted in $store', ({ environment }) => {
  let app: TestApp;
  let throttle: typeof Throttle;
  beforeAll(async () => {
    app = await startAnotherApp(environment);
    throttle = await import('../../../src/services/sign-in-throttle.service.ts');
  });
  afterAll(() => app.close());

  it('of 200 tries at once five are looked at', async () => {
    const key = throttle.throttleKey(randomUUID(), '203.0.113.7');
    const claims = await times(200, () => throttle.claimTry(key));
    expect(claims.filter(Boolean)).toHaveLength(5);
    expect(await throttle.claimTry(key)).toBe(false);
    expect(await throttle.claimTry(throttle.throttleKey('somebody-else', '203.0.113.7'))).toBe(true);
  });

  it('over HTTP, all at once, gets five verified; then the right one is refused as well, but not from elsewhere', async () => {
    const owner = await app.buildOwner();
    const address = someAddress();
    const answers = await times(20, () => login(app, { email: owner.email, password: WRONG }, address));
    for (const answer of answers) expectError(answer, 401, 'invalid_credentials');
    const rows = await app.query<{ locked: boolean; count: number }>(
      `select (changes->>'locked')::boolean as locked, count(*)::int as count from audit_logs
        where action = 'auth.login' and changes->>'account' = $1 group by 1 order by 1`,
      [owner.id],
    );
    expect(rows).toEqual([
      { locked: false, count: 5 },
      { locked: true, count: 15 },
    ]);
    const right = await login(app, { email: owner.email }, address);
    expectError(right, 401, 'invalid_credentials');
    expect((await auditOf(app, right))[0]?.changes).toMatchObject({ locked: true });
    expectSuccess(await login(app, { email: owner.email }, someAddress()));
    expectError(await login(app, { email: owner.email }, address), 401, 'invalid_credentials');
  });

  it('by email and by phone counts together', async () => {
    const owner = await app.buildOwner({ phone: `+9194140${Math.floor(10_000 + Math.random() * 89_999)}` });
    const address = someAddress();
    for (let round = 0; round < 3; round += 1) await login(app, { email: owner.email, password: WRONG }, address);
    for (let round = 0; round < 2; round += 1) await login(app, { phone: owner.phone, password: WRONG }, address);
    expectError(await login(app, { email: owner.email }, address), 401, 'invalid_credentials');
    expectError(await login(app, { phone: owner.phone }, address), 401, 'invalid_credentials');
  });

  it('from one /64 counts as from one place, whoever says to have forwarded it', async () => {
    const owner = await app.buildOwner();
    const network = `2001:db8:${Math.floor(Math.random() * 65_535).toString(16)}`;
    const addresses = [
      `${network}::1`,
      `${network}:0:ffff::2`,
      `${network}:0:1:2:3:4`,
      `198.51.100.7, ${network}::9`,
      `[${network}::5]:4711`,
    ];
    for (const address of addresses) await login(app, { email: owner.email, password: WRONG }, address);
    expectError(await login(app, { email: owner.email }, `${network}::77`), 401, 'invalid_credentials');
    expectSuccess(await login(app, { email: owner.email }, `${network}:1::77`));
  });

  it('ends being counted with the right one', async () => {
    const owner = await app.buildOwner();
    const address = someAddress();
    for (let round = 0; round < 3; round += 1) {
      await times(4, () => login(app, { email: owner.email, password: WRONG }, address));
      expectSuccess(await login(app, { email: owner.email }, address));
    }
  });

  it('waits the delay, then takes one try and waits twice as long', async () => {
    const { limiterOf } = await import('../../../src/config/limits.ts');
    const delays = limiterOf('login-delay', { points: 1, seconds: 1 });
    const key = throttle.throttleKey(randomUUID(), '203.0.113.8');
    await times(5, () => throttle.claimTry(key));
    for (const seconds of [30, 60, 120, 240, 480, 900, 900]) {
      await times(3, () => throttle.claimTry(key));
      const left = (await delays.get(key))?.msBeforeNext ?? 0;
      expect(left).toBeGreaterThan(seconds * 1000 - 5000);
      expect(left).toBeLessThanOrEqual(seconds * 1000);
      // As if the delay were over.
      await delays.delete(key);
      expect((await times(10, () => throttle.claimTry(key))).filter(Boolean)).toHaveLength(1);
    }
  });
});

describe('The delay after wrong passwords', () => {
  it('grows from half a minute to a quarter of an hour and no further', async () => {
    const { delayAfter, FREE_TRIES } = await import('../../../src/services/sign-in-throttle.service.ts');
    expect(FREE_TRIES).toBe(5);
    expect([5, 6, 7, 8, 9, 10, 11, 1000, 1e9].map(delayAfter)).toEqual([30, 60, 120, 240, 480, 900, 900, 900, 900]);
  });
});
