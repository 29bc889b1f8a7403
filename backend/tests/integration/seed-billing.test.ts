import type { QueryResultRow } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { billingHistory } from '../../prisma/seed/billing-history.ts';
import { insertTenants } from '../../prisma/seed/insert.ts';
import { insertLargeBilling } from '../../prisma/seed/large-billing.ts';
import { largeStory } from '../../prisma/seed/large-stories.ts';
import { largeTenants } from '../../prisma/seed/large-tenants.ts';
import { seed } from '../../prisma/seed.ts';
import { sandboxOutcomes } from '../../src/providers/payment-gateway-sandbox-outcomes.ts';
import { BOOKS } from '../../src/services/books.queries.ts';
import { addDays, startOfDay } from '../../src/utils/india-day.ts';
import { decimal, rupees, sumOf } from '../../src/utils/money.ts';
import { createTestDatabase, type TestDatabase, withClient } from '../support/database.ts';

// The money of the demo: what the tenants have bought, were billed and have paid agrees with itself and with their stories.

/** Half past midnight in India, while it is still the day before in UTC. */
const now = new Date('2026-07-31T19:00:00Z');
/** The day that it is in India then. */
const today = '2026-08-01';

let database: TestDatabase;
let large: TestDatabase;
beforeAll(async () => {
  [database, large] = await Promise.all([createTestDatabase(), createTestDatabase()]);
  await seed(database.ownerUrl, { now });
});
afterAll(async () => {
  await Promise.all([database, large].map((one) => one?.drop()));
});

/** As the owner of the tables, in the scope that sees every row. */
async function query<Row extends QueryResultRow>(text: string, values: unknown[] = [], { ownerUrl } = database) {
  return withClient(ownerUrl, async (client) => {
    await client.query('begin; set local role studyspot_portal');
    const { rows } = await client.query<Row>(text, values);
    await client.query('commit');
    return rows;
  });
}

