import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rowSecurityFaults, type RowSecurityRules } from '../../../prisma/tools/row-security.ts';
import { createTestDatabase, ownerQuery, withClient, type TestDatabase } from '../../support/database.ts';

/** Each entry is a decision: a new table that fits none of them has a tenant_id and nothing special. */
const rules: RowSecurityRules = {
  tenantColumns: { tenants: 'id' },
  shared: [
    'permissions',
    'roles',
    'role_permissions',
    'security_policies',
    'ip_rules',
    'subscription_plans',
    'subscription_plan_versions',
    'add_ons',
    'coupons',
    'tax_rates',
    'dunning_campaigns',
    'document_series',
    'test_clock',
  ],
  portalOnly: ['audit_streams', 'revenue_reports', 'billing_checks'],
  extraPolicies: {
    // What the platform has set holds within a tenant too; secrets are kept from it.
    settings: [
      'platform_rows PERMISSIVE SELECT TO studyspot_tenant USING ((tenant_id IS NULL) AND (NOT secret)) WITH CHECK',
    ],
    // What is left of a tenant in the end, and nothing else.
    setting_revisions: [
      'purged_rows RESTRICTIVE DELETE TO studyspot_portal USING (EXISTS ( SELECT\n   FROM offboardings o\n  WHERE ((o.tenant_id = setting_revisions.tenant_id) AND (o.purge_started_at IS NOT NULL) AND (o.purged_at IS NULL)))) WITH CHECK',
    ],
  },
  private: ['_prisma_migrations'],
  appendOnly: [
    'audit_logs',
    'audit_anchors',
    'setting_revisions',
    'tenant_transitions',
    'credit_note_items',
    'billing_entries',
    'payment_allocations',
    'subscription_changes',
  ],
  // That of a tenant that is being purged.
  purged: ['setting_revisions'],
  authAccess: {
    api_keys: ['SELECT', 'UPDATE'],
    auth_challenges: ['INSERT', 'SELECT', 'UPDATE'],
    // What a gateway tells is stored before it is known whose it is.
    gateway_events: ['INSERT', 'SELECT'],
    // An impersonation ends with its session, also where that ends in the scope of sign-in.
    impersonations: ['SELECT', 'UPDATE'],
    known_devices: ['INSERT', 'SELECT', 'UPDATE'],
    lockouts: ['INSERT', 'SELECT', 'UPDATE'],
    login_attempts: ['INSERT', 'SELECT'],
    passkeys: ['SELECT', 'UPDATE'],
    password_history: ['INSERT', 'SELECT'],
    permission_overrides: ['SELECT'],
    recovery_codes: ['SELECT', 'UPDATE'],
    security_events: ['INSERT', 'SELECT'],
    settings: ['SELECT'],
    totp_credentials: ['SELECT', 'UPDATE'],
    audit_chains: ['INSERT', 'SELECT', 'UPDATE'],
    audit_logs: ['INSERT', 'SELECT'],
    one_time_tokens: ['INSERT', 'SELECT', 'UPDATE'],
    outbox_messages: ['INSERT', 'SELECT'],
    role_assignments: ['SELECT'],
    sessions: ['INSERT', 'SELECT', 'UPDATE'],
    tenants: ['SELECT'],
    users: ['SELECT', 'UPDATE'],
  },
  // app.drop_audit_month looks whether what it drops is anchored.
  ownerReads: ['audit_anchors'],
  partitionSchemas: { audit_months: 'audit_logs' },
  definerFunctions: {
    'app.ensure_audit_month(date)': ['studyspot_portal'],
    'app.drop_audit_month(date)': ['studyspot_portal'],
    'app.take_serial(text,text,text)': ['studyspot_portal', 'studyspot_tenant'],
    'app.redeem_coupon(text,date)': ['studyspot_portal', 'studyspot_tenant'],
  },
  exemptSchemas: ['bullmq'],
};

let database: TestDatabase;
beforeAll(async () => void (database = await createTestDatabase()));
afterAll(() => database.drop());

/** The faults that a change would bring; the change is undone. */
function faultsAfter(change: string): Promise<string[]> {
  return withClient(database.ownerUrl, async (client: Client) => {
    await client.query('begin');
    await client.query(change);
    const faults = await rowSecurityFaults(client, rules);
    await client.query('rollback');
    return faults;
  });
}

it('every table is covered by row-level security as the rules say', async () => {
  expect(await withClient(database.ownerUrl, (client) => rowSecurityFaults(client, rules))).toEqual([]);
});

const badTable = 'create table leaks (id text primary key, tenant_id text not null)';
const goodTable = `${badTable}; create index on leaks (tenant_id); select app.protect_table('leaks')`;

