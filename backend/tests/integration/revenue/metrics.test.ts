import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noon, resetClock, setClock } from '../../support/billing.ts';
import { queryString } from '../../support/calls.ts';
import { expectError, expectSuccess } from '../../support/expectations.ts';
import { figuresFor, type FigurePlan } from '../../support/revenue-figures.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';

// Rule 28, with numbers that were computed by hand. Four tenants, and the 26th of November:
//
//   Anand   15 Aug  999.00                         5 Oct 2,499.00
//   Bharat  31 Aug 2,499.00                       31 Oct   999.00    10 Nov 0
//   Chetna   1 Sep   832.50 (9,990 a year)  30 Sep 0                  1 Nov 1,000.00
//   Deepa                                                            20 Nov   500.00
//   Esha    in her trial: nothing

let app: TestApp;
let admin: string;
let plan: FigurePlan;
let other: FigurePlan;
beforeAll(async () => {
  app = await startTestApp();
  setClock(noon('2026-11-26'));
  admin = await app.adminToken();
  const figures = figuresFor(app);
  [plan, other] = [await figures.plan('Growth'), await figures.plan('Starter')];
  await figures.history({ plan }, [
    ['2026-08-15', 999],
    ['2026-10-05', 2499],
  ]);
  const bharat = await figures.history({ plan }, [
    ['2026-08-31', 2499],
    ['2026-10-31', 999],
    ['2026-11-10', 0],
  ]);
  await figures.history({ plan }, [
    ['2026-09-01', 832.5],
    ['2026-09-30', 0],
    ['2026-11-01', 1000],
  ]);
  await figures.history({ plan: other }, [['2026-11-20', 500]]);
  await figures.subscription({ plan, status: 'TRIAL' });
  const { tenantId } = bharat;
  const large = await figures.invoice({
    tenantId,
    on: '2026-11-01',
    lines: [{ taxable: 3000, period: ['2026-11-01', '2026-12-01'] }],
    status: 'PAID',
  });
  await figures.creditNote({ invoice: large, on: '2026-11-20', taxable: [300], use: 'credit' });
  await figures.payment({ tenantId, on: '2026-11-02', amount: 3540, invoice: large });
  await figures.payment({ tenantId, on: '2026-11-21', amount: 354, method: 'CREDIT_BALANCE' });
  await figures.invoice({ tenantId, on: '2026-11-30', lines: [{ taxable: 700 }], status: 'VOID' });
  await figures.invoice({ tenantId, on: '2026-10-31', lines: [{ taxable: 500.5 }], status: 'OPEN' });
});
afterAll(async () => {
  resetClock();
  await app.close();
});

async function asked(path: string, query: Record<string, string | number | undefined> = {}, token = admin) {
  const answer = await app.call('GET', `/api/revenue/${path}${queryString(query)}`, { token });
  expectSuccess(answer);
  return answer.body.data;
}

describe('rule 28: the MRR moves', () => {
  it('so that opening and movements are the closing, month by month, and the last closing is the MRR', async () => {
    const { months } = await asked('metrics/mrr-movements', { from: '2026-07', to: '2026-11' });
    const none = { new: '0.00', expansion: '0.00', contraction: '0.00', churn: '0.00', reactivation: '0.00' };
    expect(months).toEqual([
      { month: '2026-07', complete: true, opening: '0.00', ...none, net: '0.00', closing: '0.00' },
      {
        month: '2026-08',
        complete: true,
        opening: '0.00',
        ...none,
        new: '3498.00',
        net: '3498.00',
        closing: '3498.00',
      },
      {
        month: '2026-09',
        complete: true,
        opening: '3498.00',
        ...none,
        new: '832.50',
        churn: '-832.50',
        net: '0.00',
        closing: '3498.00',
      },
      {
        month: '2026-10',
        complete: true,
        opening: '3498.00',
        ...none,
        expansion: '1500.00',
        contraction: '-1500.00',
        net: '0.00',
        closing: '3498.00',
      },
      {
        month: '2026-11',
        complete: false,
        opening: '3498.00',
        ...none,
        new: '500.00',
        churn: '-999.00',
        reactivation: '1000.00',
        net: '501.00',
        closing: '3999.00',
      },
    ]);
    expect((await asked('metrics')).current.mrr).toBe('3999.00');
  });

  it('from what it was before the first month that is asked for', async () => {
    const { months } = await asked('metrics/mrr-movements', { from: '2026-10', to: '2026-10' });
    expect(months).toHaveLength(1);
    expect(months[0]).toMatchObject({ opening: '3498.00', closing: '3498.00' });
  });

  it('over the last twelve months, unless said otherwise', async () => {
    const { months } = await asked('metrics/mrr-movements');
    expect(months.map(({ month }: { month: string }) => month)).toEqual([
      '2025-12',
      ...Array.from({ length: 11 }, (_, index) => `2026-${String(index + 1).padStart(2, '0')}`),
    ]);
    const { months: until } = await asked('metrics/mrr-movements', { to: '2026-09' });
    expect([until[0].month, until.length]).toEqual(['2025-10', 12]);
  });
});

