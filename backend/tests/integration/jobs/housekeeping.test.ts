import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { handlers } from '../../../src/jobs/index.ts';
import { jobs as definitions } from '../../../src/queues/index.ts';
import { createTestDatabase, ownerQuery, withClient, type TestDatabase } from '../../support/database.ts';
import { factoriesFor } from '../../support/factories.ts';
import { inTransaction, jobsOn, until } from './support.ts';

let database: TestDatabase;
let jobs: ReturnType<typeof jobsOn>;

beforeAll(async () => {
  database = await createTestDatabase();
  jobs = jobsOn(database, {});
  await jobs.start({ jobs: definitions, handlers });
});
afterAll(() => jobs.close());

const stateOf = async (dedupeKey: string): Promise<string | undefined> =>
  (await ownerQuery<{ state: string }>(database, 'select state from bullmq.job where id = $1', [dedupeKey]))[0]?.state;
const run = async (job: 'cleanup.expired' | 'report.audit-verification', dedupeKey: string) => {
  await inTransaction((ctx) => ctx.enqueue(job, {}, { dedupeKey }));
  await until('it is over', async () => ['completed', 'failed'].includes((await stateOf(dedupeKey)) ?? ''));
};

describe('cleanup.expired', () => {
  it('removes what has served its time, however much it is, and leaves the rest', async () => {
    const user = await factoriesFor(database, () => Promise.reject(new Error('there is no API here'))).buildOwner();
    const rows = (sql: string) => ownerQuery(database, sql, [user.id, user.tenantId]);
    await rows(`
      insert into sessions (id, user_id, tenant_id, refresh_seed, expires_at, revoked_at)
      select name, $1, $2, 'seed', now() + expires::interval, now() + revoked::interval
        from (values ('live', '1 day', null), ('just-expired', '-29 days', null), ('just-ended', '1 day', '-29 days'),
                     ('long-expired', '-31 days', null), ('long-ended', '1 day', '-31 days')) v (name, expires, revoked)`);
    await rows(`
      insert into sessions (id, user_id, tenant_id, refresh_seed, expires_at)
      select 'old-' || n, $1, $2, 'seed', now() - interval '90 days' from generate_series(1, 4500) n`);
    await rows(`
      insert into one_time_tokens (id, user_id, tenant_id, purpose, token_hash, expires_at)
      values ('fresh', $1, $2, 'WELCOME', 'a', now()), ('stale', $1, $2, 'WELCOME', 'b', now() - interval '2 days')`);
    await rows(`
      insert into idempotency_keys (id, tenant_id, actor_id, operation_id, key, request_hash, locked_until, expires_at)
      values ('fresh', $2, $1, 'op', 'a', 'h', now(), now() + interval '1 hour'),
             ('stale', $2, $1, 'op', 'b', 'h', now(), now() - interval '1 second')`);
    await ownerQuery(
      database,
      `
      insert into outbox_messages (id, job, payload, dedupe_key, published_at)
      values ('fresh', 'x', '{}', 'a', now() - interval '6 days'), ('stale', 'x', '{}', 'b', now() - interval '8 days')`,
    );

    await rows(`
      insert into known_devices (id, user_id, tenant_id, last_seen_at)
      values ('fresh', $1, $2, now() - interval '179 days'), ('stale', $1, $2, now() - interval '181 days')`);
    await rows(`
      insert into login_attempts (id, user_id, tenant_id, account, outcome, method, created_at)
      values ('fresh', $1, $2, 'a', 'SUCCESS', 'PASSWORD', now() - interval '89 days'),
             ('stale', $1, $2, 'a', 'SUCCESS', 'PASSWORD', now() - interval '91 days')`);
    await rows(`
      insert into lockouts (id, user_id, tenant_id, account, kind, throttle_key, failures, locked_until)
      values ('fresh', $1, $2, 'a', 'PASSWORD', 'a', 5, now() - interval '89 days'),
             ('stale', $1, $2, 'a', 'PASSWORD', 'b', 5, now() - interval '91 days')`);
    await rows(`
      insert into password_history (id, user_id, tenant_id, password_hash, created_at)
      select 'password-' || to_char(i, 'FM00'), $1, $2, 'x', now() - i * interval '1 day' from generate_series(1, 27) i`);

    await run('cleanup.expired', 'clean-1');
    expect(await stateOf('clean-1')).toBe('completed');
    const left = async (table: string) =>
      (await ownerQuery<{ id: string }>(database, `select id from ${table} order by id`)).map(({ id }) => id);
    expect(await left('sessions')).toEqual(['just-ended', 'just-expired', 'live']);
    expect(await left('one_time_tokens')).toEqual(['fresh']);
    expect(await left('idempotency_keys')).toEqual(['fresh']);
    for (const table of ['known_devices', 'login_attempts', 'lockouts']) expect(await left(table)).toEqual(['fresh']);
    expect((await left('password_history')).slice(-2)).toEqual(['password-23', 'password-24']);
    expect(await left('outbox_messages')).toEqual(expect.arrayContaining(['fresh']));
    expect(await left('outbox_messages')).not.toContain('stale');
  });
});

describe('report.audit-verification', () => {
  it('is content with a whole trail, and raises the alarm over a broken one', async () => {
    for (const resourceId of ['1', '2', '3']) await inTransaction((ctx) => ctx.audit({ resource: 'test', resourceId }));
    await run('report.audit-verification', 'audit-1');
    expect(await stateOf('audit-1')).toBe('completed');

    await withClient(database.ownerUrl, (client) =>
      client.query(`update audit_logs set action = 'forged' where chain = 'platform' and sequence = 2`),
    );
    await run('report.audit-verification', 'audit-2');
    expect(await stateOf('audit-2')).toBe('failed');
    const letters = await ownerQuery(
      database,
      `select queue, attempts, error from dead_letters where job_id = 'audit-2'`,
    );
    expect(letters).toEqual([
      { queue: 'report', attempts: 1, error: expect.stringMatching(/The audit trail is broken: platform at 2 \(.+\)/) },
    ]);
  });
});
