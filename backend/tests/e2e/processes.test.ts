import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { clientOf } from '../support/client.ts';
import { createTestDatabase, ownerQuery, withClient, type TestDatabase } from '../support/database.ts';
import { factoriesFor, someAddress } from '../support/factories.ts';
import {
  emptyRedis,
  endBackend,
  holdAuditChain,
  killBackends,
  startBackend,
  startMailServer,
  until,
  type BackendProcess,
} from '../support/processes.ts';

const hasRedis = Boolean(inject('testServers').redisUrl);
const REQUESTS_PER_MINUTE = 150;

let database: TestDatabase;
let mails: Awaited<ReturnType<typeof startMailServer>>;
let environment: Record<string, string>;
let a: BackendProcess;
let b: BackendProcess;
let worker: BackendProcess;
let make: ReturnType<typeof factoriesFor>;

const query = <Row extends Record<string, unknown>>(sql: string, values: unknown[] = []) =>
  ownerQuery<Row>(database, sql, values);

const me = (process: BackendProcess, token: string) => process.call('GET', '/api/auth/me', { token });

/** From an address of its own, so that limits by address do not add up. */
const askForMail = (process: BackendProcess, email: string | null, headers: Record<string, string> = {}) =>
  process.call('POST', '/api/auth/forgot-password', {
    body: { email },
    headers: { 'x-forwarded-for': someAddress(), ...headers },
  });

const deliveries = (email: string | null) => mails.delivered.filter((to) => to === email).length;

const connections = async (where: string): Promise<number> => {
  const rows = await query(
    `select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and ${where}`,
  );
  return rows.length;
};

beforeAll(async () => {
  [database, mails] = await Promise.all([createTestDatabase(), startMailServer()]);
  environment = {
    DATABASE_URL: database.appUrl,
    REDIS_URL: await emptyRedis(14),
    RATE_LIMIT_USER_PER_MINUTE: String(REQUESTS_PER_MINUTE),
    EMAIL_PROVIDER: 'smtp',
    SMTP_URL: mails.url,
    // Longer than a worker on a busy machine is silent while it loads what it renders mails with.
    JOB_LOCK_SECONDS: '5',
  };
  [a, b, worker] = await Promise.all([
    startBackend({ ...environment, ROLE: 'api' }),
    startBackend({ ...environment, ROLE: 'api' }),
    startBackend({ ...environment, ROLE: 'worker' }),
  ]);
  make = factoriesFor(database, clientOf(a.url));
}, 60_000);

afterAll(async () => {
  await Promise.all([a, b].map((process) => endBackend(process)));
  await killBackends();
  await mails.close();
  await database.drop();
}, 60_000);

describe('two API processes on one database', () => {
  it('know the same sessions: made on one, they work on the other, and end on both at once', async () => {
    const user = await make.buildOwner();
    const { token } = await make.signIn(user);
    expect((await me(b, token)).body.data).toMatchObject({ id: user.id });
    expect((await a.call('POST', '/api/auth/logout', { token })).status).toBe(200);
    expect((await me(b, token)).status).toBe(401);
    expect((await me(a, token)).status).toBe(401);
  });

  it('give two tabs that refresh at the same moment the same token', async () => {
    const { refreshToken } = await make.signIn(await make.buildOwner());
    const refresh = (process: BackendProcess) =>
      process.call('POST', '/api/auth/refresh', {
        body: { refreshToken },
        headers: { 'x-forwarded-for': someAddress() },
      });
    const answers = await Promise.all([a, b, a, b].map(refresh));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(new Set(answers.map(({ body }) => body.data.refreshToken)).size).toBe(1);
  });

  it('both see with the next request that a role was taken away', async () => {
    const admin = await make.buildAdmin();
    const { token } = await make.signIn(admin);
    const list = () => Promise.all([a, b].map((process) => process.call('GET', '/api/tenants', { token })));
    expect((await list()).map(({ status }) => status)).toEqual([200, 200]);
    await query('delete from role_assignments where user_id = $1', [admin.id]);
    await query('update users set permission_version = permission_version + 1 where id = $1', [admin.id]);
    expect((await list()).map(({ status }) => status)).toEqual([403, 403]);
  });

  it('do once what was sent to both under one Idempotency-Key', async () => {
    const token = await make.adminToken();
    const create = (process: BackendProcess) =>
      process.call('POST', '/api/tenants', {
        token,
        headers: { 'idempotency-key': 'one-tenant-please' },
        body: {
          name: 'Twice Hall',
          slug: 'twice-hall',
          email: 'office@twice.example',
          owner: { name: 'Meera Sharma', email: 'meera@twice.example' },
        },
      });
    const answers = await Promise.all([create(a), create(b), create(a), create(b)]);
    expect(answers.map(({ status }) => status).filter((status) => status !== 409)).not.toEqual([]);
    expect(answers.every(({ status }) => status === 201 || status === 409)).toBe(true);
    const later = await Promise.all([create(a), create(b)]);
    expect(later.map(({ status }) => status)).toEqual([201, 201]);
    expect(later[0]?.text).toBe(later[1]?.text);
    expect(await query(`select slug from tenants where slug like 'twice-hall%'`)).toHaveLength(1);
    await until('the owner was welcomed', () => deliveries('meera@twice.example') > 0, 25_000);
  });

  it.skipIf(!hasRedis)('count requests together', async () => {
    const { token } = await make.signIn(await make.buildOwner());
    const statuses: number[] = [];
    const processes = [a, b];
    const client = async (number: number) => {
      for (let turn = 0; turn < 40; turn += 1) statuses.push((await me(processes[(number + turn) % 2]!, token)).status);
    };
    await Promise.all([0, 1, 2, 3, 4].map(client));
    expect(statuses.filter((status) => status === 200)).toHaveLength(REQUESTS_PER_MINUTE);
    expect(statuses.filter((status) => status === 429)).toHaveLength(200 - REQUESTS_PER_MINUTE);
  });

  it('keep unbroken audit chains under many writes at once', async () => {
    const token = await make.adminToken();
    const { id } = await make.buildTenant();
    const of = (number: number) => (number % 2 ? a : b);
    const asked = Array.from({ length: 50 }, (_, number) => askForMail(of(number), `nobody-${number}@people.example`));
    const updates = Array.from({ length: 20 }, (_, number) =>
      of(number).call('PUT', `/api/tenants/${id}`, { token, body: { addressLine: `${number} Station Road` } }),
    );
    const answers = await Promise.all([...asked, ...updates]);
    expect(answers.filter(({ status }) => status >= 300).map(({ text }) => text)).toEqual([]);
    const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);
    const sequences = async (chain: string) => {
      const rows = await query<{ n: number }>('select sequence as n from audit_logs where chain = $1 order by 1', [
        chain,
      ]);
      return rows.map(({ n }) => n);
    };
    expect(await sequences(id)).toEqual(upTo(20));
    const platform = await sequences('platform');
    expect(platform.length).toBeGreaterThan(50);
    expect(platform).toEqual(upTo(platform.length));
    const versions = await Promise.all(updates).then((all) => all.map(({ body }) => body.data.version as number));
    expect(versions.toSorted((x, y) => x - y)).toEqual(upTo(21).slice(1));
    const { body } = await a.call('GET', '/api/audit/integrity', { token });
    expect(body.data).toMatchObject({ intact: true, complete: true, breaks: [] });
  });
});

