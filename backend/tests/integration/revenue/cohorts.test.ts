import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noon, resetClock, setClock } from '../../support/billing.ts';
import { expectSuccess } from '../../support/expectations.ts';
import { figuresFor } from '../../support/revenue-figures.ts';
import { startTestApp, type TestApp } from '../../support/server.ts';

// Rule 28: who stays, computed by hand. The 26th of November 2026, and six tenants:
//
//   A  10 Nov 2025 1,000   1 Jun 2026 1,500
//   B  30 Nov 2025 2,000   1 Mar 2026 0
//   C  30 Nov 2025 3,000   1 Sep 2026 2,400
//   D   1 Dec 2025   500
//   E  15 Sep 2026   800   31 Oct 2026 0   1 Nov 2026 900
//   F  30 Sep 2026   400   30 Sep 2026 0 (the same day)

let app: TestApp;
let admin: string;
beforeAll(async () => {
  app = await startTestApp();
  setClock(noon('2026-11-26'));
  admin = await app.adminToken();
  const figures = figuresFor(app);
  const plan = await figures.plan();
  const histories: [string, number][][] = [
    [
      ['2025-11-10', 1000],
      ['2026-06-01', 1500],
    ],
    [
      ['2025-11-30', 2000],
      ['2026-03-01', 0],
    ],
    [
      ['2025-11-30', 3000],
      ['2026-09-01', 2400],
    ],
    [['2025-12-01', 500]],
    [
      ['2026-09-15', 800],
      ['2026-10-31', 0],
      ['2026-11-01', 900],
    ],
    [
      ['2026-09-30', 400],
      ['2026-09-30', 0],
    ],
  ];
  for (const steps of histories) await figures.history({ plan }, steps);
});
afterAll(async () => {
  resetClock();
  await app.close();
});

async function asked(path: string) {
  const answer = await app.call('GET', `/api/revenue/metrics/${path}`, { token: admin });
  expectSuccess(answer);
  return answer.body.data;
}

type Step = { after: number; tenants: number; tenantShare: number | null; mrr: string; mrrShare: number | null };
const stepsOf = (cohort: { months: Step[] }) =>
  cohort.months.map(({ after, tenants, tenantShare, mrr, mrrShare }) => [after, tenants, tenantShare, mrr, mrrShare]);

describe('rule 28: cohorts', () => {
  it('tell what is left of those who began in a month', async () => {
    const { cohorts } = await asked('cohorts?months=13');
    expect(cohorts).toHaveLength(13);
    const [november, december] = cohorts;
    expect(november).toMatchObject({ cohort: '2025-11', complete: true, tenants: 3, mrr: '6000.00' });
    expect(stepsOf(november)).toEqual([
      [0, 3, 1, '6000.00', 1],
      [1, 3, 1, '6000.00', 1],
      [2, 3, 1, '6000.00', 1],
      [3, 3, 1, '6000.00', 1],
      // B leaves on the first of March.
      [4, 2, 0.6667, '4000.00', 0.6667],
      [5, 2, 0.6667, '4000.00', 0.6667],
      [6, 2, 0.6667, '4000.00', 0.6667],
      // A takes on 500 in June, C gives up 600 in September.
      [7, 2, 0.6667, '4500.00', 0.75],
      [8, 2, 0.6667, '4500.00', 0.75],
      [9, 2, 0.6667, '4500.00', 0.75],
      [10, 2, 0.6667, '3900.00', 0.65],
      [11, 2, 0.6667, '3900.00', 0.65],
      [12, 2, 0.6667, '3900.00', 0.65],
    ]);
    expect(december).toMatchObject({ cohort: '2025-12', tenants: 1, mrr: '500.00' });
    expect(december.months.every((step: Step) => step.tenantShare === 1)).toBe(true);
  });

  it('count who leaves in the month of their beginning, and who comes back', async () => {
    const { cohorts } = await asked('cohorts?months=3');
    expect(cohorts[0]).toMatchObject({ cohort: '2026-09', complete: true, tenants: 2, mrr: '1200.00' });
    expect(stepsOf(cohorts[0])).toEqual([
      [0, 1, 0.5, '800.00', 0.6667],
      [1, 0, 0, '0.00', 0],
      [2, 1, 0.5, '900.00', 0.75],
    ]);
    expect(cohorts[0].months.map((month: { complete: boolean }) => month.complete)).toEqual([true, true, false]);
  });

  it('without anybody have no share', async () => {
    const { cohorts } = await asked('cohorts?months=2');
    expect(cohorts[0]).toMatchObject({ cohort: '2026-10', complete: true, tenants: 0, mrr: '0.00' });
    expect(stepsOf(cohorts[0])).toEqual([
      [0, 0, null, '0.00', null],
      [1, 0, null, '0.00', null],
    ]);
    expect(cohorts[1]).toMatchObject({ cohort: '2026-11', complete: false, tenants: 0 });
  });
});