describe('the billing of the demo', () => {
  it.each(Object.entries(BOOKS))('agrees with the books: %s', async (_, check) => {
    const rows = await query(check.text, [...check.values]);
    expect(rows).toEqual([]);
  });

  it('sells three plans, all of them to somebody', async () => {
    const plans = await query(
      `select p.name, v.monthly_price::text monthly, v.annual_price::text annual, v.trial_days trial, count(s.id) > 0 sold
         from subscription_plans p join subscription_plan_versions v on v.plan_id = p.id and v.number = p.current_number
         left join subscriptions s on s.plan_version_id = v.id
        group by p.id, v.id order by v.monthly_price`,
    );
    expect(plans).toEqual([
      { name: 'Starter', monthly: '999.00', annual: '9990.00', trial: 14, sold: true },
      { name: 'Growth', monthly: '2499.00', annual: '24990.00', trial: 14, sold: true },
      { name: 'Scale', monthly: '4999.00', annual: '49990.00', trial: 14, sold: true },
    ]);
    const coupons = await query(`select code, redeemed_count redeemed from coupons order by code`);
    expect(coupons).toEqual([
      { code: 'DIWALI500', redeemed: 1 },
      { code: 'WELCOME10', redeemed: 3 },
    ]);
  });

  it('has subscriptions that fit the stories of the tenants', async () => {
    const rows = await query<{ tenant: string; subscription: string | null; count: number }>(
      `select t.status tenant, s.status subscription, count(*)::int
         from tenants t left join subscriptions s on s.tenant_id = t.id group by 1, 2 order by 1, 2`,
    );
    expect(rows).toEqual([
      { tenant: 'TRIAL', subscription: 'TRIAL', count: 4 },
      { tenant: 'TRIAL', subscription: null, count: 2 },
      { tenant: 'ACTIVE', subscription: 'ACTIVE', count: 15 },
      { tenant: 'SUSPENDED', subscription: 'ACTIVE', count: 1 },
      { tenant: 'SUSPENDED', subscription: 'PAST_DUE', count: 1 },
      { tenant: 'INACTIVE', subscription: 'CANCELLED', count: 1 },
    ]);
    const strange = await query(
      `select s.id from subscriptions s
        where s.current_period_start > $1::date or s.next_event_on < $1::date
           or (s.status = 'ACTIVE') <> (s.mrr > 0 and s.status <> 'PAST_DUE')`,
      [today],
    );
    expect(strange).toEqual([]);
  });

  it('has a history of each subscription that leads to what it is', async () => {
    const histories = await query<{
      status: string;
      version: number;
      steps: { from: string; to: string; mrr: string }[];
    }>(
      `select s.status, s.version, json_agg(json_build_object('from', h.from_status, 'to', h.to_status) order by h.created_at, h.id) steps
         from subscriptions s join subscription_changes h on h.subscription_id = s.id group by s.id`,
    );
    for (const { status, version, steps } of histories) {
      expect(steps.map(({ from }) => from)).toEqual([null, ...steps.slice(0, -1).map(({ to }) => to)]);
      expect(steps.at(-1)?.to).toBe(status);
      expect(version).toBe(steps.length);
    }
    const [movements] = await query<{ kinds: string[]; sum: string; mrr: string }>(
      `select array_agg(distinct movement::text) filter (where movement is not null) kinds, sum(mrr_after - mrr_before)::text sum,
              (select sum(mrr)::text from subscriptions) mrr from subscription_changes`,
    );
    expect(movements?.kinds.toSorted()).toEqual(['CHURN', 'CONTRACTION', 'EXPANSION', 'NEW', 'REACTIVATION']);
    expect(movements?.sum).toBe(movements?.mrr);
    const broken = await query(
      `select id from (select id, mrr_before, lag(mrr_after, 1, 0) over (partition by subscription_id order by created_at, id) before
                         from subscription_changes) x where mrr_before <> before`,
    );
    expect(broken).toEqual([]);
  });

  it('has invoices with numbers in the order of their time, and taxes by state', async () => {
    const disorder = await query(
      `select number from (select number, finalized_at, lag(finalized_at) over (partition by fiscal_year order by serial) before from invoices) x
        where finalized_at < before`,
    );
    expect(disorder).toEqual([]);
    const [counts] = await query<Record<string, number>>(
      `select count(*) filter (where status = 'PAID')::int paid, count(*) filter (where status = 'OPEN')::int open,
              count(*) filter (where supply = 'INTRA_STATE')::int intra, count(*) filter (where supply = 'INTER_STATE')::int inter,
              count(*) filter (where (supply = 'INTRA_STATE') <> (place_of_supply = '27'))::int wrong,
              count(*) filter (where reason <> 'SUBSCRIPTION_CHANGE' and total <> trunc(total))::int uneven,
              count(distinct fiscal_year)::int years from invoices`,
    );
    expect(counts).toMatchObject({ wrong: 0, uneven: 0, years: 3 });
    expect(counts?.paid).toBeGreaterThan(90);
    expect(counts?.open).toBeGreaterThan(0);
    expect(counts?.intra).toBeGreaterThan(10);
    expect(counts?.inter).toBeGreaterThan(50);
    const future = await query(
      `select id from (select id, created_at, updated_at from invoices union all select id, created_at, updated_at from payments
                       union all select id, created_at, updated_at from dunning_runs union all select id, created_at, created_at from subscription_changes
                       union all select id, created_at, created_at from credit_notes) x where created_at >= $1 or updated_at >= $1`,
      [startOfDay(today)],
    );
    expect(future).toEqual([]);
  });

  it('duns one tenant, which paying opens again, and owes one something', async () => {
    const runs = await query(
      `select r.attempts_made attempts, to_char(r.next_on, 'YYYY-MM-DD') next, t.slug, a.suspended_by_run_id = r.id shut,
              i.reason, (select count(*)::int from payments p where p.invoice_id = i.id and p.status = 'FAILED') declined
         from dunning_runs r join tenants t on t.id = r.tenant_id join billing_accounts a on a.tenant_id = t.id
         join invoices i on i.id = r.invoice_id where r.status = 'ACTIVE'`,
    );
    expect(runs).toEqual([
      {
        slug: 'tapasya-study-zone',
        attempts: 3,
        next: addDays(today, 17),
        shut: true,
        reason: 'SUBSCRIPTION_CHANGE',
        declined: 4,
      },
    ]);
    const [note] = await query(
      `select n.number, n.total::text, a.credit_balance::text balance from credit_notes n join billing_accounts a using (tenant_id)`,
    );
    expect(note).toEqual({ number: 'SSCN/26-27/00001', total: '118.00', balance: '118.00' });
  });

  it('lets the demo charge with tokens that the sandbox knows', async () => {
    const tokens = await query<{ token: string }>(`select distinct gateway_token_id token from payment_methods`);
    for (const { token } of tokens) expect(sandboxOutcomes.map((outcome) => `token_${outcome}`)).toContain(token);
  });

  it('is within the limits of the plans', async () => {
    const over = await query(
      `select t.slug from subscriptions s join subscription_plan_versions v on v.id = s.plan_version_id join tenants t on t.id = s.tenant_id
        where (select count(*) from libraries l where l.tenant_id = t.id) > (v.limits->>'libraries')::int
           or (select sum(seat_count) from libraries l where l.tenant_id = t.id) > (v.limits->>'seats')::int
           or (select count(*) from users u where u.tenant_id = t.id and u.kind = 'STUDENT') > (v.limits->>'students')::int
           or (select count(*) from users u where u.tenant_id = t.id and u.kind = 'STAFF') > (v.limits->>'staff')::int`,
    );
    expect(over).toEqual([]);
  });
});

