import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { migrate, migrationsDirectory } from '../../../prisma/migrate.ts';
import {
  createEmptyDatabase,
  createTestDatabase,
  ownerQuery,
  withClient,
  type TestDatabase,
} from '../../support/database.ts';

const insertRow = (chain: string, sequence: number, createdAt: string) => `
  insert into audit_logs (id, chain, sequence, tenant_id, actor_type, action, resource, outcome, created_at, previous_hash, hash)
  values ('${chain}-${sequence}', '${chain}', ${sequence}, nullif('${chain}', 'platform'), 'SYSTEM', 'x', 'x', 'SUCCESS',
          '${createdAt}', 'p${sequence}', 'h${sequence}')`;
const anchor = (chain: string, sequence: number, hash = `h${sequence}`, reason = 'RETENTION') => `
  insert into audit_anchors (id, tenant_id, chain, sequence, hash, reason)
  values ('${randomBytes(8).toString('hex')}', nullif('${chain}', 'platform'), '${chain}', ${sequence}, '${hash}', '${reason}')`;

const partitionOf = async (database: TestDatabase, id: string): Promise<string | undefined> =>
  (
    await ownerQuery<{ part: string }>(
      database,
      `select tableoid::regclass::text as part from audit_logs where id = $1`,
      [id],
    )
  )[0]?.part;

/** As a request or job would, in a scope; the code of the error, or what came back. */
async function asApp(database: TestDatabase, scope: string, sql: string): Promise<unknown> {
  return withClient(database.appUrl, async (client) => {
    try {
      await client.query('begin');
      await client.query(`select set_config('role', $1, true), set_config('app.tenant_id', 't', true)`, [scope]);
      const { rows } = await client.query<Record<string, unknown>>(sql);
      await client.query('commit');
      return Object.values(rows[0] ?? {})[0];
    } catch (error) {
      return (error as pg.DatabaseError).code;
    }
  });
}
const asPortal = (database: TestDatabase, sql: string) => asApp(database, 'studyspot_portal', sql);

/** The first day of the month so many months ago, in UTC. */
function monthsAgo(months: number): string {
  const now = new Date();
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - months, 1)).toISOString().slice(0, 10);
}

const tests = (databaseOf: () => TestDatabase) => {
  let database: TestDatabase;
  beforeAll(() => void (database = databaseOf()));

  it('has this month and three more, and what falls outside lands in the default one', async () => {
    const months = await ownerQuery<{ month: string }>(database, 'select m::text as month from app.audit_months() m');
    expect(months.map(({ month }) => month)).toEqual([0, -1, -2, -3].map(monthsAgo));
    await asPortal(database, insertRow('a1', 1, new Date().toISOString()));
    await asPortal(database, insertRow('a1', 2, '2031-05-31T23:59:59.999999Z'));
    await asPortal(database, insertRow('a1', 3, '2031-06-01T00:00:00Z'));
    expect(await partitionOf(database, 'a1-1')).toBe(
      `audit_months.audit_logs_${monthsAgo(0).slice(0, 7).replace('-', '_')}`,
    );
    expect(await partitionOf(database, 'a1-2')).toBe('audit_months.audit_logs_rest');
  });

  it('moves them out of the default one when their month is made, once', async () => {
    expect(await asPortal(database, `select app.ensure_audit_month('2031-05-01')`)).toBe(true);
    expect(await asPortal(database, `select app.ensure_audit_month('2031-05-01')`)).toBe(false);
    expect(await partitionOf(database, 'a1-2')).toBe('audit_months.audit_logs_2031_05');
    expect(await partitionOf(database, 'a1-3')).toBe('audit_months.audit_logs_rest');
    const found = await asPortal(database, `select count(*)::int as n from audit_logs where chain = 'a1'`);
    expect(found).toBe(3);
  });

  it('is made once by several at the same moment', async () => {
    const made = await Promise.all(
      Array.from({ length: 5 }, () => asPortal(database, `select app.ensure_audit_month('2032-01-01')`)),
    );
    expect(made.filter((one) => one === true)).toHaveLength(1);
    expect(made.filter((one) => one === false)).toHaveLength(4);
  });

  it('begins on a first day', async () => {
    expect(await asPortal(database, `select app.ensure_audit_month('2031-05-02')`)).toBe('22023');
    expect(await asPortal(database, `select app.drop_audit_month('2020-05-02')`)).toBe('22023');
  });

  it.each(['studyspot_tenant', 'studyspot_auth'])('is none of the business of %s', async (scope) => {
    expect(await asApp(database, scope, `select app.ensure_audit_month('2033-01-01')`)).toBe('42501');
    expect(await asApp(database, scope, `select app.drop_audit_month('2020-01-01')`)).toBe('42501');
    expect(await asApp(database, scope, `select 1 from audit_months.audit_logs_rest`)).toBe('42501');
  });

  it.each(['select 1 from', 'delete from', 'truncate'])('cannot be reached past the whole table: %s', async (what) => {
    expect(await asPortal(database, `${what} audit_months.audit_logs_2031_05`)).toBe('42501');
  });

  it('is dropped only when it is older than twelve full months', async () => {
    for (const months of [0, 11, 12]) {
      await asPortal(database, `select app.ensure_audit_month('${monthsAgo(months)}')`);
      expect(await asPortal(database, `select app.drop_audit_month('${monthsAgo(months)}')`)).toBe('55000');
    }
    expect(await asPortal(database, `select app.drop_audit_month('2031-05-01')`)).toBe('55000');
    expect(await asPortal(database, `select app.drop_audit_month('2001-01-01')`)).toBe('42P01');
    await asPortal(database, `select app.ensure_audit_month('${monthsAgo(13)}')`);
    expect(await asPortal(database, `select app.drop_audit_month('${monthsAgo(13)}')`)).toBe('0');
  });

  it('is dropped only when the last row of each of its chains is anchored', async () => {
    const drop = `select app.drop_audit_month('2020-03-01')`;
    await asPortal(database, `select app.ensure_audit_month('2020-03-01')`);
    for (const [chain, rows] of [
      ['b1', 3],
      ['b2', 1],
    ] as const) {
      for (let sequence = 1; sequence <= rows; sequence += 1) {
        await asPortal(database, insertRow(chain, sequence, `2020-03-0${sequence}T00:00:00Z`));
      }
    }
    expect(await asPortal(database, drop)).toBe('55000');
    await asPortal(database, anchor('b1', 3, 'another'));
    await asPortal(database, anchor('b2', 1));
    expect(await asPortal(database, drop)).toBe('55000');
    await asPortal(database, anchor('b1', 2));
    await asPortal(database, anchor('b1', 3, 'h3', 'NIGHTLY'));
    expect(await asPortal(database, drop)).toBe('55000');
    await asPortal(database, insertRow('b1', 4, '2020-03-04T00:00:00Z'));
    expect(await asPortal(database, drop)).toBe('55000');
    await asPortal(database, anchor('b1', 4));
    expect(await asPortal(database, drop)).toBe('5');
    expect(await asPortal(database, `select count(*)::int as n from audit_logs where chain in ('b1', 'b2')`)).toBe(0);
    expect(await asPortal(database, drop)).toBe('42P01');
  });
};

