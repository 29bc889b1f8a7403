import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { newId } from '../../../src/utils/ids.ts';
import { noon, resetClock, setClock } from '../../support/billing.ts';
import { expectSuccess } from '../../support/expectations.ts';
import { emptyRedis } from '../../support/processes.ts';
import { figuresFor, type Figures } from '../../support/revenue-figures.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';

let app: TestApp;
let admin: string;
let figures: Figures;
beforeAll(async () => {
  app = await startTestApp({ REDIS_URL: await emptyRedis(12) });
  setClock(noon('2026-11-26'));
  admin = await app.adminToken();
  figures = figuresFor(app);
});
afterAll(async () => {
  resetClock();
  await app.close();
});

async function dashboard(query = '') {
  const answer = await app.call('GET', `/api/revenue/dashboard${query}`, { token: admin });
  expectSuccess(answer);
  return answer.body.data;
}

const nothing = { amount: '0.00', invoices: 0 };
const noSum = { taxable: '0.00', total: '0.00' };

describe('The dashboard', () => {
  it('is all there where there is nothing', async () => {
    const data = await dashboard();
    expect(data).toEqual({
      asOf: expect.stringMatching(/^2026-11-26T06:30:/),
      day: '2026-11-26',
      mrr: '0.00',
      arr: '0.00',
      arpa: null,
      payingTenants: 0,
      subscriptions: { trial: 0, active: 0, pastDue: 0, paused: 0 },
      thisMonth: {
        month: '2026-11',
        complete: false,
        movements: {
          opening: '0.00',
          new: '0.00',
          expansion: '0.00',
          contraction: '0.00',
          churn: '0.00',
          reactivation: '0.00',
          net: '0.00',
          closing: '0.00',
        },
        invoiced: noSum,
        credited: noSum,
        collected: '0.00',
      },
      outstanding: nothing,
      overdue: { ...nothing, days0To30: nothing, days31To60: nothing, days61To90: nothing, daysOver90: nothing },
      months: expect.any(Array),
      topPlans: [],
      dunning: { runs: 0, amount: '0.00' },
    });
    expect(data.months).toHaveLength(12);
    expect(data.months[0]).toEqual({
      month: '2025-12',
      complete: true,
      mrr: '0.00',
      invoiced: noSum,
      collected: '0.00',
    });
    expect(data.months[11]).toMatchObject({ month: '2026-11', complete: false });
  });

  it('is up to an hour old, and computed anew for who asks for it', async () => {
    const before = await dashboard();
    const plan = await figures.plan('Growth');
    await figures.history({ plan }, [['2026-11-01', 999]]);
    const kept = await dashboard();
    if (inject('testServers').redisUrl) expect(kept).toEqual(before);
    const anew = await dashboard('?refresh=true');
    expect(anew).toMatchObject({ mrr: '999.00', payingTenants: 1, subscriptions: { active: 1 } });
    expect((await dashboard()).mrr).toBe('999.00');
    expect((await dashboard('?refresh=false')).mrr).toBe('999.00');
  });

  it('tells subscriptions, plans and what the month has moved', async () => {
    const [starter, large] = [await figures.plan('Starter'), await figures.plan('Enterprise')];
    await figures.history({ plan: starter }, [
      ['2026-09-10', 300],
      ['2026-11-05', 200],
    ]);
    await figures.history({ plan: large }, [['2026-10-31', 5000.5]]);
    await figures.history({ plan: large }, [
      ['2026-10-01', 5000],
      ['2026-11-02', 0],
    ]);
    for (const status of ['TRIAL', 'TRIAL', 'PAUSED', 'CANCELLED', 'EXPIRED']) {
      await figures.subscription({ plan: starter, status });
    }
    await figures.subscription({ plan: starter, status: 'PAST_DUE', mrr: '0.00' });
    const data = await dashboard('?refresh=true');
    expect(data).toMatchObject({
      // 999 and 200 and 5,000.50
      mrr: '6199.50',
      arr: '74394.00',
      arpa: '2066.50',
      payingTenants: 3,
      subscriptions: { trial: 2, active: 3, pastDue: 1, paused: 1 },
    });
    expect(data.thisMonth.movements).toMatchObject({
      opening: '10300.50',
      new: '999.00',
      contraction: '-100.00',
      churn: '-5000.00',
      net: '-4101.00',
      closing: '6199.50',
    });
    expect(data.topPlans).toEqual([
      { planId: large.id, name: 'Enterprise', mrr: '5000.50', subscriptions: 1 },
      { planId: expect.any(String), name: 'Growth', mrr: '999.00', subscriptions: 1 },
      { planId: starter.id, name: 'Starter', mrr: '200.00', subscriptions: 1 },
    ]);
    const mrrOf = (month: string) => data.months.find((one: { month: string }) => one.month === month).mrr;
    expect([mrrOf('2026-08'), mrrOf('2026-09'), mrrOf('2026-10'), mrrOf('2026-11')]).toEqual([
      '0.00',
      '300.00',
      '10300.50',
      '6199.50',
    ]);
  });

  it('tells what was invoiced, credited and collected by month, void documents left out', async () => {
    const { id: tenantId } = await app.buildTenant();
    const line = (taxable: number) => [{ taxable }];
    // The last day of October, and the first of November: 1,000 and 2,000 without tax.
    const october = await figures.invoice({ tenantId, on: '2026-10-31', lines: line(1000), status: 'PAID' });
    const november = await figures.invoice({ tenantId, on: '2026-11-01', lines: line(2000), status: 'PAID' });
    await figures.invoice({ tenantId, on: '2026-11-02', lines: line(4000), status: 'VOID' });
    await figures.invoice({ tenantId, on: '2025-11-30', lines: line(8000), status: 'PAID' });
    await figures.creditNote({ invoice: october, on: '2026-11-03', taxable: [100], use: 'credit' });
    await figures.creditNote({
      invoice: november,
      on: '2026-11-03',
      taxable: [500],
      use: 'credit',
      voided: '2026-11-04T00:00:00Z',
    });
    await figures.payment({ tenantId, on: '2026-10-31', amount: 1180, invoice: october });
    await figures.payment({ tenantId, on: '2026-11-26', amount: 2360, invoice: november });
    await figures.payment({ tenantId, on: '2026-11-26', amount: 118, method: 'CREDIT_BALANCE' });
    const { thisMonth, months } = await dashboard('?refresh=true');
    expect(thisMonth).toMatchObject({
      invoiced: { taxable: '1900.00', total: '2242.00' },
      credited: { taxable: '100.00', total: '118.00' },
      collected: '2360.00',
    });
    expect(months.at(-1)).toMatchObject({ invoiced: { taxable: '1900.00', total: '2242.00' }, collected: '2360.00' });
    expect(months.at(-2)).toMatchObject({
      month: '2026-10',
      complete: true,
      invoiced: { taxable: '1000.00', total: '1180.00' },
      collected: '1180.00',
    });
    expect(months.map(({ invoiced }: { invoiced: { taxable: string } }) => invoiced.taxable).slice(0, 10)).toEqual(
      Array(10).fill('0.00'),
    );
  });

  it('tells what is due, and how long it has been', async () => {
    const { id: tenantId } = await app.buildTenant();
    // How many days ago each was due, and what it is without tax.
    const due: [string, number][] = [
      ['2026-12-01', 100],
      ['2026-11-26', 200],
      ['2026-11-25', 300],
      ['2026-10-27', 400],
      ['2026-10-26', 500],
      ['2026-09-27', 600],
      ['2026-09-26', 700],
      ['2026-08-28', 800],
      ['2026-08-27', 900],
    ];
    for (const [day, taxable] of due) {
      const invoice = await figures.invoice({ tenantId, on: '2026-08-01', due: day, lines: [{ taxable }] });
      if (day !== '2026-10-26') continue;
      await app.query(
        `insert into dunning_runs (id, tenant_id, invoice_id, campaign_id, plan, started_on, updated_at)
         values ($1, $2, $3, 'cdun000000000000000standa', '{}', '2026-10-27', now())`,
        [newId(), tenantId, invoice.id],
      );
    }
    await figures.invoice({ tenantId, on: '2026-01-01', lines: [{ taxable: 1 }], status: 'UNCOLLECTIBLE' });
    const { outstanding, overdue, dunning } = await dashboard('?refresh=true');
    const of = (taxable: number, invoices: number) => ({ amount: (taxable * 1.18).toFixed(2), invoices });
    expect(outstanding).toEqual(of(4500, 9));
    expect(overdue).toEqual({
      ...of(4200, 7),
      days0To30: of(700, 2),
      days31To60: of(1100, 2),
      days61To90: of(1500, 2),
      daysOver90: of(900, 1),
    });
    expect(dunning).toEqual({ runs: 1, amount: '590.00' });
  });

  it('goes over to the next month at midnight in India', async () => {
    setClock('2026-11-30T18:29:30Z');
    expect(await dashboard('?refresh=true')).toMatchObject({
      day: '2026-11-30',
      thisMonth: { month: '2026-11', complete: false },
    });
    setClock('2026-11-30T18:30:30Z');
    const data = await dashboard();
    expect(data).toMatchObject({
      day: '2026-12-01',
      thisMonth: { month: '2026-12', complete: false, movements: { opening: '6199.50' }, invoiced: noSum },
    });
    expect(data.months.at(-2)).toMatchObject({ month: '2026-11', complete: true, mrr: '6199.50' });
    setClock(noon('2026-11-26'));
  });
});