describe('the billing of the large seed', () => {
  const profiles = [...largeTenants()];

  it('has contracts whose movements add up, and nothing that is yet to come', () => {
    for (const profile of profiles) {
      const { row, changes, bills } = billingHistory(profile, largeStory(profile), startOfDay(today));
      const sum = sumOf(changes.map(({ mrr_before, mrr_after }) => decimal(mrr_after).minus(mrr_before)));
      expect(rupees(sum), profile.slug).toBe(row.mrr);
      for (const { at, paidAt } of bills)
        expect((paidAt ?? at) < startOfDay(today).toISOString(), profile.slug).toBe(true);
    }
  });

  it('fills a database with invoices, whose books agree, and no second time', async () => {
    const some = profiles.slice(0, 12).map((profile) => ({ ...profile, staff: 0, students: 0, parents: 0 }));
    const fill = () =>
      withClient(large.ownerUrl, async (client) => {
        await client.query('begin; set local role studyspot_portal');
        const roles = await client.query<{ code: string; id: string }>('select code, id from roles where built_in');
        await insertTenants(
          client,
          some,
          new Map(roles.rows.map(({ code, id }) => [code, id])),
          startOfDay(today),
          'hash',
        );
        const options = { day: startOfDay(today), report: () => {}, invoices: 6_000 };
        const added = await insertLargeBilling(client, some, options);
        await client.query('commit');
        return added;
      });
    expect(await fill()).toBe(6_000);
    for (const [what, check] of Object.entries(BOOKS)) {
      expect(await query(check.text, [...check.values], large), what).toEqual([]);
    }
    const statuses = await query(`select status, count(*) > 0 there from invoices group by 1 order by 1`, [], large);
    expect(statuses).toEqual(['OPEN', 'PAID', 'VOID', 'UNCOLLECTIBLE'].map((status) => ({ status, there: true })));
    const disorder = await query(
      `select number from (select number, finalized_at, lag(finalized_at) over (partition by fiscal_year order by serial) before from invoices) x
        where finalized_at < before`,
      [],
      large,
    );
    expect(disorder).toEqual([]);
    expect(await fill()).toBe(0);
  });
});
