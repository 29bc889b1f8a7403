import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import * as plans from '../support/plans.ts';
import { messagesOf, scopesOf, type Batch, type Plan, type Statement } from '../support/plans.ts';
import { startTestApp, type TestApp } from '../support/server.ts';

// The statements that requests really send, and how PostgreSQL would run them over 1,000 tenants, 20,000 people and
// 30,000 audit rows, in the scope of the request.
//
// A thousand tenants are so few pages that reading all of them is cheapest, and a filter that leaves a third of the
// rows is no reason to use an index either. So sequential scans are made expensive here: what is left shows whether
// an index could be used for the filter at all, which is what counts once the table has grown.

const idOf = (kind: string, number: string) => `'c' || substr(md5('${kind}' || ${number}), 1, 24)`;

let app: TestApp;
let database: pg.Client;
let token: string;
let owner: { token: string; tenantId: string };
let busy: { tenantId: string; actorId: string };

beforeAll(async () => {
  app = await startTestApp();
  token = await app.adminToken();
  owner = await app.ownerWithToken();
  await fill();
  const [row] = await app.query<{ tenantId: string; actorId: string }>(
    `select ${idOf('tenant', '7')} as "tenantId", ${idOf('user', '7')} as "actorId"`,
  );
  busy = row!;
  database = new pg.Client(app.database.appUrl);
  await database.connect();
});
afterAll(async () => {
  await database.end();
  await app.close();
});

async function fill(): Promise<void> {
  await app.query(`
    insert into tenants (id, name, slug, email, phone, city, state, status, trial_ends_at, created_at, updated_at)
    select ${idOf('tenant', 'i')}, 'Reading Hall ' || i, 'reading-hall-of-' || i, 'office' || i || '@halls.example',
           '+9198' || lpad(i::text, 8, '0'), 'City ' || i % 50, (array['RJ', 'MH', 'KA', 'DL', 'UP'])[1 + i % 5],
           (array['TRIAL', 'ACTIVE', 'ACTIVE', 'ACTIVE', 'SUSPENDED', 'INACTIVE'])[1 + i % 6]::tenant_status,
           case when i % 3 = 0 then now() + i * interval '1 hour' end, now() - i * interval '7 hours', now()
      from generate_series(1, 1000) i;
    insert into users (id, tenant_id, type, kind, name, email, phone, status, created_at, updated_at)
    select ${idOf('user', 'i')}, ${idOf('tenant', '(1 + i % 1000)')}, 'PLATFORM_USER',
           (case when i <= 1000 then 'OWNER' when (i / 1000) % 5 = 0 then 'STAFF' else 'STUDENT' end)::person_kind,
           'Person ' || i, 'person' || i || '@people.example', '+9197' || lpad(i::text, 8, '0'),
           (array['ACTIVE', 'PENDING', 'INACTIVE'])[1 + (i / 1000) % 3]::user_status, now() - i * interval '3 minutes', now()
      from generate_series(1, 20000) i;
    with plan as (
      insert into subscription_plans (id, code, name, updated_at)
      select ${idOf('plan', 'i')}, 'plan-' || i, 'Plan ' || i, now() from generate_series(1, 40) i returning id)
    insert into subscription_plan_versions (id, plan_id, number, monthly_price, annual_price, trial_days, sac_code)
    select id, id, 1, 999, 9990, 14, '997331' from plan;
    insert into subscriptions (id, tenant_id, plan_id, plan_version_id, status, billing_cycle, started_on, anchor_day,
                               current_period_start, current_period_end, updated_at)
    select ${idOf('subscription', 'i')}, ${idOf('tenant', 'i')}, ${idOf('plan', '(1 + i % 40)')}, ${idOf('plan', '(1 + i % 40)')},
           'TRIAL', 'MONTHLY', '2026-08-01', 1, '2026-08-01', '2026-08-15', now() from generate_series(1, 1000) i;
    insert into sessions (id, tenant_id, user_id, refresh_seed, expires_at)
    select ${idOf('session', 'i')}, ${idOf('tenant', '(1 + i % 1000)')}, ${idOf('user', 'i')}, 'x', now() + interval '1 day'
      from generate_series(1, 5000) i;
    insert into role_assignments (id, tenant_id, user_id, role_id)
    select ${idOf('assignment', 'i')}, ${idOf('tenant', '(1 + i % 1000)')}, ${idOf('user', 'i')},
           (select id from roles where code = 'student') from generate_series(1, 20000) i;
    insert into tenant_transitions (id, tenant_id, "from", "to", created_at)
    select ${idOf('transition', 'i')}, ${idOf('tenant', '(1 + i % 1000)')}, 'TRIAL', 'ACTIVE', now() - i * interval '1 minute'
      from generate_series(1, 3000) i;
    insert into audit_logs (id, chain, sequence, tenant_id, actor_type, actor_id, action, resource, resource_id, outcome,
                            created_at, previous_hash, hash)
    select ${idOf('audit', 'i')}, tenant, 1000 + row_number() over (partition by tenant order by i), tenant, 'USER',
           ${idOf('user', 'i % 300')}, 'x.' || i % 20, (array['tenant', 'session', 'user'])[1 + i % 3],
           ${idOf('tenant', '(1 + i % 997)')}, (case when i % 50 = 0 then 'FAILURE' else 'SUCCESS' end)::audit_outcome,
           now() - i * interval '1 minute', repeat('0', 64), repeat('1', 64)
      from (select i, ${idOf('tenant', '(1 + i % 1000)')} as tenant from generate_series(1, 30000) i) rows;
    insert into impersonations (id, tenant_id, admin_id, admin_name, user_id, user_name, reason, ticket, mode, started_at, expires_at)
    select ${idOf('impersonation', 'i')}, ${idOf('tenant', '(1 + i % 1000)')}, ${idOf('user', 'i % 20')}, 'Asha', ${idOf('user', 'i')},
           'Meera', 'To help them', 'SUP-' || i, 'READ_ONLY', now() - i * interval '1 hour', now() - i * interval '1 hour'
      from generate_series(1, 2000) i;
    analyze`);
}

