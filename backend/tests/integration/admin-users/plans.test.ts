import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { planOf, scopesOf, type Plan } from '../../support/plans.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';

// The statements that the lists really send, and how PostgreSQL would run them over 20,000 people of whom 2,000 are
// admins, who hold 6,000 roles and did 30,000 things.

let app: TestApp;
let database: pg.Client;
let token: string;
let adminId: string;
let roleId: string;

const idOf = (kind: string, number: string) => `'c' || substr(md5('${kind}' || ${number}), 1, 24)`;

beforeAll(async () => {
  app = await startTestApp();
  token = await app.adminToken();
  const { id: tenantId } = await app.buildTenant();
  await app.query(`
    insert into users (id, tenant_id, type, kind, name, email, status, created_at, last_login_at, updated_at)
    select ${idOf('user', 'i')}, case when i > 2000 then '${tenantId}' end,
           (case when i > 2000 then 'PLATFORM_USER' else 'ADMIN_USER' end)::user_type,
           case when i > 2000 then 'STUDENT'::person_kind end, 'Person ' || i, 'person' || i || '@people.example',
           (array['ACTIVE', 'ACTIVE', 'ACTIVE', 'ACTIVE', 'ACTIVE', 'ACTIVE', 'PENDING', 'INACTIVE'])[1 + i % 8]::user_status,
           now() - i * interval '3 minutes', now() - i * interval '1 hour', now()
      from generate_series(1, 20000) i;
    insert into role_assignments (id, user_id, role_id)
    select ${idOf('assignment', "i || '-' || r.code")}, ${idOf('user', 'i')}, r.id
      from generate_series(1, 2000) i cross join roles r where r.code in ('support', 'sales', 'auditor');
    insert into role_assignments (id, tenant_id, user_id, role_id)
    select ${idOf('assignment', 'i')}, '${tenantId}', ${idOf('user', 'i')}, r.id
      from generate_series(2001, 20000) i cross join roles r where r.code = 'student';
    insert into audit_logs (id, chain, sequence, actor_type, actor_id, on_behalf_of_id, action, resource, outcome, created_at, previous_hash, hash)
    select ${idOf('audit', 'i')}, 'platform', 1000 + i, 'USER', ${idOf('user', 'i % 100')}, ${idOf('user', '(i % 90)')},
           'x.y', 'thing', 'SUCCESS', now() - i * interval '1 second', '', '' from generate_series(1, 30000) i;`);
  await app.query(`
    insert into totp_credentials (user_id, tenant_id, sealed_secret, confirmed_at)
    select id, tenant_id, 'x', now() from users where email like 'person%';
    insert into passkeys (id, tenant_id, user_id, name, credential_id, public_key, counter, backed_up)
    select 'c' || substr(md5('key' || id), 1, 24), tenant_id, id, 'Phone', id, '', 0, false from users where email like 'person%'`);
  await app.query('analyze');
  const [ids] = await app.query<{ admin: string; role: string }>(
    `select ${idOf('user', '7')} as admin, (select id from roles where code = 'student') as role`,
  );
  adminId = ids!.admin;
  roleId = ids!.role;
  database = new pg.Client(app.database.appUrl);
  await database.connect();
});
afterAll(async () => {
  await database.end();
  await app.close();
});

/** The plans of what the handler sends: who is calling is asked first. */
async function plansOf(path: string): Promise<Plan[][]> {
  const scopes = await scopesOf(app, path, token);
  expect(scopes).toHaveLength(2);
  const [scope, ...statements] = scopes[1]!;
  const plans: Plan[][] = [];
  for (const statement of statements) plans.push(await planOf(database, scope!, statement));
  return plans;
}

const indexesOf = (nodes: Plan[]) => nodes.flatMap((node) => node['Index Name'] ?? []);
/** A handful of rows is read as a whole: that is what there is of roles. */
const scanned = (nodes: Plan[]) =>
  nodes
    .filter((node) => node['Node Type'] === 'Seq Scan' && node['Relation Name'] !== 'roles')
    .map((node) => node['Relation Name']);

describe('The list of admins among many people', () => {
  it.each(
    [
      ['createdAt', 'users_admins_created_idx'],
      ['name', 'users_admins_name_idx'],
      ['lastLoginAt', 'users_admins_sign_in_idx'],
    ].flatMap(([sort, index]) => ['asc', 'desc'].map((order) => ({ sort, order, index }))),
  )('is sorted by $sort $order along an index', async ({ sort, order, index }) => {
    const [rows, count] = await plansOf(`/api/admin-users?sort=${sort}&order=${order}`);
    expect(indexesOf(rows!)).toContain(index);
    expect(rows!.filter((node) => node['Sort Key']?.some((key) => key.startsWith('u.')))).toEqual([]);
    expect([...scanned(rows!), ...scanned(count!)]).toEqual([]);
    expect(indexesOf(count!).join(' ')).toMatch(/users_admins/);
  });

  it.each([
    'status=PENDING',
    'invited=true',
    'q=person1+99',
    'role=support',
    'mfa=on',
    'mfa=off&status=ACTIVE',
    'sort=status',
  ])('is filtered by %s over admins alone', async (query) => {
    const plans = await plansOf(`/api/admin-users?${query}`);
    for (const plan of plans) {
      expect(scanned(plan), query).toEqual([]);
      expect(indexesOf(plan).join(' ')).toMatch(/users_admins|users_pkey/);
    }
  });

  it('is searched in an index', async () => {
    const [, count] = await plansOf('/api/admin-users?q=person+1999');
    expect(indexesOf(count!)).toContain('users_admins_search_idx');
  });

  it('is counted in one statement over admins alone', async () => {
    const [counts, ...others] = await plansOf('/api/admin-users/analytics');
    expect(others).toEqual([]);
    expect(scanned(counts!)).toEqual([]);
    expect(indexesOf(counts!).join(' ')).toMatch(/users_admins/);
  });
});

describe('What belongs to one', () => {
  it('activity is read along the index of either kind', async () => {
    const [rows] = await plansOf(`/api/admin-users/${adminId}/activity`);
    expect(scanned(rows!)).toEqual([]);
    expect(indexesOf(rows!).join(' ')).toMatch(/actor_id/);
    expect(indexesOf(rows!).join(' ')).toMatch(/on_behalf_of_id/);
  });

  it('sessions, members and roles are found by their keys', async () => {
    for (const path of [`admin-users/${adminId}/sessions`, `rbac/roles/${roleId}/members`, `rbac/roles/${roleId}`]) {
      const plans = await plansOf(`/api/${path}`);
      for (const plan of plans) expect(scanned(plan), path).toEqual([]);
    }
  });
});
