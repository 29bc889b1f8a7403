import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TENANT_DATA, tenantColumn } from '../../../src/services/tenant-data.policy.ts';
import { createTestDatabase, ownerQuery, type TestDatabase } from '../../support/database.ts';

// What the purge, the exports and the erasure go by must speak of every table and column that there is.

let database: TestDatabase;
beforeAll(async () => void (database = await createTestDatabase()));
afterAll(() => database.drop());

const columnsOf = async (table: string): Promise<string[]> =>
  (
    await ownerQuery<{ name: string }>(
      database,
      `select attname as name from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped`,
      [`public.${table}`],
    )
  ).map(({ name }) => name);

describe('The list of what is a tenant’s', () => {
  it('names every table with a tenant_id, wherever it lies, and the tenants themselves', async () => {
    const found = await ownerQuery<{ name: string }>(
      database,
      `select distinct coalesce(parent.relname, c.relname) as name
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
         join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
         left join pg_inherits i on i.inhrelid = c.oid and c.relispartition
         left join pg_class parent on parent.oid = i.inhparent
        where c.relkind in ('r', 'p', 'f', 'm') and n.nspname not in ('bullmq', 'information_schema')
          and n.nspname !~ '^pg_'`,
    );
    const tables = [...found.map(({ name }) => name), 'tenants'];
    expect(TENANT_DATA.map(({ table }) => table).toSorted()).toEqual(tables.toSorted());
  });

  it.each(TENANT_DATA.filter(({ export: exported }) => 'columns' in exported))(
    'decides on every column of $table',
    async ({ table, export: exported }) => {
      if (!('columns' in exported)) return;
      const named = [...exported.columns, ...Object.keys(exported.without ?? {})];
      expect(named.toSorted()).toEqual((await columnsOf(table)).toSorted());
    },
  );

  it('hands out no column that a secret could be in', () => {
    const handedOut = TENANT_DATA.flatMap(({ table, export: exported }) =>
      'columns' in exported ? exported.columns.map((column) => `${table}.${column}`) : [],
    );
    expect(handedOut.filter((column) => /hash|secret|seed|token|challenge|credential|public_key/.test(column))).toEqual(
      [],
    );
  });

  it('reads each table on by a key that is unique within a tenant', async () => {
    for (const { table, export: exported } of TENANT_DATA) {
      if (!('columns' in exported)) continue;
      const unique = await ownerQuery<{ columns: string[] }>(
        database,
        `select array(select a.attname::text from unnest(i.indkey::int[]) k join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k)
                as columns from pg_index i where i.indrelid = $1::regclass and i.indisunique and i.indpred is null`,
        [`public.${table}`],
      );
      const key = new Set([tenantColumn(table), ...exported.key]);
      expect(
        unique.some(({ columns }) => columns.every((column) => key.has(column))),
        `${table} by ${exported.key.join()}`,
      ).toBe(true);
    }
  });

  it('removes rows before what they refer to', async () => {
    const references = await ownerQuery<{ from: string; to: string }>(
      database,
      `select conrelid::regclass::text as from, confrelid::regclass::text as to from pg_constraint
        where contype = 'f' and conparentid = 0`,
    );
    const removed = TENANT_DATA.filter(({ purge }) => purge.does === 'delete').map(({ table }) => table);
    const wrong = references.filter(
      ({ from, to }) => removed.includes(to) && from !== to && removed.indexOf(from) > removed.indexOf(to),
    );
    expect(wrong).toEqual([]);
    expect(references.filter(({ from, to }) => removed.includes(to) && !removed.includes(from))).toEqual([]);
  });
});