describe('kill -9', () => {
  it('of the API in the midst of two writes: neither leaves a row, an audit row or a job', async () => {
    const doomed = await startBackend({ ...environment, ROLE: 'api' });
    const token = await make.adminToken();
    const owner = { name: 'Meera Sharma', email: 'half@half.example' };
    const tenant = { name: 'Half Hall', slug: 'half-hall', email: 'office@half.example', owner };

    // One has written all its rows and waits for the audit chain; the other waits for whoever has taken the email.
    const chain = await holdAuditChain(database, 'platform');
    await withClient(database.ownerUrl, async (rival) => {
      await rival.query('begin');
      await rival.query(
        `insert into users (id, type, name, email, updated_at) values ('rival', 'ADMIN_USER', 'Rival', $1, now())`,
        [owner.email],
      );
      const unanswered = Promise.allSettled([
        askForMail(doomed, 'lost@people.example', { 'x-request-id': 'lost-request' }),
        doomed.call('POST', '/api/tenants', { token, body: tenant, headers: { 'x-request-id': 'half-request' } }),
      ]);
      await chain.awaited();
      await until(
        'the tenant waited for the email',
        async () => (await connections(`wait_event = 'transactionid'`)) === 1,
      );
      doomed.child.kill('SIGKILL');
      expect((await unanswered).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
      await rival.query('rollback');
    });
    await chain.release();
    await until('their connections were gone', async () => (await connections(`state like '%transaction%'`)) === 0);
    for (const table of ['audit_logs', 'outbox_messages']) {
      expect(await query(`select id from ${table} where request_id in ('lost-request', 'half-request')`)).toEqual([]);
    }
    expect(await query(`select id from tenants where slug = 'half-hall'`)).toEqual([]);
  });

  it('of the API right after its answer: the job runs all the same', async () => {
    const owner = await make.buildOwner();
    const doomed = await startBackend({ ...environment, ROLE: 'api' });
    const { status } = await askForMail(doomed, owner.email);
    doomed.child.kill('SIGKILL');
    expect(status).toBe(202);
    await until('the mail arrived', () => deliveries(owner.email) > 0, 25_000);
    expect(deliveries(owner.email)).toBe(1);
  });

  it('of the worker in the midst of a job: another does it', async () => {
    const owner = await make.buildOwner();
    mails.hold(owner.email ?? '');
    expect((await askForMail(a, owner.email)).status).toBe(202);
    await until('the mail was under way', () => mails.begun.includes(owner.email ?? ''));
    await endBackend(worker, 'SIGKILL');
    mails.release(owner.email ?? '', false);
    expect(deliveries(owner.email)).toBe(0);

    // Two, so that they could both take it.
    const others = await Promise.all([1, 2].map(() => startBackend({ ...environment, ROLE: 'worker' })));
    await until('the mail arrived', () => deliveries(owner.email) > 0, 25_000);
    const ends = await Promise.all(others.map((process) => endBackend(process)));
    expect(ends.map(({ code }) => code)).toEqual([0, 0]);
    expect(deliveries(owner.email)).toBe(1);
    const rows = await query('select status from email_deliveries where recipient = $1', [owner.email]);
    expect(rows).toEqual([{ status: 'SENT' }]);
    expect(await query('select job, error from dead_letters')).toEqual([]);
  });
});
