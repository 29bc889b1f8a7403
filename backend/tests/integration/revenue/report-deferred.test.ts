import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSuccess } from '../../support/expectations.ts';
import type { FigureInvoice } from '../../support/revenue-figures.ts';
import { startReportTests, type ReportTests } from './reports-support.ts';

let tests: ReportTests;
let tenantId: string;
beforeAll(async () => {
  tests = await startReportTests();
  tenantId = (await tests.app.buildTenant()).id;
});
afterAll(() => tests.close());

const invoice = (of: Omit<FigureInvoice, 'tenantId'>) => tests.figures.invoice({ tenantId, ...of });
const deferred = (day: string) => tests.writtenJson({ type: 'DEFERRED_REVENUE', day });

describe('Deferred revenue', () => {
  it('of nothing is zero', async () => {
    expect(await deferred('2020-01-01')).toEqual({
      report: 'deferred-revenue',
      day: '2020-01-01',
      rows: [],
      total: '0.00',
    });
  });

  it('is what is invoiced by a day and earned after it, by days', async () => {
    // A year from the first of October 2026: 365 days, of which 334 come after the thirty-first.
    const year = await invoice({
      on: '2026-10-01',
      lines: [{ taxable: 9990, period: ['2026-10-01', '2027-10-01'], description: '=Growth plan' }],
      status: 'PAID',
    });
    // A month of 31 days, all of them over at the end of the last.
    await invoice({ on: '2026-10-01', lines: [{ taxable: 3100, period: ['2026-10-01', '2026-11-01'] }] });
    // Invoiced ahead: its 30 days are all to come.
    await invoice({ on: '2026-10-31', lines: [{ taxable: 3000, period: ['2026-11-01', '2026-12-01'] }] });
    // One that is issued later, one that is void, one without a period.
    await invoice({ on: '2026-11-01', lines: [{ taxable: 500, period: ['2026-11-01', '2026-12-01'] }] });
    await invoice({ on: '2026-10-01', lines: [{ taxable: 1, period: ['2026-10-01', '2027-10-01'] }], status: 'VOID' });
    await invoice({ on: '2026-10-01', lines: [{ taxable: 77 }] });
    const report = await deferred('2026-10-31');
    expect(report.rows).toEqual([
      expect.objectContaining({ taxable: '3000.00', days: 30, daysLeft: 30, deferred: '3000.00' }),
      {
        tenantId,
        buyer: 'Saraswati Reading Hall',
        number: year.number,
        issuedOn: '2026-10-01',
        description: '=Growth plan',
        periodFrom: '2026-10-01',
        lastDay: '2027-09-30',
        taxable: '9990.00',
        credited: '0.00',
        days: 365,
        daysLeft: 334,
        // 9,990 × 334 / 365 = 9,141.534…
        deferred: '9141.53',
      },
    ]);
    expect(report.total).toBe('12141.53');
    const middle = await deferred('2026-10-15');
    // 16 of 31 days of 3,100, and 350 of 365 of 9,990.
    expect(middle.rows.map((row: { deferred: string }) => row.deferred)).toEqual(['1600.00', '9579.45']);
  });

  it('is less by what was credited, in the same proportion and from the day of the note on', async () => {
    const { id } = await tests.app.buildTenant();
    const built = await tests.figures.invoice({
      tenantId: id,
      on: '2026-10-01',
      // What is given back within an invoice counts as well.
      lines: [
        { taxable: 3100, period: ['2026-10-01', '2026-11-01'] },
        { taxable: -310, period: ['2026-10-01', '2026-11-01'] },
      ],
    });
    await tests.figures.creditNote({ invoice: built, on: '2026-10-11', taxable: [1550, 0] });
    await tests.figures.creditNote({
      invoice: built,
      on: '2026-10-11',
      taxable: [155, 0],
      voided: '2026-10-12T00:00:00Z',
    });
    const of = async (day: string) =>
      (await deferred(day)).rows
        .filter((row: { tenantId: string }) => row.tenantId === id)
        .map((row: { deferred: string }) => row.deferred)
        .toSorted();
    expect(await of('2026-10-10')).toEqual(['-210.00', '2100.00']);
    expect(await of('2026-10-11')).toEqual(['-200.00', '1000.00']);
    expect(await of('2026-10-30')).toEqual(['-10.00', '50.00']);
    expect(await of('2026-10-31')).toEqual([]);
  });

  it('is the same in the figures of that day, and in the table', async () => {
    const answer = await tests.app.call('GET', '/api/revenue/metrics?day=2026-10-20', { token: tests.token });
    expectSuccess(answer);
    const { rows, total } = await deferred('2026-10-20');
    expect(answer.body.data.current.deferredRevenue).toBe(total);
    const table = await tests.writtenRows({ type: 'DEFERRED_REVENUE', day: '2026-10-20' });
    expect(table).toHaveLength(rows.length);
    expect(table.map((row) => row.Deferred)).toEqual(rows.map((row: { deferred: string }) => row.deferred));
    expect(table.find((row) => row.Line?.includes('Growth plan') && row.Days === '365')?.Line).toBe("'=Growth plan");
  });
});
