import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sumOf } from '../../../src/utils/money.ts';
import type { BuiltInvoice } from '../../support/revenue-figures.ts';
import { startReportTests, type ReportTests } from './reports-support.ts';

let tests: ReportTests;
let first: string;
let second: string;
beforeAll(async () => {
  tests = await startReportTests();
  [first, second] = [(await tests.app.buildTenant({ name: '@Saraswati' })).id, (await tests.app.buildTenant()).id];
});
afterAll(() => tests.close());

type Row = { tenantId: string; name: string; total: string; invoices: number };
const ageing = async (day?: string) => tests.writtenJson({ type: 'AGEING', ...(day && { day }) });
const rowOf = async (tenantId: string, day: string): Promise<Row | undefined> =>
  (await ageing(day)).rows.find((row: Row) => row.tenantId === tenantId);

/** Sets the sums of an invoice to what its payments and notes say. */
const settle = (invoice: BuiltInvoice, paid: number, credited: number, paidAt: string | null = null) =>
  tests.app.query(
    `update invoices set amount_paid = $2, amount_credited = $3, amount_due = total - $2 - $3,
            status = case when total = $2 + $3 then 'PAID' else 'OPEN' end::invoice_status, paid_at = $4 where id = $1`,
    [invoice.id, paid, credited, paidAt],
  );

describe('The ageing', () => {
  it('of nobody has no row and zeros', async () => {
    expect(await ageing('2020-01-01')).toEqual({
      report: 'ageing',
      day: '2020-01-01',
      rows: [],
      totals: {
        notDue: '0.00',
        days0To30: '0.00',
        days31To60: '0.00',
        days61To90: '0.00',
        daysOver90: '0.00',
        total: '0.00',
      },
    });
  });

  it('tells by tenant what is due and for how long, today unless said otherwise', async () => {
    const due: [string, number][] = [
      ['2026-12-01', 100],
      ['2026-11-26', 200],
      ['2026-10-27', 400],
      ['2026-10-26', 500],
      ['2026-09-26', 700],
      ['2026-08-27', 900],
    ];
    for (const [day, taxable] of due) {
      await tests.figures.invoice({ tenantId: first, on: '2026-08-01', due: day, lines: [{ taxable }] });
    }
    await tests.figures.invoice({ tenantId: second, on: '2026-11-20', due: '2026-11-25', lines: [{ taxable: 50 }] });
    const { day, rows, totals } = await ageing();
    expect(day).toBe('2026-11-26');
    expect(rows).toHaveLength(2);
    expect(rows.find((row: Row) => row.tenantId === first)).toEqual({
      tenantId: first,
      name: '@Saraswati',
      gstin: null,
      notDue: '354.00',
      days0To30: '472.00',
      days31To60: '590.00',
      days61To90: '826.00',
      daysOver90: '1062.00',
      total: '3304.00',
      invoices: 6,
      oldestDue: '2026-08-27',
    });
    expect(totals).toEqual({
      notDue: '354.00',
      days0To30: '531.00',
      days31To60: '590.00',
      days61To90: '826.00',
      daysOver90: '1062.00',
      total: '3363.00',
    });
    const [row] = await tests.app.query<{ due: string }>(
      `select sum(amount_due)::text as due from invoices where status = 'OPEN'`,
    );
    expect(totals.total).toBe(row?.due);
  });

  it('of an earlier day tells what was due then', async () => {
    // 118 is due on the tenth of October; 18 are credited on the eleventh, 50 come on the twentieth, 50 on the first.
    const { id: tenantId } = await tests.app.buildTenant();
    const invoice = await tests.figures.invoice({
      tenantId,
      on: '2026-10-01',
      due: '2026-10-10',
      lines: [{ taxable: 84.75, rate: 18 }],
    });
    await tests.figures.creditNote({ invoice, on: '2026-10-11', taxable: [15.25] });
    await tests.figures.payment({ tenantId, on: '2026-10-20', amount: 50, invoice });
    await tests.figures.payment({ tenantId, on: '2026-11-01', amount: 32.01, invoice });
    await settle(invoice, 82.01, 18, '2026-11-01T12:00:00+05:30');
    const totals: Record<string, unknown> = {};
    for (const day of [
      '2026-09-30',
      '2026-10-01',
      '2026-10-10',
      '2026-10-11',
      '2026-10-20',
      '2026-10-31',
      '2026-11-01',
    ]) {
      totals[day] = (await rowOf(tenantId, day))?.total;
    }
    expect(totals).toEqual({
      '2026-09-30': undefined,
      '2026-10-01': '100.01',
      '2026-10-10': '100.01',
      '2026-10-11': '82.01',
      '2026-10-20': '32.01',
      '2026-10-31': '32.01',
      '2026-11-01': undefined,
    });
    expect(await rowOf(tenantId, '2026-10-10')).toMatchObject({ notDue: '100.01', days0To30: '0.00' });
    expect(await rowOf(tenantId, '2026-10-11')).toMatchObject({ notDue: '0.00', days0To30: '82.01' });
  });

  it('knows what was taken back, voided and written off since', async () => {
    const { id: tenantId } = await tests.app.buildTenant();
    const make = (status: 'OPEN' | 'VOID' | 'UNCOLLECTIBLE', at = {}) =>
      tests.figures.invoice({ tenantId, on: '2026-09-01', lines: [{ taxable: 100 }], status, at });
    const returned = await make('OPEN');
    await make('VOID', { voided: '2026-10-31T18:30:00Z' });
    await make('UNCOLLECTIBLE', { uncollectible: '2026-10-31T18:29:59Z' });
    const payment = await tests.figures.payment({ tenantId, on: '2026-09-10', amount: 118, invoice: returned });
    await tests.figures.allocation(returned, payment, -118, '2026-10-15T00:00:00Z');
    const of = async (day: string) => {
      const row = await rowOf(tenantId, day);
      return row && [row.total, row.invoices];
    };
    expect(await of('2026-09-09')).toEqual(['354.00', 3]);
    expect(await of('2026-09-10')).toEqual(['236.00', 2]);
    expect(await of('2026-10-15')).toEqual(['354.00', 3]);
    // Written off a second before the first of November in India, and voided on it.
    expect(await of('2026-10-31')).toEqual(['236.00', 2]);
    expect(await of('2026-11-01')).toEqual(['118.00', 1]);
  });

  it('is a table as well, whose names no spreadsheet runs', async () => {
    const rows = await tests.writtenRows({ type: 'AGEING', day: '2026-11-26' });
    const row = rows.find((one) => one['Tenant id'] === first);
    expect(row).toMatchObject({ Tenant: "'@Saraswati", '0-30 days': '472.00', Total: '3304.00', Invoices: '6' });
    const total = sumOf(rows.map(({ Total }) => Total ?? 0)).toFixed(2);
    expect(total).toBe((await ageing('2026-11-26')).totals.total);
  });
});
