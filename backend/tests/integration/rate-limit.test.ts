import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Answer } from '../support/client.ts';
import { someAddress } from '../support/factories.ts';
import { expectError, expectSuccess } from '../support/expectations.ts';
import type { TestApp } from '../support/server.ts';
import { from, startAnotherApp } from './auth/support.ts';

const USER_LIMIT = 20;
const ADDRESS_LIMIT = 30;
const environment = { RATE_LIMIT_USER_PER_MINUTE: String(USER_LIMIT), RATE_LIMIT_IP_PER_MINUTE: String(ADDRESS_LIMIT) };

const startFresh = (more: Record<string, string> = {}): Promise<TestApp> =>
  startAnotherApp({ ...environment, ...more });
const times = (count: number, act: (index: number) => Promise<Answer>): Promise<Answer[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => act(index)));
const statuses = (answers: Answer[]) => {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
};

function expectLimited(answer: Answer): void {
  expectError(answer, 429, 'rate_limited');
  const seconds = Number(answer.headers.get('retry-after'));
  expect(seconds).toBeGreaterThan(0);
  expect(seconds).toBeLessThanOrEqual(60);
  expect(answer.body.error.details).toEqual({ retryAfterSeconds: seconds });
  expect(answer.headers.get('ratelimit-remaining')).toBe('0');
}

const { redisUrl } = inject('testServers');
const stores = [
  { store: 'memory', more: {} as Record<string, string> },
  ...(redisUrl ? [{ store: 'Redis', more: { REDIS_URL: redisUrl } }] : []),
];

