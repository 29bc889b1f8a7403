import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runJob } from '../../support/billing.ts';
import { planOf, scopesOf, type Batch, type Plan } from '../../support/plans.ts';
import { startReportTests, type ReportTests } from './reports-support.ts';

// The statements that figures and reports really send, and how PostgreSQL would run them over 20,000 invoices of 1,000
// tenants. Reading whole tables is made expensive: what is left shows whether an index could be used at all.

let tests: ReportTests;
let database: pg.Client;
beforeAll(async () => {
  tests = await startReportTests();
  await fill();
  database = new pg.Client(tests.app.database.appUrl);
  await database.connect();
}, 120_000);
afterAll(async () => {
  await database.end();
  await tests.close();
});

const idOf = (kind: string, number: string) => `'c' || substr(md5('${kind}' || ${number}), 1, 24)`;

async function fill(): Promise<void> {
  await tests.app.query(`
    set session_replication_role = replica;
    insert into tenants (id, name, slug, email, status, created_at, updated_at)
    select ${idOf('tenant', 'i')}, 'Hall ' || i, 'hall-' || i, 'office' || i || '@halls.example', 'ACTIVE', now(), now()
      from generate_series(1, 1000) i;
    insert into subscription_plans (id, code, name, updated_at)
    select ${idOf('plan', 'i')}, 'p' || i, 'Plan ' || i, now() from generate_series(1, 3) i;
    insert into subscription_plan_versions (id, plan_id, number, monthly_price, annual_price, trial_days, sac_code)
    select ${idOf('version', 'i')}, ${idOf('plan', 'i')}, 1, 500, 5000, 0, '997331' from generate_series(1, 3) i;
    insert into subscriptions (id, tenant_id, plan_id, plan_version_id, status, billing_cycle, mrr, started_on, anchor_day,
                               current_period_start, current_period_end, ended_on, updated_at)
    select ${idOf('subscription', 'i')}, ${idOf('tenant', 'i')}, ${idOf('plan', '(1 + i % 3)')}, ${idOf('version', '(1 + i % 3)')},
           (case when i % 4 = 0 then 'CANCELLED' else 'ACTIVE' end)::subscription_status, 'MONTHLY', case when i % 4 = 0 then 0 else 500 end,
           '2025-01-01', 1, '2026-11-01', '2026-12-01', case when i % 4 = 0 then date '2026-06-01' end, now()
      from generate_series(1, 1000) i;
    insert into subscription_changes (id, tenant_id, subscription_id, type, to_status, from_plan_version_id, to_plan_version_id, to_cycle,
                                      effective_on, mrr_before, mrr_after, movement)
    select ${idOf('change', 'i')}, ${idOf('tenant', '(1 + i % 1000)')}, ${idOf('subscription', '(1 + i % 1000)')}, 'RENEWED', 'ACTIVE',
           ${idOf('version', '1')}, ${idOf('version', '1')}, 'MONTHLY', date '2024-12-01' + i % 700,
           0, case when i % 20 = 0 then 500 else 0 end, case when i % 20 = 0 then 'NEW' end::mrr_movement
      from generate_series(1, 20000) i;
    insert into invoices (id, tenant_id, number, serial, fiscal_year, status, reason, collection_method, issue_date, due_date, seller, buyer,
                          buyer_name, buyer_gstin, place_of_supply, supply, subtotal, taxable, igst, total, amount_paid, amount_due, paid_at, updated_at)
    select ${idOf('invoice', 'i')}, ${idOf('tenant', '(1 + i % 1000)')}, 'SS/26-27/' || i, i, '26-27',
           (case when i % 20 = 0 then 'OPEN' else 'PAID' end)::invoice_status, 'MANUAL', 'SEND_INVOICE', day, day + 7,
           '{"gstin":"27AAPFU0939F1ZV"}', '{}', 'Hall', case when i % 2 = 0 then '29AAGCB7383J1Z4' end, '29', 'INTER_STATE',
           1000, 1000, 180, 1180, case when i % 20 = 0 then 0 else 1180 end, case when i % 20 = 0 then 1180 else 0 end,
           case when i % 20 > 0 then day end, now()
      from (select i, date '2026-11-26' - (i % 700) as day from generate_series(1, 20000) i) days;
    insert into invoice_items (id, tenant_id, invoice_id, position, kind, description, sac_code, quantity, unit_price, amount, taxable,
                               tax_rate, igst, total, period_start, period_end)
    select 'c' || substr(md5('item' || id), 1, 24), tenant_id, id, 1, 'PLAN', 'Plan', '997331', 1, 1000, 1000, 1000, 18, 180, 1180,
           issue_date, issue_date + 30 from invoices;
    insert into credit_notes (id, tenant_id, invoice_id, number, fiscal_year, serial, reason, issue_date, seller, buyer, buyer_name,
                              place_of_supply, supply, taxable, cgst, sgst, igst, round_off, total, credit_amount, refund_amount, offset_amount)
    select 'c' || substr(md5('note' || id), 1, 24), tenant_id, id, 'CN/26-27/' || serial, '26-27', serial, 'GOODWILL', issue_date + 1,
           seller, '{}', 'Hall', '29', 'INTER_STATE', 10, 0, 0, 1.8, 0, 11.8, 11.8, 0, 0 from invoices where serial % 10 = 0;
    insert into credit_note_items (id, tenant_id, credit_note_id, invoice_item_id, position, taxable, cgst, sgst, igst, total)
    select 'c' || substr(md5('noteitem' || n.id), 1, 24), n.tenant_id, n.id, t.id, 1, 10, 0, 0, 1.8, 11.8
      from credit_notes n join invoice_items t on t.invoice_id = n.invoice_id;
    insert into payments (id, tenant_id, invoice_id, transaction_id, amount, method, status, initiated_by, received_on, succeeded_at, updated_at)
    select 'c' || substr(md5('payment' || id), 1, 24), tenant_id, id, 'pay_' || id, 1180, 'CARD', 'SUCCEEDED', 'RENEWAL', issue_date, now(), now()
      from invoices where status = 'PAID';
    insert into payment_allocations (id, tenant_id, payment_id, invoice_id, amount)
    select 'c' || substr(md5('allocation' || id), 1, 24), tenant_id, id, invoice_id, amount from payments;
    insert into refunds (id, tenant_id, payment_id, amount, status, updated_at)
    select 'c' || substr(md5('refund' || id), 1, 24), tenant_id, id, 1, 'SUCCEEDED', succeeded_at from payments where random() < 0.1;
    insert into dunning_runs (id, tenant_id, invoice_id, campaign_id, plan, started_on, updated_at)
    select 'c' || substr(md5('run' || id), 1, 24), tenant_id, id, 'cdun000000000000000standa', '{}', due_date, now()
      from invoices where status = 'OPEN';
    insert into revenue_reports (id, type, format, requested_by_id, requested_by_name, created_at, expires_at)
    select ${idOf('report', 'i')}, (array['GSTR1', 'AGEING', 'MRR', 'JOURNAL'])[1 + i % 4]::revenue_report_type, 'CSV', 'x', 'x',
           now() - i * interval '1 hour', now() from generate_series(1, 2000) i;
    set session_replication_role = origin`);
  await tests.app.query('vacuum analyze');
}

