import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { migrate } from '../../../prisma/migrate.ts';
import { createEmptyDatabase, ownerQuery, withClient, type TestDatabase } from '../../support/database.ts';

// The roles of the application exist on this server already: another database was migrated before.
const owner = `test_owner_${randomBytes(4).toString('hex')}`;
let database: TestDatabase;
let url: string;

const asSuperuser = (sql: string) => ownerQuery({ ownerUrl: inject('testServers').ownerUrl }, sql);

beforeAll(async () => {
  await asSuperuser(`create role ${owner} login password '${owner}'`);
  database = await createEmptyDatabase();
  await asSuperuser(`alter database ${database.name} owner to ${owner}`);
  const address = new URL(database.ownerUrl);
  address.username = address.password = owner;
  url = address.href;
});
afterAll(async () => {
  await database.drop();
  await asSuperuser(`drop role ${owner}`);
});

describe('an owner who is no superuser', () => {
  it('is told what to run when the roles belong to somebody else, and nothing remains', async () => {
    await expect(migrate(url)).rejects.toThrow(
      new RegExp(`${owner} may not set up the roles[\\s\\S]*GRANT studyspot_app, .* TO ${owner} WITH ADMIN OPTION`),
    );
    expect(await ownerQuery(database, `select 1 from pg_namespace where nspname = 'app'`)).toEqual([]);
  });

  it('migrates after doing so, and again without work', async () => {
    const [hint = ''] = /GRANT studyspot_app, .* WITH ADMIN OPTION/.exec(
      await migrate(url).then(String, (error: Error) => error.message),
    ) as string[];
    await asSuperuser(hint);
    expect(await migrate(url)).not.toEqual([]);
    expect(await migrate(url)).toEqual([]);
  });

  it('owns everything, and fills tables whose row security binds it', async () => {
    const others = await ownerQuery(
      database,
      `select oid::regclass from pg_class where relnamespace in ('public'::regnamespace, 'bullmq'::regnamespace)
          and pg_get_userbyid(relowner) <> $1`,
      [owner],
    );
    expect(others).toEqual([]);
    await withClient(url, async (client) => {
      await client.query(`begin; set local role studyspot_portal`);
      await client.query(
        `insert into tenants (id, name, slug, email, updated_at) values ('t', 'T', 't', 't@example.com', now())`,
      );
      await client.query('commit');
    });
    const { rows } = await withClient(database.appUrl, async (client) => {
      await client.query(
        `begin; select set_config('role', 'studyspot_tenant', true), set_config('app.tenant_id', 't', true)`,
      );
      return client.query('select id from tenants');
    });
    expect(rows).toEqual([{ id: 't' }]);
  });
});