describe('A month of the audit trail', () => {
  let database: TestDatabase;
  beforeAll(async () => void (database = await createTestDatabase()));
  afterAll(() => database.drop());
  tests(() => database);
});

const owner = `test_months_${randomBytes(4).toString('hex')}`;

describe('A month of the audit trail, where the owner is no superuser', () => {
  let database: TestDatabase;
  const asSuperuser = (sql: string) => ownerQuery({ ownerUrl: inject('testServers').ownerUrl }, sql);
  beforeAll(async () => {
    await asSuperuser(`create role ${owner} login password '${owner}'`);
    await asSuperuser(
      `grant studyspot_app, studyspot_tenant, studyspot_portal, studyspot_auth to ${owner} with admin option`,
    );
    database = await createEmptyDatabase();
    await asSuperuser(`alter database ${database.name} owner to ${owner}`);
    const address = new URL(database.ownerUrl);
    address.username = address.password = owner;
    await migrate(address.href);
  });
  afterAll(async () => {
    await database.drop();
    await asSuperuser(`drop role ${owner}`);
  });
  tests(() => database);
});

it('Rows that were there before are moved by the migration, each to its month', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'studyspot-months-'));
  const database = await createEmptyDatabase();
  try {
    cpSync(migrationsDirectory(), directory, { recursive: true });
    const later = readdirSync(directory).filter((name) => name >= '20261122215900' && !name.endsWith('.toml'));
    for (const name of later) rmSync(path.join(directory, name), { recursive: true });
    await migrate(database.ownerUrl, { directory });
    await ownerQuery(database, insertRow('c1', 1, '2024-02-29T23:59:59.999999Z'));
    await ownerQuery(database, insertRow('c1', 2, '2024-03-01T00:00:00Z'));
    await migrate(database.ownerUrl);
    expect(await partitionOf(database, 'c1-1')).toBe('audit_months.audit_logs_2024_02');
    expect(await partitionOf(database, 'c1-2')).toBe('audit_months.audit_logs_2024_03');
    const [check] = await ownerQuery(
      database,
      `select count(*)::int as n from pg_constraint where conname = 'audit_logs_chain_of_tenant' and conrelid = 'audit_logs'::regclass`,
    );
    expect(check).toEqual({ n: 1 });
  } finally {
    rmSync(directory, { recursive: true, force: true });
    await database.drop();
  }
});