describe('the check finds', () => {
  it('nothing in a table that is protected as it should be', async () => {
    expect(await faultsAfter(goodTable)).toEqual([]);
  });

  it('everything that a forgotten table lacks', async () => {
    const faults = await faultsAfter(badTable);
    expect(faults).toEqual(
      expect.arrayContaining([
        'public.leaks: row-level security is not enabled',
        'public.leaks: row-level security is not forced upon its owner',
        'public.leaks: has no index that begins with tenant_id',
        expect.stringContaining('public.leaks: policies: lacks «tenant_rows'),
        expect.stringContaining('public.leaks: policies: lacks «portal_rows'),
        'public.leaks: privileges: lacks «studyspot_tenant: DELETE, INSERT, SELECT, UPDATE»',
      ]),
    );
  });

  it.each([
    ['an unprotected table without a tenant', 'create table notes (id text)', 'public.notes: has no tenant_id'],
    ['security that is not forced', `${goodTable}; alter table leaks no force row level security`, 'not forced'],
    [
      'security that is switched off',
      'alter table users disable row level security',
      'users: row-level security is not en',
    ],
    ['a policy that lets everything pass', `create policy extra on users to studyspot_tenant using (true)`, '«extra '],
    [
      'a policy without its check',
      `${goodTable}; alter policy tenant_rows on leaks with check (true)`,
      'WITH CHECK true»',
    ],
    ['a missing policy', 'drop policy tenant_rows on sessions', 'sessions: policies: lacks «tenant_rows'],
    [
      'an index that covers a part',
      'drop index people_import_rows_tenant_id_idx; create index on people_import_rows (tenant_id) where number > 1',
      'people_import_rows: has no index',
    ],
    ['a right of the login role', 'grant select on users to studyspot_app', 'users: studyspot_app has SELECT'],
    ['a right of everybody', 'grant select on users to public', '«PUBLIC: SELECT»'],
    [
      'a right on one column',
      'grant update (hash) on audit_logs to studyspot_portal',
      'audit_logs: has privileges of its own',
    ],
    [
      'a history that can be changed',
      'grant update on audit_logs to studyspot_portal',
      '«studyspot_portal: INSERT, SELECT, UPDATE»',
    ],
    [
      'a history that can be emptied',
      'grant truncate on tenant_transitions to studyspot_tenant',
      'tenant_transitions: privileges',
    ],
    ['more for sign-in than was decided', 'grant delete on users to studyspot_auth', 'users: privileges'],
    [
      'the migrations within reach',
      'grant select on _prisma_migrations to studyspot_portal',
      '_prisma_migrations: privileges',
    ],
    [
      'a view with its owner’s rights',
      'create view v as select * from users; grant select on v to studyspot_tenant',
      'public.v: gives',
    ],
    [
      'a function with its owner’s rights',
      'create function app.f() returns int security definer return 1',
      'SECURITY DEFINER',
    ],
    [
      'a month of the audit trail within reach',
      'grant select on audit_months.audit_logs_rest to studyspot_portal',
      'audit_months.audit_logs_rest: privileges: has «studyspot_portal: SELECT»',
    ],
    [
      'the months of the audit trail within sight',
      'grant usage on schema audit_months to studyspot_portal',
      'schema audit_months: privileges: has «studyspot_portal: USAGE»',
    ],
    [
      'something else among the months',
      'create table audit_months.t (tenant_id text)',
      'audit_months.t: is no partition',
    ],
    [
      'a way to drop months for others',
      'grant execute on function app.drop_audit_month(date) to studyspot_tenant',
      'function app.drop_audit_month(date): callers: has «studyspot_tenant»',
    ],
    [
      'a way to make months that looks up names where others choose',
      'alter function app.ensure_audit_month(date) reset search_path',
      'has no search_path of its own',
    ],
    ['a table in another schema', 'create schema other; create table other.t (tenant_id text)', 'other.t: lies in'],
    ['a login role that passes row security', 'alter role studyspot_app bypassrls', '«BYPASSRLS»'],
    ['a login role that inherits', 'alter role studyspot_app inherit', '«INHERIT»'],
    ['a login role with another membership', 'grant pg_read_all_data to studyspot_app', '«pg_read_all_data»'],
    ['a login role that owns a table', `${goodTable}; alter table leaks owner to studyspot_app`, 'owns 1 objects'],
    ['a rule for a table that is gone', 'drop table role_permissions', 'role_permissions: is named in the rules'],
  ])('%s', async (_, change, fault) => {
    expect(await faultsAfter(change)).toEqual(expect.arrayContaining([expect.stringContaining(fault)]));
  });
});

it('tables, columns, enums, indexes and constraints have names in snake_case', async () => {
  const rows = await ownerQuery<{ name: string }>(
    database,
    `select format('%s.%s', attrelid::regclass, attname) as name from pg_attribute
      where attnum > 0 and not attisdropped
        and attrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm'))
        and (attname || '_' || (select relname from pg_class where oid = attrelid)) !~ '^[a-z_][a-z0-9_]*$'
     union all select typname from pg_type where typnamespace = 'public'::regnamespace and typtype = 'e' and typname !~ '^[a-z][a-z0-9_]*$'
     union all select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('i', 'S')
       and relname !~ '^[a-z_][a-z0-9_]*$'
     union all select conname from pg_constraint where connamespace = 'public'::regnamespace and conname !~ '^[a-z_][a-z0-9_]*$'`,
  );
  expect(rows.map(({ name }) => name)).toEqual([]);
});