describe('rule 28: the figures', () => {
  it('of the month that goes on, as far as it has come', async () => {
    const { current, change, asOf } = await asked('metrics');
    expect(asOf).toMatch(/^2026-11-26T/);
    expect(current).toEqual({
      from: '2026-11-01',
      to: '2026-11-26',
      complete: false,
      mrr: '3999.00',
      arr: '47988.00',
      arpa: '1333.00',
      // 1,333 by one of two tenants that left.
      ltv: '2666.00',
      payingTenants: 3,
      movements: expect.objectContaining({ opening: '3498.00', net: '501.00', closing: '3999.00' }),
      retention: {
        from: '2026-11-01',
        to: '2026-11-26',
        startMrr: '3498.00',
        payingAtStart: 2,
        churned: 1,
        logoChurn: 0.5,
        // 2,499 of 3,498: what Chetna and Deepa bring is nobody's of those who paid at the start.
        grossRevenueRetention: 0.7144,
        netRevenueRetention: 0.7144,
      },
      invoiced: { taxable: '3000.00', total: '3540.00' },
      credited: { taxable: '300.00', total: '354.00' },
      collected: '3540.00',
      // 2,700 for 30 days of which 4 are left.
      deferredRevenue: '360.00',
    });
    expect(change).toEqual({
      mrr: '501.00',
      mrrRate: 0.1432,
      payingTenants: 1,
      invoiced: '2499.50',
      collected: '3540.00',
    });
  });

  it('of a month that is over', async () => {
    const { current, previous } = await asked('metrics', { month: '2026-10' });
    expect(current).toMatchObject({
      from: '2026-10-01',
      to: '2026-10-31',
      complete: true,
      mrr: '3498.00',
      arpa: '1749.00',
      // Nobody has left: nothing to divide by.
      ltv: null,
      payingTenants: 2,
      retention: {
        startMrr: '3498.00',
        churned: 0,
        logoChurn: 0,
        // Anand counts for 999 alone, Bharat for 999: 1,998 of 3,498. With what Anand took on: all of it.
        grossRevenueRetention: 0.5712,
        netRevenueRetention: 1,
      },
      invoiced: { taxable: '500.50', total: '590.59' },
    });
    expect(previous).toMatchObject({ from: '2026-09-01', to: '2026-09-30', mrr: '3498.00', payingTenants: 2 });
  });

  it('of a day, with the retention of the month that ends with it', async () => {
    const { current, previous } = await asked('metrics', { day: '2026-11-10' });
    expect(current).toMatchObject({
      from: '2026-11-10',
      to: '2026-11-10',
      complete: true,
      mrr: '3499.00',
      movements: { opening: '4498.00', churn: '-999.00', closing: '3499.00' },
      retention: { from: '2026-10-11', to: '2026-11-10', startMrr: '4998.00', payingAtStart: 2, churned: 1 },
    });
    expect(previous).toMatchObject({ from: '2026-11-09', mrr: '4498.00' });
    const { current: clamped } = await asked('metrics', { day: '2026-10-31' });
    expect(clamped.retention).toMatchObject({ from: '2026-10-01', to: '2026-10-31' });
  });

  it('of today are those of subscriptions as they stand', async () => {
    const { current } = await asked('metrics', { day: '2026-11-26' });
    expect(current).toMatchObject({ complete: false, mrr: '3999.00', payingTenants: 3, arr: '47988.00' });
  });

  it('before there was anything are zeros and nulls', async () => {
    const { current, change } = await asked('metrics', { month: '2025-01' });
    expect(current).toMatchObject({
      mrr: '0.00',
      arr: '0.00',
      arpa: null,
      ltv: null,
      payingTenants: 0,
      retention: { startMrr: '0.00', logoChurn: null, grossRevenueRetention: null, netRevenueRetention: null },
      invoiced: { taxable: '0.00', total: '0.00' },
      collected: '0.00',
      deferredRevenue: '0.00',
    });
    expect(change).toMatchObject({ mrr: '0.00', mrrRate: null });
  });
});

