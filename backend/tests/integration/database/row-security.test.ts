import type { Client, QueryResult } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, ownerQuery, withClient, type TestDatabase } from '../../support/database.ts';

type Scope = 'studyspot_tenant' | 'studyspot_portal' | 'studyspot_auth';
type Column = { name: string; type: string; label: string | null; required: boolean };
type Table = { name: string; tenantColumn: string; appendOnly: boolean; auth: string[]; columns: Column[] };

/** What the checks of a table ask for beyond its column types. */
const particulars: Record<string, (tenant: string) => Record<string, unknown>> = {
  users: (tenant) => ({ type: 'PLATFORM_USER', kind: 'OWNER', email: `${tenant}@people.example` }),
  audit_logs: (tenant) => ({ chain: tenant }),
  audit_chains: (tenant) => ({ chain: tenant }),
  billing_entries: () => ({ balance: 1 }),
  credit_notes: () => ({ total: 5, credit_amount: 3 }),
  credit_note_items: () => ({ total: 4 }),
  invoice_items: () => ({ taxable: 1, total: 1 }),
  subscriptions: () => ({ current_period_start: '2026-01-01', current_period_end: '2026-02-01' }),
};

const OURS = 'tenant-a';
const THEIRS = 'tenant-b';
const REFUSED = /violates row-level security policy|permission denied/;

let database: TestDatabase;
let tables: Table[];
let serial = 0;

beforeAll(async () => {
  database = await createTestDatabase();
  tables = await tablesOfTenants();
  await withClient(database.ownerUrl, async (client) => {
    // Rows without their parents: what counts here is whose they are.
    await client.query(`set session_replication_role = replica`);
    for (const table of tables) for (const tenant of [OURS, THEIRS]) await insert(client, table, tenant);
  });
});
afterAll(() => database.drop());

function tablesOfTenants(): Promise<Table[]> {
  return ownerQuery<Table>(
    database,
    `select c.relname as name,
       case when c.relname = 'tenants' then 'id' else 'tenant_id' end as "tenantColumn",
       not has_table_privilege('studyspot_portal', c.oid, 'update') as "appendOnly",
       array(select p from unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE']) p
              where has_table_privilege('studyspot_auth', c.oid, p)) as auth,
       (select json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, null),
           'label', (select enumlabel from pg_enum where enumtypid = a.atttypid order by enumsortorder limit 1),
           'required', a.attnotnull and not a.atthasdef))
          from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns
     from pg_class c
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
       and (c.relname = 'tenants' or exists (select from pg_attribute where attrelid = c.oid and attname = 'tenant_id'))
     order by c.relname`,
  );
}

function valueFor({ type, label, name }: Column): unknown {
  if (label) return label;
  if (/timestamp|date/.test(type)) return '2026-01-15T10:00:00Z';
  if (/int|numeric|double/.test(type)) return 1;
  if (type === 'boolean') return false;
  if (/json/.test(type)) return '{}';
  if (type.endsWith('[]')) return '{}';
  return `${name}-${(serial += 1)}`;
}

async function insert(client: Client, table: Table, tenant: string): Promise<QueryResult> {
  const needed = table.columns.filter(({ required }) => required).map((column) => [column.name, valueFor(column)]);
  const row = { ...Object.fromEntries(needed), ...particulars[table.name]?.(tenant), [table.tenantColumn]: tenant };
  const names = Object.keys(row);
  return client.query(
    `insert into ${table.name} (${names.map((name) => `"${name}"`).join(', ')})
     values (${names.map((_, i) => `$${i + 1}`).join(', ')})`,
    Object.values(row),
  );
}

/** One transaction of the API's role in a scope, undone at the end. */
function inScope<T>(scope: Scope | null, tenant: string | null, run: (client: Client) => Promise<T>): Promise<T> {
  return withClient(database.appUrl, async (client) => {
    await client.query('begin');
    if (scope) await client.query(`select set_config('role', $1, true)`, [scope]);
    if (tenant !== null) await client.query(`select set_config('app.tenant_id', $1, true)`, [tenant]);
    return run(client);
  });
}