/** What is read for an answer; who is calling is asked in a scope of its own. */
const readFor = async (path: string): Promise<Batch[]> =>
  (await scopesOf(tests.app, `/api/revenue/${path}`, tests.token)).filter(
    ([scope]) => scope?.values[0] !== 'studyspot_auth',
  );
const plansOf = async (path: string) => planned(await readFor(path));

/** What a job reads to write a report. */
async function plansOfReport(body: object): Promise<Plan[]> {
  const reportId = await tests.asked(body);
  const query = vi.spyOn(pg.Client.prototype, 'query');
  await runJob('report.revenue', { reportId });
  const sent = query.mock.calls.map(([first]) => (first as unknown as { statements?: Batch })?.statements ?? []);
  query.mockRestore();
  return planned(sent.filter((batch) => batch.length > 0));
}

async function planned(batches: Batch[]): Promise<Plan[]> {
  const plans: Plan[] = [];
  for (const [scope, ...statements] of batches) {
    for (const statement of statements) plans.push(...(await planOf(database, scope!, statement)));
  }
  expect(plans.length).toBeGreaterThan(0);
  return plans;
}

const indexesOf = (plans: Plan[]) => new Set(plans.flatMap((node) => node['Index Name'] ?? []));
/** Small tables are read whole. */
const SMALL = new Set([
  'subscription_plans',
  'subscription_plan_versions',
  'tax_rates',
  'settings',
  'tenants',
  'billing_profiles',
]);
const scanned = (plans: Plan[]) =>
  plans
    .filter((node) => node['Node Type'] === 'Seq Scan')
    .map((node) => node['Relation Name'])
    .filter((table) => !SMALL.has(table ?? ''));

