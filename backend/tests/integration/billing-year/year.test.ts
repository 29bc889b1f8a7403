import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatIndian } from '../../../src/utils/indian-number.ts';
import { resetClock, setClock, noon } from '../../support/billing.ts';
import {
  bookFaults,
  buildMarket,
  counts,
  daysFrom,
  peopleOf,
  playDay,
  type Market,
} from '../../support/billing-year.ts';
import { pdfText } from '../../support/pdf-text.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';

// A year for 200 tenants, over the clock: renewals, trials, upgrades, failures, pauses and cancellations.

const FIRST = '2026-01-12';
const DAYS = 365;
const TENANTS = 200;

let app: TestApp;
let token: string;
let market: Market;
const LAST = daysFrom(FIRST, DAYS).at(-1) as string;

beforeAll(async () => {
  app = await startTestApp();
  token = await app.adminToken();
  market = await buildMarket(app, TENANTS, 'year');
});
afterAll(async () => {
  resetClock();
  await app.close();
});

describe('A year of billing', () => {
  it('is played day by day', { timeout: 300_000 }, async () => {
    const people = peopleOf(app, market, { token, seed: 'year' });
    const began = performance.now();
    for (const [index, day] of daysFrom(FIRST, DAYS).entries()) {
      await playDay(day);
      if (index < 50) await people.subscribe(TENANTS / 50);
      await people.act(day);
      if (index % 3 === 0) await people.act(day);
    }
    console.log(`A year for ${TENANTS} tenants took ${Math.round((performance.now() - began) / 1000)} s`, people.done);
    expect([...people.done.keys()].toSorted()).toEqual(
      expect.arrayContaining(['subscribe', ...people.kinds].toSorted()),
    );
  });

  it('leaves books that agree', async () => {
    expect(await bookFaults()).toEqual([]);
    const [year] = await app.query<Record<string, number>>(
      `select count(*) filter (where reason = 'SUBSCRIPTION_CYCLE')::int as renewals,
              count(*) filter (where status = 'PAID')::int as paid, count(distinct fiscal_year)::int as years from invoices`,
    );
    expect(year?.renewals).toBeGreaterThan(700);
    expect(year?.paid).toBeGreaterThan(700);
    expect(year?.years).toBe(2);
  });

  it('bills every period of every subscription once, without a gap while it ran', async () => {
    const gaps = await app.query(
      `select subscription_id, period_start, before from (
         select subscription_id, period_start, lag(period_end) over w as before, lag(status) over w as earlier, reason,
                (select count(*) from subscription_changes c where c.subscription_id = i.subscription_id
                    and c.type in ('PAUSED', 'RESUMED', 'CANCELLED', 'REACTIVATED', 'PLAN_CHANGED')) as interruptions
           from invoices i where reason in ('SUBSCRIPTION_CREATE', 'SUBSCRIPTION_CYCLE')
         window w as (partition by subscription_id order by period_start)) x
       where before is not null and interruptions = 0 and period_start <> before`,
    );
    expect(gaps).toEqual([]);
  });

  it('has an MRR that is what its subscriptions cost a month, and that the metrics know', async () => {
    const [{ wrong }] = (await app.query(
      `select count(*)::int as wrong from subscriptions s join subscription_plan_versions v on v.id = s.plan_version_id
        where s.status in ('ACTIVE', 'PAST_DUE') and not exists (select from subscription_coupons c where c.subscription_id = s.id)
          and s.mrr <> round((case s.billing_cycle when 'ANNUAL' then v.annual_price else v.monthly_price end
              + coalesce((select sum(a.quantity * case s.billing_cycle when 'ANNUAL' then a.annual_price else a.monthly_price end)
                            from subscription_add_ons a where a.subscription_id = s.id and (a.ends_on is null or a.ends_on > $1::date)), 0))
              / case s.billing_cycle when 'ANNUAL' then 12 else 1 end, 2)`,
      [LAST],
    )) as [{ wrong: number }];
    expect(wrong).toBe(0);
    const [{ mrr }] = (await app.query('select sum(mrr)::text as mrr from subscriptions')) as [{ mrr: string }];
    const dashboard = await app.call('GET', '/api/revenue/dashboard?refresh=true', { token });
    expect(dashboard.status, dashboard.text).toBe(200);
    expect(JSON.stringify(dashboard.body.data)).toContain(`"${mrr}"`);
  });

  it('changes nothing when every job runs again', async () => {
    setClock(noon(LAST));
    await playDay(LAST);
    const before = await counts(app);
    await playDay(LAST, 3);
    expect(await counts(app)).toEqual(before);
    expect(await bookFaults()).toEqual([]);
  });

  it('has PDFs that show every figure of the JSON', { timeout: 60_000 }, async () => {
    const some = await app.query<{ id: string }>(
      `(select id from invoices where status <> 'DRAFT' and discount_total > 0 order by serial limit 3) union
       (select id from invoices where reason = 'SUBSCRIPTION_CHANGE' and total > 0 order by serial limit 3) union
       (select id from invoices where supply = 'INTRA_STATE' order by serial limit 2) union
       (select id from invoices where supply = 'INTER_STATE' order by serial limit 2)`,
    );
    expect(some.length).toBeGreaterThanOrEqual(7);
    for (const { id } of some) {
      const { body } = await app.call('GET', `/api/revenue/invoices/${id}`, { token });
      const file = await fetch(`${app.url}/api/revenue/invoices/${id}/pdf`, {
        headers: { authorization: `Bearer ${token}` },
      });
      expect(file.status).toBe(200);
      const text = await pdfText(Buffer.from(await file.arrayBuffer()));
      const invoice = body.data;
      const figures = [
        invoice.subtotal,
        invoice.taxable,
        invoice.total,
        invoice.cgst,
        invoice.sgst,
        invoice.igst,
        invoice.discountTotal,
      ]
        .concat(invoice.items.flatMap((item: Record<string, string>) => [item.amount, item.taxable, item.total]))
        .filter((amount: string) => Number(amount) !== 0)
        .map((amount: string) => formatIndian(amount.replace('-', '')));
      for (const figure of figures) expect(text, `${invoice.number}: ${figure}`).toContain(figure);
      expect(text).toContain(invoice.number);
      expect(text.replace(/\s+/g, ' ')).toContain(invoice.amountInWords);
    }
  });
});
