import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { clockNow } from '../../src/config/clock.ts';
import { followClock } from '../../src/config/clock-follow.ts';
import { modulesOutsideProduction } from '../../src/routes/index.ts';
import { resetClock } from '../support/billing.ts';
import { expectError, expectSuccess } from '../support/expectations.ts';
import { startTestApp, type TestApp } from '../support/server.ts';

let app: TestApp;
beforeAll(async () => void (app = await startTestApp()));
afterEach(resetClock);
afterAll(() => app.close());

const advance = (token: string, body: object) => app.call('POST', '/api/test/clock/advance', { token, body });

it('is set ahead for requests, and what is due is handed to the queues', async () => {
  const token = await app.adminToken();
  const answer = await advance(token, { days: 40, hours: 2 });
  expectSuccess(answer);
  const ahead = 40 * 86_400 + 2 * 3_600;
  expect(answer.body.data.offsetSeconds).toBe(ahead);
  expect(clockNow().getTime() - Date.now()).toBeGreaterThan((ahead - 5) * 1000);
  const jobs = await app.query(`select job from outbox_messages where job ~ '^(invoice|dunning)' order by job`);
  expect(jobs.map(({ job }) => job)).toEqual(['dunning.run', 'invoice.billing-run', 'invoice.collection-run']);
  const audited = await app.query(`select actor_id from audit_logs where action = 'test.clock'`);
  expect(audited).toHaveLength(1);
});

it('never goes back', async () => {
  const token = await app.adminToken();
  expectError(await advance(token, { to: '2020-01-01' }), 400, 'validation_failed', 'body to');
  expectError(await advance(token, { days: 0 }), 400, 'validation_failed');
  expectError(await advance(token, {}), 400, 'validation_failed');
});

it('is taken over by a process that starts later, from the database', async () => {
  const token = await app.adminToken();
  const { body } = await advance(token, { to: '2100-01-01T00:00:00Z' });
  resetClock();
  const following = await followClock();
  expect(Math.abs(clockNow().getTime() - Date.parse(body.data.now))).toBeLessThan(60_000);
  await following.close();
});

it('is for super admins alone', async () => {
  expectError(await app.call('GET', '/api/test/clock'), 401, 'unauthenticated');
  const finance = await app.adminToken({ role: 'finance' });
  expectError(await advance(finance, { days: 1 }), 403, 'forbidden');
  const { token } = await app.ownerWithToken();
  expectError(await app.call('GET', '/api/test/clock', { token }), 403, 'forbidden');
});

it('is not there in production', async () => {
  process.env.NODE_ENV = 'production';
  const { vi } = await import('vitest');
  vi.resetModules();
  Object.assign(process.env, {
    PUBLIC_URL: 'https://portal.studyspot.example',
    EMAIL_PROVIDER: 'smtp',
    SMTP_URL: 'smtps://user:password@mail.example:465',
    FILE_STORAGE: 's3',
    S3_ENDPOINT: 'https://storage.example',
    S3_BUCKET: 'files',
    S3_ACCESS_KEY_ID: 'key',
    S3_SECRET_ACCESS_KEY: 'secret',
    REDIS_URL: 'redis://127.0.0.1:1',
    PAYMENT_GATEWAY: 'razorpay',
    RAZORPAY_KEY_ID: 'rzp_live_0123456789',
    RAZORPAY_KEY_SECRET: 'a-secret-of-the-gateway-0123456789',
    RAZORPAY_WEBHOOK_SECRET: 'a-secret-of-the-webhooks-0123456789',
  });
  const { createApp } = await import('../../src/app.ts');
  const { closeRedis } = await import('../../src/config/redis.ts');
  const server = createApp().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  for (const { path } of modulesOutsideProduction.flatMap(({ endpoints }) => endpoints)) {
    const response = await fetch(`http://127.0.0.1:${port}/api/test${path.replace(/:\w+/g, 'x')}`, { method: 'POST' });
    expect(response.status, path).toBe(404);
  }
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await closeRedis();
});