const sentBy = (path: string, who = token) => scopesOf(app, path, who);
const planOf = (...asked: [Statement, Statement, string?]) => plans.planOf(database, ...asked);

/** The statements of the handler: who is calling is asked first, and the first statement takes the scope. */
async function statementsOf(path: string, who?: string) {
  const messages = await sentBy(path, who);
  expect(messages).toHaveLength(2);
  const [scope, rows, count, ...others] = messages[1] as [Statement, Statement, Statement, ...Batch];
  return { scope, rows, count, others };
}

/** Each month of the audit trail has an index of its own for each of the whole table. */
const ofWholeTable = (index: string) => index.replace(/^audit_logs_(?:rest|\d{4}_\d\d)_/, 'audit_logs_');

/** Names of the indexes that are used, each with what is looked up in it. */
const indexesOf = (nodes: Plan[]) =>
  Object.fromEntries(
    nodes.flatMap((node) => (node['Index Name'] ? [[ofWholeTable(node['Index Name']), node['Index Cond'] ?? '']] : [])),
  );
const scanned = (nodes: Plan[]) =>
  nodes.filter((node) => node['Node Type'] === 'Seq Scan').map((node) => node['Relation Name']);

describe('GET /api/tenants over 1,000 tenants', () => {
  it.each([
    ['status=SUSPENDED', 'tenants_status_created_at_id_idx', 'status'],
    ['city=CITY+7', 'tenants_city_lower_idx', 'lower'],
    ['state=KA', 'tenants_state_created_at_id_idx', 'state'],
    ['plan=c0123456789abcdef01234567', 'subscriptions_plan_id_status_created_at_id_idx', 'plan_id'],
    ['createdFrom=2999-01-01', 'tenants_created_at_id_idx', 'created_at'],
    ['createdTo=2020-01-01', 'tenants_created_at_id_idx', 'created_at'],
    ['q=hall+77', 'tenants_search_idx', 'lower'],
    ['q=980000', 'tenants_search_idx', 'lower'],
    ['q=reeding', 'tenants_search_idx', 'lower'],
    ['q=%E0%A4%AE%E0%A5%80%E0%A4%B0%E0%A4%BE', 'tenants_search_idx', 'lower'],
  ])('looks up %s in an index', async (filter, index, column) => {
    const { scope, rows, count } = await statementsOf(`/api/tenants?${filter}`);
    expect(scope.values).toEqual(['studyspot_portal', '']);
    const counting = await planOf(scope, count);
    expect(indexesOf(counting)[index]).toContain(column);
    expect(scanned(counting)).toEqual([]);
    const reading = await planOf(scope, rows);
    expect(scanned(reading)).toEqual([]);
    // For a page of twenty it may be cheapest to go along the order and leave out what does not match.
    const used = indexesOf(reading);
    expect(index in used || 'tenants_created_at_id_idx' in used).toBe(true);
  });

  it('looks up several filters at once in an index too', async () => {
    const { scope, rows, count } = await statementsOf('/api/tenants?status=ACTIVE&city=City+7&state=KA&q=hall');
    for (const statement of [rows, count]) {
      const plan = await planOf(scope, statement);
      expect(scanned(plan)).toEqual([]);
      expect(Object.values(indexesOf(plan)).join(' ')).toMatch(/city|state|lower/);
    }
  });

  it.each(
    [
      ['createdAt', 'tenants_created_at_id_idx', null],
      ['name', 'tenants_name_id_idx', null],
      ['trialEndsAt', 'tenants_trial_ends_at_id_idx', null],
      ['status', 'tenants_status_created_at_id_idx', 'Incremental Sort'],
      ['city', 'tenants_city_created_at_id_idx', 'Incremental Sort'],
    ].flatMap(([sort, index, sorting]) => ['asc', 'desc'].map((order) => ({ sort, order, index, sorting }))),
  )('sorts by $sort $order along an index', async ({ sort, order, index, sorting }) => {
    const { scope, rows } = await statementsOf(`/api/tenants?sort=${sort}&order=${order}`);
    const plan = await planOf(scope, rows);
    expect(indexesOf(plan)).toHaveProperty([String(index)]);
    // Equal values alone are put in order, those of one status or city after the other.
    const sorts = plan.filter((node) => node['Sort Key']?.some((key) => key.startsWith('t.')));
    expect(sorts.map((node) => node['Node Type'])).toEqual(sorting ? [sorting] : []);
  });

  it.each(['', '?q=hall&sort=city', '?q=hall&sort=status&order=asc', '?city=City+7&sort=name'])(
    'looks up an owner and a subscription for each tenant of the page, and not for each that matches: %s',
    async (query) => {
      const { scope, rows } = await statementsOf(`/api/tenants${query}`);
      const plan = await planOf(scope, rows, ', analyze, timing off');
      for (const table of ['users', 'subscriptions']) {
        const lookUps = plan.filter((node) => node['Relation Name'] === table);
        expect(lookUps).toHaveLength(1);
        expect(lookUps[0]?.['Index Cond']).toContain('tenant_id = t.id');
        expect(lookUps[0]?.['Actual Loops']).toBe(20);
      }
    },
  );

  it('finds one tenant and its owner by their keys', async () => {
    const messages = await sentBy(`/api/tenants/${busy.tenantId}`);
    const [scope, one] = messages[1] as [Statement, Statement];
    const plan = await planOf(scope, one);
    expect(indexesOf(plan)).toMatchObject({ tenants_pkey: expect.stringContaining('id =') });
    expect(scanned(plan)).toEqual([]);
  });
});

