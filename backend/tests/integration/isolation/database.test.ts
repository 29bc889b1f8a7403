import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withClient } from '../../support/database.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';
import { buildPlace, peopleSeenBy, type Place } from './support.ts';

// Layer 1: row-level security. Table by table it is tested in tests/integration/database; here it is taken away.

let app: TestApp;
let mine: Place;
let theirs: Place;
beforeAll(async () => {
  app = await startTestApp();
  mine = await buildPlace(app, 'Ours');
  theirs = await buildPlace(app, 'Theirs');
});
afterAll(() => app.close());

/** Everything that the tenant's scope sees of a table, as the API signs in. */
const seenInScope = (scope: string, tenantId: string, query: string) =>
  withClient(app.database.appUrl, async (client) => {
    await client.query('begin');
    await client.query(`select set_config('role', $1, true), set_config('app.tenant_id', $2, true)`, [scope, tenantId]);
    const { rows } = await client.query(query);
    await client.query('rollback');
    return rows.map((row) => String(Object.values(row)[0]));
  });

const TENANTS = 'select id from tenants order by id';
const PEOPLE = 'select distinct tenant_id from users order by 1';

async function withoutPolicies(tables: string[], work: () => Promise<void>): Promise<void> {
  await app.query(tables.map((table) => `alter table ${table} disable row level security`).join('; '));
  try {
    await work();
  } finally {
    await app.query(tables.map((table) => `alter table ${table} enable row level security`).join('; '));
  }
}

describe('The policies of the database', () => {
  it('show a query without any condition the rows of the tenant alone', async () => {
    expect(await seenInScope('studyspot_tenant', mine.tenantId, TENANTS)).toEqual([mine.tenantId]);
    expect(await seenInScope('studyspot_tenant', mine.tenantId, PEOPLE)).toEqual([mine.tenantId]);
    expect(await seenInScope('studyspot_tenant', '', PEOPLE)).toEqual([]);
    expect(await seenInScope('studyspot_tenant', '%', TENANTS)).toEqual([]);
  });

  it("and without them the same query finds the other tenant's", async () => {
    const both = [mine.tenantId, theirs.tenantId].toSorted();
    await withoutPolicies(['tenants', 'users'], async () => {
      expect(await seenInScope('studyspot_tenant', mine.tenantId, TENANTS)).toEqual(both);
      expect(await seenInScope('studyspot_tenant', mine.tenantId, PEOPLE)).toEqual(expect.arrayContaining(both));
    });
  });

  it('keep what is written in the tenant, and a policy that is gone for reading shuts everything', async () => {
    const steal = `update users set name = 'Stolen' where tenant_id = '${theirs.tenantId}' returning id`;
    expect(await seenInScope('studyspot_tenant', mine.tenantId, steal)).toEqual([]);
    const plant = `insert into libraries (id, tenant_id, name, address_line, city, state, pincode, seat_count, updated_at)
                   values ('planted', '${theirs.tenantId}', 'x', 'x', 'x', 'RJ', '324005', 1, now()) returning id`;
    await expect(seenInScope('studyspot_tenant', mine.tenantId, plant)).rejects.toThrow(/row-level security/);
    const names = await app.query<{ name: string }>(
      `select policyname as name from pg_policies where tablename = 'users'`,
    );
    expect(names.length).toBeGreaterThan(0);
    await withClient(app.database.ownerUrl, async (client) => {
      await client.query('begin');
      for (const { name } of names) await client.query(`drop policy "${name}" on users`);
      await client.query(`select set_config('role', 'studyspot_tenant', true), set_config('app.tenant_id', $1, true)`, [
        mine.tenantId,
      ]);
      expect((await client.query('select id from users')).rows).toEqual([]);
      await client.query('rollback');
    });
  });

  it("are what makes another tenant's row a 404 in the API", async () => {
    const read = () => app.call('GET', `/api/tenants/${theirs.tenantId}`, { token: mine.token });
    expectError(await read(), 404, 'not_found');
    expect(await peopleSeenBy(app, theirs.tenantId, mine.token)).toEqual([]);
    await withoutPolicies(['tenants', 'users'], async () => {
      const crossed = await read();
      expectSuccess(crossed);
      expect(crossed.body.data.name).toBe('Theirs');
      expect(await peopleSeenBy(app, theirs.tenantId, mine.token)).toContain('Student of Theirs');
    });
    expectError(await read(), 404, 'not_found');
  });
});