describe('Months are those of India:', () => {
  it.each([
    ['2026-11-30T18:29:59Z', '2026-11', false],
    ['2026-11-30T18:30:00Z', '2026-12', false],
  ])('at %s it is %s', async (moment, month, complete) => {
    setClock(moment);
    try {
      const { months } = await asked('metrics/mrr-movements', { from: '2026-11' });
      expect(months.at(-1)).toMatchObject({ month, complete });
      expect(months[0]).toMatchObject({ month: '2026-11', complete: month === '2026-12' });
      const { current } = await asked('metrics', { month: '2026-11' });
      expect(current.complete).toBe(month === '2026-12');
      expect(current.to).toBe('2026-11-30');
    } finally {
      setClock(noon('2026-11-26'));
    }
  });
});

describe('The figures over time', () => {
  it('come by month', async () => {
    const data = await asked('analytics', { from: '2026-09-15', to: '2026-11-26' });
    expect(data).toMatchObject({ bucket: 'month', from: '2026-09-01', to: '2026-11-26' });
    expect(data.series).toEqual([
      expect.objectContaining({
        from: '2026-09-01',
        to: '2026-09-30',
        complete: true,
        mrr: '3498.00',
        newSubscriptions: 1,
        lostSubscriptions: 1,
      }),
      expect.objectContaining({ from: '2026-10-01', mrr: '3498.00', invoiced: { taxable: '500.50', total: '590.59' } }),
      {
        from: '2026-11-01',
        to: '2026-11-26',
        complete: false,
        mrr: '3999.00',
        invoiced: { taxable: '3000.00', total: '3540.00' },
        credited: { taxable: '300.00', total: '354.00' },
        collected: '3540.00',
        newSubscriptions: 2,
        lostSubscriptions: 1,
      },
    ]);
    expect(data.byPlan).toEqual([
      {
        planId: plan.id,
        name: 'Growth',
        openingMrr: '3498.00',
        closingMrr: '3499.00',
        newSubscriptions: 2,
        lostSubscriptions: 2,
      },
      {
        planId: other.id,
        name: 'Starter',
        openingMrr: '0.00',
        closingMrr: '500.00',
        newSubscriptions: 1,
        lostSubscriptions: 0,
      },
    ]);
  });

  it('come by week from Monday, and by day', async () => {
    const weeks = await asked('analytics', { from: '2026-11-04', to: '2026-11-20', bucket: 'week' });
    expect(weeks.series.map((one: { from: string; to: string; mrr: string }) => [one.from, one.to, one.mrr])).toEqual([
      ['2026-11-02', '2026-11-08', '4498.00'],
      ['2026-11-09', '2026-11-15', '3499.00'],
      ['2026-11-16', '2026-11-22', '3999.00'],
    ]);
    const days = await asked('analytics', { from: '2026-11-20', to: '2026-11-21', bucket: 'day' });
    expect(days.series).toEqual([
      expect.objectContaining({
        from: '2026-11-20',
        to: '2026-11-20',
        mrr: '3999.00',
        credited: { taxable: '300.00', total: '354.00' },
      }),
      expect.objectContaining({ from: '2026-11-21', collected: '0.00', mrr: '3999.00' }),
    ]);
  });

  it('tell a plan from another whose price is the same', async () => {
    const figures = figuresFor(app);
    const twin = await figures.plan('Twin');
    const moved = await figures.subscription({ plan: twin, mrr: 0, status: 'CANCELLED' });
    const before = { ...moved, plan };
    await figures.change(before, '2026-11-03', [0, 250], 'NEW');
    await figures.change(before, '2026-11-04', [250, 250], null, twin);
    await figures.change(moved, '2026-11-05', [250, 0], 'CHURN');
    const onTheFourth = await asked('analytics', { from: '2026-11-04', to: '2026-11-04', bucket: 'day' });
    expect(onTheFourth.byPlan).toContainEqual({
      planId: twin.id,
      name: 'Twin',
      openingMrr: '0.00',
      closingMrr: '250.00',
      newSubscriptions: 0,
      lostSubscriptions: 0,
    });
    const growth = onTheFourth.byPlan.find(({ planId }: { planId: string }) => planId === plan.id);
    expect(growth).toMatchObject({ openingMrr: '4748.00', closingMrr: '4498.00' });
  });
});