describe('The people and the history of one tenant', () => {
  const askers = [
    ['an admin', () => ({ who: token, id: busy.tenantId, scope: ['studyspot_portal', ''] })],
    ['its owner', () => ({ who: owner.token, id: owner.tenantId, scope: ['studyspot_tenant', owner.tenantId] })],
  ] as const;

  it.each(
    askers.flatMap(([name, asker]) =>
      ['', '?kind=STAFF', '?status=PENDING', '?q=person+1', '?sort=name&order=asc'].map((query) => ({
        name,
        asker,
        query,
      })),
    ),
  )('are found by tenant, for $name: $query', async ({ asker, query }) => {
    const { who, id, scope: expected } = asker();
    const { scope, rows, count, others } = await statementsOf(`/api/tenants/${id}/users${query}`, who);
    expect(scope.values).toEqual(expected);
    for (const statement of [rows, count]) {
      const plan = await planOf(scope, statement);
      expect(scanned(plan)).toEqual([]);
      expect(Object.values(indexesOf(plan)).join(' ')).toContain('tenant_id');
    }
    const parent = await planOf(scope, others[0] as Statement);
    expect(indexesOf(parent)).toHaveProperty('tenants_pkey');
  });

  it('are filtered by kind and status in the index, for an admin', async () => {
    for (const [query, index] of [
      ['kind=STAFF', 'users_tenant_id_kind_created_at_id_idx'],
      ['status=PENDING', 'users_tenant_id_status_created_at_id_idx'],
    ] as const) {
      const { scope, rows, count } = await statementsOf(`/api/tenants/${busy.tenantId}/users?${query}`);
      expect(indexesOf(await planOf(scope, count))[index]).toMatch(/tenant_id.*(kind|status)/);
      expect(indexesOf(await planOf(scope, rows))[index]).toMatch(/tenant_id.*(kind|status)/);
    }
  });

  it('changes of status are read in order', async () => {
    const { scope, rows } = await statementsOf(`/api/tenants/${busy.tenantId}/transitions`);
    expect(indexesOf(await planOf(scope, rows))).toEqual({
      tenant_transitions_tenant_id_created_at_id_idx: expect.stringContaining('tenant_id'),
    });
  });
});

