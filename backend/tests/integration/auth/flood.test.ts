import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { someAddress } from '../../support/factories.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { login } from './support.ts';

// Each try costs a verification, whatever comes of it: how long hundreds take is up to the machine.
vi.setConfig({ testTimeout: 120_000 });

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());

const WRONG = 'not-the-right-password';
const LIMIT = 50;

const outcomesOf = async (userId: string): Promise<Record<string, number>> => {
  const rows = await app.query<{ outcome: string; count: number }>(
    `select outcome, count(*)::int as count from login_attempts where user_id = $1 group by 1`,
    [userId],
  );
  return Object.fromEntries(rows.map(({ outcome, count }) => [outcome, count]));
};
const lockoutsOf = (userId: string) =>
  app.query<{ network: string | null; failures: number; live: boolean; kind: string; account: string }>(
    `select network, failures, kind, account, lifted_at is null and locked_until > now() as live
       from lockouts where user_id = $1 order by network nulls first`,
    [userId],
  );
const eventsOf = (userId: string) =>
  app.query(
    `select type, severity, tenant_id, details from security_events where user_id = $1 and type = 'ACCOUNT_LOCKED'`,
    [userId],
  );

describe('200 tries at once on one account, each from another address,', () => {
  it(
    'get no more than the limit looked at, and keep its owner out of no device of their own',
    { timeout: 90_000 },
    async () => {
      const owner = await app.buildOwner();
      const { deviceToken } = (await login(app, { email: owner.email })).body.data;
      const tries = Array.from({ length: 200 }, () =>
        login(app, { email: owner.email, password: WRONG }, someAddress()),
      );
      const own = Array.from({ length: 4 }, () => login(app, { email: owner.email, deviceToken }, someAddress()));
      const [answers, mine] = await Promise.all([Promise.all(tries), Promise.all(own)]);
      for (const answer of mine) expectSuccess(answer);
      for (const answer of answers) expectError(answer, 401, 'invalid_credentials');
      expect(await outcomesOf(owner.id)).toEqual({ SUCCESS: 5, WRONG_PASSWORD: LIMIT, LOCKED: 150 });

      // The right password helps a stranger as little now as it helps the owner on a device that is not known.
      expectError(await login(app, { email: owner.email }), 401, 'invalid_credentials');
      expectError(await login(app, { email: owner.email, deviceToken: `${deviceToken}x` }), 401, 'invalid_credentials');
      expectSuccess(await login(app, { email: owner.email, deviceToken }));
      expect(await lockoutsOf(owner.id)).toEqual([
        { network: null, failures: LIMIT, kind: 'PASSWORD', account: expect.stringMatching(/^pe….{4}$/), live: true },
      ]);
      expect(await eventsOf(owner.id)).toEqual([
        {
          type: 'ACCOUNT_LOCKED',
          severity: 'MEDIUM',
          tenant_id: owner.tenantId,
          details: { kind: 'password', failures: LIMIT, seconds: expect.any(Number) },
        },
      ]);

      const token = await app.buildOneTimeToken(owner);
      const password = 'three-quiet-rooms-in-kota';
      expectSuccess(await app.call('POST', '/api/auth/reset-password', { body: { token, password } }));
      expectSuccess(await login(app, { email: owner.email, password }));
      expect((await lockoutsOf(owner.id)).map(({ live }) => live)).toEqual([false]);
    },
  );

  it(
    'on an account that is not there are answered alike, and fill no list of events',
    { timeout: 90_000 },
    async () => {
      const email = `nobody-${randomBytes(4).toString('hex')}@people.example`;
      const answers = await Promise.all(
        Array.from({ length: 60 }, () => login(app, { email, password: WRONG }, someAddress())),
      );
      for (const answer of answers) expectError(answer, 401, 'invalid_credentials');
      const rows = await app.query<{ account: string; outcome: string; count: number }>(
        `select account, outcome, count(*)::int as count from login_attempts
        where user_id is null group by 1, 2 order by 2`,
      );
      expect(rows).toEqual([
        { account: 'no…mple', outcome: 'UNKNOWN_ACCOUNT', count: LIMIT },
        { account: 'no…mple', outcome: 'LOCKED', count: 10 },
      ]);
      expect(await app.query(`select user_id, tenant_id, account from lockouts where user_id is null`)).toEqual([
        { user_id: null, tenant_id: null, account: 'no…mple' },
      ]);
      expect(await app.query(`select 1 from security_events where user_id is null`)).toEqual([]);
      expect(JSON.stringify(await app.query(`select * from lockouts`))).not.toContain(email.slice(0, 10));
    },
  );
});

describe('Tries from one neighbourhood', () => {
  it('are put on the list of lock-outs once the wait is a minute or more, each neighbourhood once', async () => {
    await app.query(
      `insert into security_policies (type, value, updated_at) values ('LOCKOUT', '{"firstDelaySeconds": 60}', now())`,
    );
    try {
      const owner = await app.buildOwner();
      const address = someAddress();
      for (let round = 0; round < 7; round += 1) await login(app, { email: owner.email, password: WRONG }, address);
      expect(await outcomesOf(owner.id)).toEqual({ WRONG_PASSWORD: 5, LOCKED: 2 });
      expect(await lockoutsOf(owner.id)).toEqual([
        { network: address, failures: 5, kind: 'PASSWORD', account: expect.any(String), live: true },
      ]);
      expect(await eventsOf(owner.id)).toEqual([]);
      expectSuccess(await login(app, { email: owner.email }));
    } finally {
      await app.query(`delete from security_policies`);
    }
  });

  it('are limited as the policy says', async () => {
    await app.query(
      `insert into security_policies (type, value, updated_at) values ('LOCKOUT', '{"freeTries": 3, "accountTriesPerHour": 10}', now())`,
    );
    try {
      const [near, far] = [await app.buildOwner(), await app.buildOwner()];
      const address = someAddress();
      for (let round = 0; round < 5; round += 1) await login(app, { email: near.email, password: WRONG }, address);
      expect(await outcomesOf(near.id)).toEqual({ WRONG_PASSWORD: 3, LOCKED: 2 });
      for (let round = 0; round < 12; round += 1) await login(app, { email: far.email, password: WRONG });
      expect(await outcomesOf(far.id)).toEqual({ WRONG_PASSWORD: 10, LOCKED: 2 });
    } finally {
      await app.query(`delete from security_policies`);
    }
  });
});

describe('An address that is shut out', () => {
  it('is refused like a wrong password, and written down as what it is', async () => {
    const [admin, owner] = [await app.buildAdmin(), await app.buildOwner()];
    await app.query(
      `insert into ip_rules (id, effect, audience, network, note) values ('deny', 'DENY', 'ADMINS', '198.51.100.0/24', 'test')`,
    );
    try {
      const refused = await login(app, { email: admin.email }, '198.51.100.20');
      expectError(refused, 401, 'invalid_credentials');
      expectSuccess(await login(app, { email: owner.email }, '198.51.100.20'));
      expectSuccess(await login(app, { email: admin.email }, '198.51.101.20'));
      expect(await outcomesOf(admin.id)).toEqual({ ADDRESS_REFUSED: 1, SUCCESS: 1 });
      expect(await outcomesOf(owner.id)).toEqual({ SUCCESS: 1 });
    } finally {
      await app.query(`delete from ip_rules`);
    }
  });
});