describe('What is asked for', () => {
  it.each([
    ['metrics', { month: '2026-12' }, 'month'],
    ['metrics', { day: '2026-11-27' }, 'day'],
    ['metrics', { day: '2026-11-26', month: '2026-11' }, 'day'],
    ['metrics', { month: '2026-13' }, 'month'],
    ['metrics/mrr-movements', { from: '2023-11', to: '2026-11' }, 'from'],
    ['metrics/mrr-movements', { from: '2026-11', to: '2026-10' }, 'from'],
    ['metrics/churn', { to: '2026-12' }, 'to'],
    ['metrics/churn', { from: '1900-01' }, 'from'],
    ['metrics/cohorts', { months: 37 }, 'months'],
    ['metrics/cohorts', { months: 0 }, 'months'],
    ['analytics', { from: '2026-11-27' }, 'from'],
    ['analytics', { to: '2026-11-27' }, 'to'],
    ['analytics', { from: '2023-11-25' }, 'from'],
    ['analytics', { from: '2026-01-01', bucket: 'day' }, 'bucket'],
    ['analytics', { bucket: 'year' }, 'bucket'],
    ['dashboard', { refresh: 'yes' }, 'refresh'],
  ])('%s %j is refused for its %s', async (path, query, field) => {
    const answer = await app.call('GET', `/api/revenue/${path}${queryString(query)}`, { token: admin });
    expectError(answer, 400, 'validation_failed', `query ${field}`);
  });

  it('goes back 36 months', async () => {
    expect((await asked('metrics/mrr-movements', { from: '2023-12', to: '2026-11' })).months).toHaveLength(36);
    expect((await asked('analytics', { from: '2023-12-01' })).series).toHaveLength(36);
  });

  it('is for finance, support and auditors; not for sales, owners, nor from within a tenant', async () => {
    const paths = ['dashboard', 'metrics', 'analytics', 'metrics/mrr-movements', 'metrics/cohorts', 'metrics/churn'];
    const owner = await app.ownerWithToken();
    const tokens = {
      finance: await app.adminToken({ role: 'finance' }),
      auditor: await app.adminToken({ role: 'auditor' }),
      sales: await app.adminToken({ role: 'sales' }),
      support: await app.adminToken({ role: 'support' }),
      owner: owner.token,
    };
    for (const path of paths) {
      const by = (token: string, headers = {}) => app.call('GET', `/api/revenue/${path}`, { token, headers });
      expectSuccess(await by(tokens.finance));
      expectSuccess(await by(tokens.auditor));
      expectError(await by(tokens.sales), 403, 'forbidden');
      expectSuccess(await by(tokens.support));
      expectError(await by(tokens.owner), 403, 'forbidden');
      expectError(await by(admin, { 'x-tenant-id': owner.tenantId }), 403, 'tenant_mismatch');
    }
  });
});