describe('GET /api/audit over 30,000 rows', () => {
  it.each([
    ['actorId', () => busy.actorId, 'audit_logs_actor_id_created_at_id_idx', 'actor_id'],
    ['action', () => 'x.7', 'audit_logs_action_created_at_id_idx', 'action'],
    ['resource', () => 'user', 'audit_logs_resource_resource_id_created_at_id_idx', 'resource'],
    ['resourceId', () => busy.tenantId, 'audit_logs_resource_id_created_at_id_idx', 'resource_id'],
    ['ipAddress', () => '203.0.113.9', 'audit_logs_ip_address_created_at_id_idx', 'ip_address'],
    ['onBehalfOfId', () => busy.actorId, 'audit_logs_on_behalf_of_id_created_at_id_idx', 'on_behalf_of_id'],
    ['actorType', () => 'API_KEY', 'audit_logs_actor_type_created_at_id_idx', 'actor_type'],
    ['tenantId', () => busy.tenantId, 'audit_logs_tenant_id_created_at_id_idx', 'tenant_id'],
    ['outcome', () => 'FAILURE', 'audit_logs_outcome_created_at_id_idx', 'outcome'],
    ['from', () => new Date(Date.now() - 3_600_000).toISOString(), 'audit_logs_created_at_id_idx', 'created_at'],
    ['to', () => '2020-01-01', 'audit_logs_created_at_id_idx', 'created_at'],
  ])('looks up %s in an index', async (filter, value, index, column) => {
    const { scope, rows, count } = await statementsOf(`/api/audit?${filter}=${value()}`);
    const counting = await planOf(scope, count);
    // Several indexes hold a time behind something with few values, which PostgreSQL 18 can skip.
    const lookUps = column === 'created_at' ? Object.values(indexesOf(counting)).join(' ') : indexesOf(counting)[index];
    expect(lookUps).toContain(column);
    for (const plan of [counting, await planOf(scope, rows)]) expect(scanned(plan)).toEqual([]);
  });

  it.each([
    ['actorId', () => busy.actorId, 'audit_logs_actor_id_created_at_id_idx'],
    ['action', () => 'x.7', 'audit_logs_action_created_at_id_idx'],
    ['resourceId', () => busy.tenantId, 'audit_logs_resource_id_created_at_id_idx'],
    ['ipAddress', () => '203.0.113.9', 'audit_logs_ip_address_created_at_id_idx'],
    ['onBehalfOfId', () => busy.actorId, 'audit_logs_on_behalf_of_id_created_at_id_idx'],
    ['tenantId', () => busy.tenantId, 'audit_logs_tenant_id_created_at_id_idx'],
  ])('reads those of %s in order, without sorting', async (filter, value, index) => {
    const { scope, rows } = await statementsOf(`/api/audit?${filter}=${value()}`);
    const plan = await planOf(scope, rows);
    expect(indexesOf(plan)).toHaveProperty([index]);
    expect(plan.filter((node) => node['Node Type'].includes('Sort'))).toEqual([]);
  });

  it('goes on from a cursor without reading what came before, and without counting', async () => {
    const { body } = await app.call('GET', '/api/audit', { token });
    const messages = await sentBy(`/api/audit?cursor=${body.meta.nextCursor}`);
    const [scope, rows, ...others] = messages[1] as [Statement, Statement, ...Batch];
    expect(others).toEqual([]);
    const plan = await planOf(scope, rows);
    expect(indexesOf(plan)).toEqual({ audit_logs_created_at_id_idx: expect.stringMatching(/ROW\(created_at, id\) </) });
    expect(new Set(plan.map((node) => node['Node Type']))).toEqual(new Set(['Limit', 'Merge Append', 'Index Scan']));
  });

  it('finds an entry and the links of a chain by their keys', async () => {
    const { body } = await app.call('GET', '/api/audit?limit=1', { token });
    const [scope, one] = (await sentBy(`/api/audit/${body.data[0].id}`))[1] as [Statement, Statement];
    const entry = await planOf(scope, one);
    expect(indexesOf(entry)).toMatchObject({ audit_logs_pkey: expect.stringContaining('id =') });
    expect(scanned(entry)).toEqual([]);
    const messages = await sentBy(`/api/audit/integrity?chain=${busy.tenantId}&from=1001&to=1005`);
    for (const [taken, ...statements] of messages.slice(1) as [Statement, ...Batch][]) {
      for (const statement of statements) {
        const plan = await planOf(taken, statement);
        expect(indexesOf(plan)).toHaveProperty('audit_logs_chain_sequence_created_at_idx');
        expect(scanned(plan).filter((table) => table?.startsWith('audit_logs'))).toEqual([]);
      }
    }
  });
});