/** Tenants whose rows are seen. */
async function tenantsSeen(client: Client, { name, tenantColumn }: Table): Promise<string[]> {
  const { rows } = await client.query(`select distinct ${tenantColumn} as tenant from ${name} order by 1`);
  return rows.map(({ tenant }) => tenant);
}

/** What a statement answers: the number of rows, or the reason why not. The transaction goes on. */
async function attempt(client: Client, run: () => Promise<QueryResult>): Promise<number | string | null> {
  await client.query('savepoint attempt');
  try {
    return (await run()).rowCount;
  } catch (error) {
    await client.query('rollback to attempt');
    return (error as Error).message;
  }
}

/** Runs a check for each table and says by name where it fails. */
async function everyTable<T>(of: Table[], check: (table: Table) => Promise<T>): Promise<Record<string, T>> {
  const results: Record<string, T> = {};
  for (const table of of) results[table.name] = await check(table);
  return results;
}

const each = <T>(of: Table[], value: T): Record<string, T> => Object.fromEntries(of.map(({ name }) => [name, value]));

it('knows the tables of tenants', () => {
  expect(tables.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['tenants', 'users', 'sessions', 'audit_logs']),
  );
});

describe('without a scope', () => {
  it('the API’s role reads no table at all', async () => {
    await inScope(null, OURS, async (client) => {
      const answers = await everyTable(tables, (table) =>
        attempt(client, () => client.query(`select 1 from ${table.name}`)),
      );
      expect(answers).toEqual(each(tables, expect.stringContaining('permission denied')));
    });
  });

  it.each([
    ['nothing is set', null],
    ['the setting was reset', ''],
  ])('a tenant’s scope shows no row when %s', async (_, tenant) => {
    await inScope('studyspot_tenant', tenant, async (client) => {
      expect(await everyTable(tables, (table) => tenantsSeen(client, table))).toEqual(each(tables, []));
    });
  });

  it('nothing of a scope outlives its transaction', async () => {
    await withClient(database.appUrl, async (client) => {
      await client.query(
        `begin; select set_config('role', 'studyspot_portal', true), set_config('app.tenant_id', '${OURS}', true)`,
      );
      await client.query('select 1 from users');
      await client.query('commit');
      await expect(client.query('select 1 from users')).rejects.toThrow('permission denied');
      const { rows } = await client.query(`select current_user as role, app.current_tenant() as tenant`);
      expect(rows).toEqual([{ role: 'studyspot_app', tenant: null }]);
    });
  });
});

describe('in the scope of a tenant', () => {
  const inOurs = <T>(run: (client: Client) => Promise<T>) => inScope('studyspot_tenant', OURS, run);

  it('only its own rows are seen', async () => {
    await inOurs(async (client) => {
      expect(await everyTable(tables, (table) => tenantsSeen(client, table))).toEqual(each(tables, [OURS]));
    });
  });

  it('no row can be inserted for another tenant', async () => {
    await inOurs(async (client) => {
      const answers = await everyTable(tables, (table) => attempt(client, () => insert(client, table, `${THEIRS}-2`)));
      expect(answers).toEqual(each(tables, expect.stringMatching(REFUSED)));
    });
  });

  it('no row can be inserted for the platform', async () => {
    const optional = tables.filter(({ columns }) =>
      columns.some(({ name, required }) => name === 'tenant_id' && !required),
    );
    await inOurs(async (client) => {
      const answers = await everyTable(optional, (table) =>
        attempt(client, () => insert(client, table, null as unknown as string)),
      );
      expect(answers).toEqual(each(optional, expect.stringMatching(REFUSED)));
    });
  });

  it('no row can be moved to another tenant', async () => {
    await inOurs(async (client) => {
      const answers = await everyTable(tables, ({ name, tenantColumn }) =>
        attempt(client, () => client.query(`update ${name} set ${tenantColumn} = '${THEIRS}-2'`)),
      );
      expect(answers).toEqual({
        ...each(tables, expect.stringMatching(REFUSED)),
        // Their guards speak before row security does.
        credit_notes: expect.stringMatching(/was issued and cannot be changed/),
        payments: expect.stringMatching(/does not change/),
      });
    });
  });

  it('another tenant’s rows cannot be changed, taken or removed', async () => {
    const mutable = tables.filter(({ appendOnly }) => !appendOnly);
    await inOurs(async (client) => {
      const answers = await everyTable(mutable, async ({ name, tenantColumn }) => [
        await attempt(client, () =>
          client.query(`update ${name} set ${tenantColumn} = '${OURS}' where ${tenantColumn} = '${THEIRS}'`),
        ),
        await attempt(client, () => client.query(`delete from ${name} where ${tenantColumn} = '${THEIRS}'`)),
      ]);
      expect(answers).toEqual(each(mutable, [0, 0]));
    });
  });

  it('permissions and roles can be read, not changed', async () => {
    await inOurs(async (client) => {
      expect((await client.query('select code from permissions')).rows.length).toBeGreaterThan(0);
      const statements = [
        'delete from permissions',
        'delete from roles',
        `update roles set code = 'x'`,
        'delete from role_permissions',
      ];
      for (const sql of statements) expect(await attempt(client, () => client.query(sql))).toMatch(/permission denied/);
    });
  });
});