describe('Over 20,000 invoices', () => {
  it('the dashboard reads no table whole, and all in two messages', async () => {
    expect(await readFor('dashboard')).toHaveLength(2);
    const plans = await plansOf('dashboard');
    expect(scanned(plans)).toEqual([]);
    expect([...indexesOf(plans)]).toEqual(
      expect.arrayContaining([
        'invoices_issued_idx',
        'invoices_open_due_idx',
        'payments_received_idx',
        'subscription_changes_movement_idx',
        'credit_notes_issue_date_id_idx',
      ]),
    );
  });

  it.each([
    ['metrics', ['subscription_changes_movement_idx', 'invoice_items_period_end_idx', 'invoices_issued_idx']],
    ['metrics?day=2026-11-20', ['subscription_changes_movement_idx', 'payments_received_idx']],
    ['metrics/mrr-movements', ['subscription_changes_movement_idx']],
    ['metrics/churn', ['subscription_changes_movement_idx']],
    ['metrics/cohorts', ['subscription_changes_movement_idx']],
    ['analytics', ['subscription_changes_plan_idx', 'subscription_changes_movement_idx', 'payments_received_idx']],
    ['reports', ['revenue_reports_created_at_id_idx']],
    ['reports?type=MRR', ['revenue_reports_type_created_at_id_idx']],
  ])('%s reads no table whole', async (path, indexes) => {
    const plans = await plansOf(path);
    expect(scanned(plans)).toEqual([]);
    expect([...indexesOf(plans)]).toEqual(expect.arrayContaining(indexes));
  });

  it.each<[object, RegExp[]]>([
    [{ type: 'GSTR1', format: 'JSON', month: '2026-10' }, [/^invoices_/, /^credit_notes_/, /^invoice_items_/]],
    [{ type: 'AGEING', format: 'CSV', day: '2026-10-31' }, [/^invoices_tenant_id/, /^payment_allocations_invoice_id/]],
    [{ type: 'DEFERRED_REVENUE', format: 'CSV' }, [/^invoice_items_/, /^credit_note_items_invoice_item_id/]],
    [
      { type: 'JOURNAL', format: 'CSV', from: '2026-10-01', to: '2026-10-31' },
      [/^invoices_issue/, /^credit_notes_issue/, /^payments_received/, /^refunds_status/],
    ],
    [{ type: 'MRR', format: 'CSV', fromMonth: '2026-10', toMonth: '2026-10' }, [/^subscription_changes_movement_idx/]],
  ])('the report %j reads no table whole', async (body, indexes) => {
    const plans = await plansOfReport(body);
    expect(scanned(plans)).toEqual([]);
    for (const index of indexes) expect([...indexesOf(plans)]).toContainEqual(expect.stringMatching(index));
  });
});