describe('rule 28: retention', () => {
  it('of a year counts those who paid at its start alone', async () => {
    const { lastTwelveMonths } = await asked('churn');
    expect(lastTwelveMonths).toEqual({
      from: '2025-12-01',
      to: '2026-11-26',
      complete: false,
      // A, B and C at the end of November 2025.
      startMrr: '6000.00',
      payingAtStart: 3,
      churned: 1,
      logoChurn: 0.3333,
      // A counts for 1,000, B for nothing, C for 2,400: 3,400 of 6,000. With what A took on: 3,900.
      grossRevenueRetention: 0.5667,
      netRevenueRetention: 0.65,
    });
  });

  it('of a year that is over ends with it', async () => {
    const { lastTwelveMonths } = await asked('churn?to=2026-10');
    expect(lastTwelveMonths).toMatchObject({
      from: '2025-11-01',
      to: '2026-10-31',
      complete: true,
      startMrr: '0.00',
      payingAtStart: 0,
      logoChurn: null,
      grossRevenueRetention: null,
      netRevenueRetention: null,
    });
  });

  it('of each month follows from that month', async () => {
    const { months } = await asked('churn?from=2026-03&to=2026-11');
    const of = (month: string) => months.find((one: { month: string }) => one.month === month);
    expect(of('2026-03')).toEqual({
      month: '2026-03',
      complete: true,
      startMrr: '6500.00',
      payingAtStart: 4,
      churned: 1,
      logoChurn: 0.25,
      grossRevenueRetention: 0.6923,
      netRevenueRetention: 0.6923,
    });
    expect(of('2026-04')).toMatchObject({ payingAtStart: 3, churned: 0, logoChurn: 0, grossRevenueRetention: 1 });
    expect(of('2026-06')).toMatchObject({
      startMrr: '4500.00',
      grossRevenueRetention: 1,
      netRevenueRetention: 1.1111,
    });
    // 600 of 5,000 are lost; who began in the month is nobody's.
    expect(of('2026-09')).toMatchObject({ startMrr: '5000.00', payingAtStart: 3, grossRevenueRetention: 0.88 });
    expect(of('2026-10')).toMatchObject({ startMrr: '5200.00', payingAtStart: 4, churned: 1, logoChurn: 0.25 });
    expect(of('2026-11')).toMatchObject({
      complete: false,
      startMrr: '4400.00',
      payingAtStart: 3,
      churned: 0,
      netRevenueRetention: 1,
    });
  });

  it('is the same in the figures of a month', async () => {
    const { months } = await asked('churn?from=2026-03&to=2026-11');
    for (const { month, complete: _, ...rates } of months) {
      const answer = await app.call('GET', `/api/revenue/metrics?month=${month}`, { token: admin });
      const { from: __, to: ___, ...retention } = answer.body.data.current.retention;
      expect(retention, month).toEqual(rates);
    }
  });
});
