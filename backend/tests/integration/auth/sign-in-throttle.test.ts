import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { policyFrom } from '../../../src/services/security-policies.service.ts';
import type * as Throttle from '../../../src/services/sign-in-throttle.service.ts';
import { someAddress } from '../../support/factories.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import type { TestApp } from '../../support/server.ts';
import { auditOf, login, startAnotherApp } from './support.ts';

const WRONG = 'not-the-right-password';
const times = <Result>(count: number, act: (index: number) => Promise<Result>): Promise<Result[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => act(index)));

const policy = policyFrom('LOCKOUT', []);
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

  it('of 200 tries at once five are looked at, of passwords as of codes', async () => {
    for (const kind of ['password', 'code'] as const) {
      const trier = { account: randomUUID(), ip: '203.0.113.7' };
      const claims = await times(200, () => throttle.claimTry(kind, trier, policy));
      expect(claims.filter(({ allowed }) => allowed)).toHaveLength(5);
      expect(await throttle.claimTry(kind, trier, policy)).toMatchObject({ allowed: false });
      expect(await throttle.claimTry(kind, { ...trier, account: 'else' }, policy)).toMatchObject({ allowed: true });
    }
  });

  it('of wrong codes counts apart', async () => {
    const trier = { account: randomUUID(), ip: '203.0.113.7' };
    await times(9, () => throttle.claimTry('code', trier, policy));
    expect(await throttle.claimTry('password', trier, policy)).toMatchObject({ allowed: true });
  });

  it('from ever new addresses, all at once, gets as many as the account allows, and none from a known device', async () => {
    const account = randomUUID();
    const strangers = await times(200, (index) =>
      throttle.claimTry('password', { account, ip: `203.0.${index}.7` }, policy),
    );
    expect(strangers.filter(({ allowed }) => allowed)).toHaveLength(policy.accountTriesPerHour);
    expect(strangers.flatMap(({ waits }) => waits)).toEqual([
      expect.objectContaining({ network: null, failures: policy.accountTriesPerHour, kind: 'password' }),
    ]);
    const owner = { account, ip: '203.0.113.7', trusted: 'their-own-device' };
    expect(await throttle.claimTry('password', owner, policy)).toMatchObject({ allowed: true });
    await times(9, () => throttle.claimTry('password', owner, policy));
    expect(await throttle.claimTry('password', owner, policy)).toMatchObject({ allowed: false });
    expect(await throttle.claimTry('password', { ...owner, trusted: 'another-one' }, policy)).toMatchObject({
      allowed: true,
    });
  });

  it('of successes forgets one try each, and never leaves tries to spare', async () => {
    const account = randomUUID();
    const small = { ...policy, accountTriesPerHour: 10 };
    const from = (index: number) => ({ account, ip: `203.0.113.${index}` });
    for (let round = 0; round < 30; round += 1) {
      const claim = await throttle.claimTry('password', from(round), small);
      expect(claim.allowed).toBe(true);
      await throttle.forgiveTries(claim);
    }
    const claims = await times(40, (index) => throttle.claimTry('password', from(100 + index), small));
    expect(claims.filter(({ allowed }) => allowed)).toHaveLength(10);
    const near = { account: randomUUID(), ip: '203.0.113.9' };
    const first = await throttle.claimTry('password', near, policy);
    await Promise.all([
      ...Array.from({ length: 50 }, () => throttle.claimTry('password', near, policy)),
      throttle.forgiveTries(first),
    ]);
    const after = await times(50, () => throttle.claimTry('password', near, policy));
    expect(after.filter(({ allowed }) => allowed).length).toBeLessThanOrEqual(policy.freeTries);
  });

  it('begins anew for what was lifted', async () => {
    const trier = { account: randomUUID(), ip: '203.0.113.7' };
    await times(9, () => throttle.claimTry('password', trier, policy));
    expect(await throttle.claimTry('password', trier, policy)).toMatchObject({ allowed: false });
    await throttle.liftThrottle(throttle.throttleKey('password', trier));
    const again = await times(9, () => throttle.claimTry('password', trier, policy));
    expect(again.filter(({ allowed }) => allowed)).toHaveLength(5);
    const wide = { account: randomUUID(), ip: '' };
    const strangers = await times(60, (index) =>
      throttle.claimTry('password', { ...wide, ip: `203.0.113.${index}` }, policy),
    );
    const [wait] = strangers.flatMap(({ waits }) => waits);
    expect(await throttle.claimTry('password', { ...wide, ip: '198.51.100.1' }, policy)).toMatchObject({
      allowed: false,
    });
    await throttle.liftThrottle(wait?.throttleKey as string);
    expect(await throttle.claimTry('password', { ...wide, ip: '198.51.100.1' }, policy)).toMatchObject({
      allowed: true,
    });
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
    const trier = { account: randomUUID(), ip: '203.0.113.8' };
    const key = throttle.throttleKey('password', trier);
    await times(5, () => throttle.claimTry('password', trier, policy));
    for (const seconds of [30, 60, 120, 240, 480, 900, 900]) {
      await times(3, () => throttle.claimTry('password', trier, policy));
      const left = (await delays.get(key))?.msBeforeNext ?? 0;
      expect(left).toBeGreaterThan(seconds * 1000 - 5000);
      expect(left).toBeLessThanOrEqual(seconds * 1000);
      // As if the delay were over.
      await delays.delete(key);
      const claims = await times(10, () => throttle.claimTry('password', trier, policy));
      const [winner, ...others] = claims.filter(({ allowed }) => allowed);
      expect(others).toEqual([]);
      const listed = { throttleKey: key, network: '203.0.113.8', seconds: Math.min(900, seconds * 2) };
      expect(winner?.waits).toEqual([expect.objectContaining(listed)]);
    }
  });
});

describe('The wait after wrong passwords', () => {
  it('grows from half a minute to a quarter of an hour and no further, or as the policy says', async () => {
    const { waitSeconds } = await import('../../../src/services/sign-in-throttle.service.ts');
    const seconds = [1, 2, 3, 4, 5, 6, 7, 1000, 1e9].map((nth) => waitSeconds(nth, policy));
    expect(seconds).toEqual([30, 60, 120, 240, 480, 900, 900, 900, 900]);
    const strict = { ...policy, firstDelaySeconds: 600, longestDelaySeconds: 3600 };
    expect([1, 2, 3, 4].map((nth) => waitSeconds(nth, strict))).toEqual([600, 1200, 2400, 3600]);
  });
});