describe('in the scope of the portal', () => {
  it('the rows of all tenants are seen', async () => {
    await inScope('studyspot_portal', null, async (client) => {
      expect(await everyTable(tables, (table) => tenantsSeen(client, table))).toEqual(each(tables, [OURS, THEIRS]));
    });
  });

  it('nothing can be emptied or altered', async () => {
    await inScope('studyspot_portal', null, async (client) => {
      const answers = await everyTable(tables, async ({ name }) => [
        await attempt(client, () => client.query(`truncate ${name} cascade`)),
        await attempt(client, () => client.query(`alter table ${name} disable row level security`)),
      ]);
      expect(answers).toEqual(
        each(tables, [expect.stringContaining('permission denied'), expect.stringContaining('must be owner')]),
      );
    });
  });
});

it('rows of append-only tables can be changed or removed in no scope', async () => {
  const appendOnly = tables.filter((table) => table.appendOnly);
  expect(appendOnly.map(({ name }) => name)).toEqual([
    'audit_anchors',
    'audit_logs',
    'billing_entries',
    'credit_note_items',
    'payment_allocations',
    'setting_revisions',
    'subscription_changes',
    'tenant_transitions',
  ]);
  for (const scope of ['studyspot_tenant', 'studyspot_portal', 'studyspot_auth'] as const) {
    await inScope(scope, OURS, async (client) => {
      const answers = await everyTable(appendOnly, async ({ name, tenantColumn }) => [
        await attempt(client, () => client.query(`update ${name} set ${tenantColumn} = ${tenantColumn}`)),
        await attempt(client, () => client.query(`delete from ${name}`)),
      ]);
      const denied = expect.stringContaining('permission denied');
      const expected = each(appendOnly, [denied, denied]);
      // Only while the tenant is being purged: nobody's rows otherwise.
      if (scope === 'studyspot_portal') Object.assign(expected, { setting_revisions: [denied, 0] });
      expect(answers).toEqual(expected);
    });
  }
});

describe('in the scope of sign-in', () => {
  it('only the named tables are seen, across tenants', async () => {
    const readable = tables.filter(({ auth }) => auth.includes('SELECT'));
    const closed = tables.filter(({ auth }) => auth.length === 0);
    expect(closed.map(({ name }) => name)).toContain('idempotency_keys');
    await inScope('studyspot_auth', null, async (client) => {
      expect(await everyTable(readable, (table) => tenantsSeen(client, table))).toEqual(each(readable, [OURS, THEIRS]));
      const answers = await everyTable(closed, (table) =>
        attempt(client, () => client.query(`select 1 from ${table.name}`)),
      );
      expect(answers).toEqual(each(closed, expect.stringContaining('permission denied')));
    });
  });

  it('nothing can be removed, and no account or tenant be made', async () => {
    await inScope('studyspot_auth', null, async (client) => {
      for (const { name } of tables) {
        expect(await attempt(client, () => client.query(`delete from ${name}`)), name).toMatch(/permission denied/);
      }
      for (const name of ['users', 'tenants', 'role_assignments']) {
        const table = tables.find((candidate) => candidate.name === name) as Table;
        expect(await attempt(client, () => insert(client, table, OURS)), name).toMatch(/permission denied/);
      }
    });
  });
});