describe('Who is calling', () => {
  it('is found by keys alone', async () => {
    const [[scope, principal] = []] = await sentBy('/api/auth/me', owner.token);
    expect(scope?.values[0]).toBe('studyspot_auth');
    const plan = await planOf(scope!, principal!);
    const used = Object.keys(indexesOf(plan));
    expect(used).toEqual(expect.arrayContaining(['sessions_pkey', 'tenants_pkey', 'users_pkey']));
    // The rules about addresses are a handful, and all of them are looked at.
    expect(used.filter((index) => !/_pkey$|^ip_rules_|^settings_tenant_id_key_key$/.test(index))).toEqual([]);
    expect(scanned(plan).filter((table) => table !== 'ip_rules')).toEqual([]);
  });

  it('and what they may do, where that has changed since they signed in', async () => {
    const { rolesOf } = await import('../../src/services/principal.queries.ts');
    const scope = { text: `select set_config('role', $1, true)`, values: ['studyspot_auth'] };
    const plan = await planOf(scope, rolesOf(busy.actorId));
    expect(indexesOf(plan)['role_assignments_user_id_role_id_key']).toContain('user_id');
    expect(scanned(plan)).toEqual([]);
  });
});

describe('The number of statements', () => {
  it.each([
    '/api/tenants?',
    '/api/tenants?q=hall&sort=city&',
    '/api/tenants/:tenant/users?',
    '/api/tenants/:tenant/transitions?',
    '/api/audit?',
    '/api/auth/sessions?',
  ])('does not grow with the rows: %s', async (path) => {
    const url = path.replace(':tenant', busy.tenantId);
    const [one, hundred] = [await sentBy(`${url}limit=1`), await sentBy(`${url}limit=100`)];
    expect(hundred.map((batch) => batch.length)).toEqual(one.map((batch) => batch.length));
    expect(hundred.map((batch) => batch.map(({ text }) => text))).toEqual(
      one.map((batch) => batch.map(({ text }) => text)),
    );
    // Who is calling; rows, number and parent.
    expect(hundred).toHaveLength(2);
  });

  it('is two messages, of two and three statements, for a list; one for who was here before', async () => {
    const newcomer = await app.adminToken();
    const sizes = async () => (await messagesOf(app, '/api/tenants?limit=100', newcomer)).map((batch) => batch.length);
    expect([await sizes(), await sizes()]).toEqual([[2, 3], [5]]);
  });

  it('of a write does not grow with the people of the tenant', async () => {
    const sent = async (id: string) => {
      const query = vi.spyOn(pg.Client.prototype, 'query');
      const body = { reason: 'As was agreed' };
      const answer = await app.call('POST', `/api/tenants/${id}/suspend`, { token, body });
      const number = query.mock.calls.length;
      query.mockRestore();
      expect(answer.status, answer.text).toBe(200);
      return number;
    };
    const empty = await app.buildTenant();
    const full = await app.query<{ id: string }>(
      `select t.id from tenants t join users u on u.tenant_id = t.id where t.status = 'ACTIVE' group by t.id having count(*) >= 20 limit 1`,
    );
    expect(await sent(full[0]!.id)).toBe(await sent(empty.id));
  });

  it('is the same for a tenant without anybody, too', async () => {
    const { id } = await app.buildTenant();
    const texts = (batches: Batch[]) => batches.map((batch) => batch.map(({ text }) => text));
    expect(texts(await sentBy(`/api/tenants/${id}/users`))).toEqual(
      texts(await sentBy(`/api/tenants/${busy.tenantId}/users`)),
    );
  });
});