describe.each(stores)('Requests, counted in $store,', ({ more }) => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startFresh(more);
  });
  afterAll(() => app.close());

  const me = (token: string, address?: string) => app.call('GET', '/api/auth/me', { token, headers: from(address) });
  const guess = (address: string) => app.call('GET', '/api/auth/me', { token: 'guessed', headers: from(address) });

  it('of one person are limited, from wherever and in however many sessions', async () => {
    const user = await app.buildAdmin();
    const sessions = [await app.signIn(user), await app.signIn(user)];
    const answers = await times(USER_LIMIT + 5, (index) => me(sessions[index % 2]?.token as string, someAddress()));
    expect(statuses(answers)).toEqual({ 200: USER_LIMIT, 429: 5 });
    for (const answer of answers) if (answer.status === 429) expectLimited(answer);
    expectSuccess(await me(await app.adminToken()));
  });

  it('tell how many are left', async () => {
    const token = await app.adminToken();
    for (const left of [USER_LIMIT - 1, USER_LIMIT - 2]) {
      const { headers } = await me(token);
      expect(headers.get('ratelimit-limit')).toBe(String(USER_LIMIT));
      expect(headers.get('ratelimit-remaining')).toBe(String(left));
      expect(Number(headers.get('ratelimit-reset'))).toBeGreaterThan(50);
      expect(Number(headers.get('ratelimit-reset'))).toBeLessThanOrEqual(60);
    }
  });

  it('without a good token are limited by address; who has one is not in their way', async () => {
    const address = someAddress();
    const answers = await times(ADDRESS_LIMIT + 5, () => guess(address));
    expect(statuses(answers)).toEqual({ 401: ADDRESS_LIMIT, 429: 5 });
    expectLimited(await app.call('POST', '/api/auth/login', { body: {}, headers: from(address) }));
    const token = await app.adminToken();
    expectSuccess(await me(token, address));
    expectError(await guess(someAddress()), 401, 'unauthenticated');
  });

  it('from one /64 count together, however its addresses are written', async () => {
    const network = `2001:db8:${process.pid.toString(16)}:${more.REDIS_URL ? 1 : 2}`;
    const answers = await times(ADDRESS_LIMIT + 5, (index) => guess(`${network}:${index.toString(16)}:${index}::1`));
    expect(statuses(answers)).toEqual({ 401: ADDRESS_LIMIT, 429: 5 });
    expectLimited(await guess(`${network.toUpperCase()}:0000:0000:0000:0007`));
    expectError(await guess(`${network.slice(0, -1)}9::1`), 401, 'unauthenticated');
  });

  it('cannot hide behind addresses that they claim themselves', async () => {
    const address = someAddress();
    const claim = (index: number) =>
      [`1.1.1.${index}, ${address}`, `::ffff:${address}`, `${address}:${4000 + index}`][index % 3] as string;
    const answers = await times(ADDRESS_LIMIT + 5, (index) => guess(claim(index)));
    expect(statuses(answers)).toEqual({ 401: ADDRESS_LIMIT, 429: 5 });
  });

  it('that are forwarded for no address count together', async () => {
    const answers = await times(ADDRESS_LIMIT + 5, (index) => guess(`unknown-${index}`));
    expect(statuses(answers)).toEqual({ 401: ADDRESS_LIMIT, 429: 5 });
  });

  it.each([
    ['/api/auth/forgot-password', { email: 'nobody@people.example' }, 10, 202],
    ['/api/auth/reset-password', { token: 'a'.repeat(43), password: 'quiet-rooms-after-nine' }, 10, 400],
  ])('of %s have a lower limit of their own', async (path, body, limit, status) => {
    const address = someAddress();
    const send = () => app.call('POST', path, { body, headers: from(address) });
    const answers = await times(limit + 3, send);
    expect(statuses(answers)).toEqual({ [status]: limit, 429: 3 });
    expectError(await guess(address), 401, 'unauthenticated');
  });

  it('of a person for what is costly have a lower limit as well', async () => {
    const token = await app.adminToken();
    const answers = await times(USER_LIMIT, () =>
      app.call('GET', '/api/audit/integrity?chain=platform&to=1', { token }),
    );
    expect(statuses(answers)).toEqual({ 200: 20 });
    expect(answers[0]?.headers.get('ratelimit-limit')).toBe('20');
  });

  it('of load balancers are not limited', async () => {
    const address = someAddress();
    const answers = await times(ADDRESS_LIMIT * 2, () =>
      app.call('GET', '/api/monitoring/live', { headers: from(address) }),
    );
    expect(statuses(answers)).toEqual({ 200: ADDRESS_LIMIT * 2 });
  });

  it('that are refused are not audited: nobody fills the trail by being refused', async () => {
    const address = someAddress();
    const send = () =>
      app.call('POST', '/api/auth/forgot-password', {
        body: { email: 'nobody@people.example' },
        headers: from(address),
      });
    await times(13, send);
    const [row] = await app.query(`select count(*)::int as count from audit_logs where ip_address = $1`, [address]);
    expect(row).toEqual({ count: 10 });
  });
});

describe('Without a trusted proxy', () => {
  it('what a request says of where it comes from is not believed', async () => {
    const app = await startFresh({ TRUST_PROXY: '' });
    try {
      const answers = await times(ADDRESS_LIMIT + 5, () =>
        app.call('GET', '/api/auth/me', { headers: from(someAddress()) }),
      );
      expect(statuses(answers)).toEqual({ 401: ADDRESS_LIMIT, 429: 5 });
    } finally {
      await app.close();
    }
  });
});

describe.runIf(redisUrl)('Two processes', () => {
  it('count together in Redis', async () => {
    const [one, two] = [
      await startFresh({ REDIS_URL: redisUrl as string }),
      await startFresh({ REDIS_URL: redisUrl as string }),
    ];
    try {
      const address = someAddress();
      const answers = await times(ADDRESS_LIMIT + 6, (index) =>
        (index % 2 ? one : two).call('GET', '/api/auth/me', { headers: from(address) }),
      );
      expect(statuses(answers)).toEqual({ 401: ADDRESS_LIMIT, 429: 6 });
    } finally {
      await Promise.all([one.close(), two.close()]);
    }
  });
});
