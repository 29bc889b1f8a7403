import { describe, expect, it } from 'vitest';
import { byRate, isHsnApart, sectionOf, seriesOf } from '../../src/services/gstr1.policy.ts';
import { salesVoucher } from '../../src/services/journal.policy.ts';
import { movementsOf } from '../../src/services/mrr-movements.policy.ts';
import {
  bucketsBetween,
  lastDayOf,
  monthPeriod,
  monthsAfter,
  monthsApart,
  monthsBetween,
  startOfBucket,
} from '../../src/services/revenue-periods.policy.ts';
import { arpaOf, arrOf, ltvOf, share } from '../../src/services/revenue-rates.policy.ts';

describe('Periods of figures', () => {
  it('end with their month, leap years included', () => {
    expect(['2026-02', '2028-02', '2026-11', '2026-12'].map(lastDayOf)).toEqual([
      '2026-02-28',
      '2028-02-29',
      '2026-11-30',
      '2026-12-31',
    ]);
  });

  it('count months over years', () => {
    expect(monthsAfter('2026-11', 3)).toBe('2027-02');
    expect(monthsAfter('2026-01', -1)).toBe('2025-12');
    expect(monthsApart('2025-12', '2026-11')).toBe(11);
    expect(monthsBetween('2025-11', '2026-02')).toEqual(['2025-11', '2025-12', '2026-01', '2026-02']);
    expect(monthsBetween('2026-02', '2026-01')).toEqual([]);
  });

  it('are complete once their last day is over', () => {
    expect(monthPeriod('2026-11', '2026-11-30')).toEqual({ from: '2026-11-01', to: '2026-11-30', complete: false });
    expect(monthPeriod('2026-11', '2026-12-01')).toEqual({ from: '2026-11-01', to: '2026-11-30', complete: true });
    expect(monthPeriod('2026-11', '2026-11-05')).toEqual({ from: '2026-11-01', to: '2026-11-05', complete: false });
  });

  it('are weeks from Monday, long ago as well', () => {
    expect(startOfBucket('2026-11-26', 'week')).toBe('2026-11-23');
    expect(startOfBucket('2026-11-23', 'week')).toBe('2026-11-23');
    expect(startOfBucket('2026-11-22', 'week')).toBe('2026-11-16');
    expect(startOfBucket('2023-12-31', 'week')).toBe('2023-12-25');
    expect(startOfBucket('2026-11-26', 'month')).toBe('2026-11-01');
  });

  it('are made no more of than one too many', () => {
    const range = { from: '2000-01-01', to: '2026-11-26' };
    expect(bucketsBetween(range, 'day', { today: '2026-11-26', most: 120 })).toHaveLength(121);
  });
});

describe('Rates', () => {
  it('are null where there is nothing to divide by', () => {
    expect(share(1, 0)).toBeNull();
    expect(arpaOf('0.00', 0)).toBeNull();
    expect(ltvOf({ mrr: '100.00', paying: 1 }, { payingAtStart: 5, churned: 0 })).toBeNull();
    expect(ltvOf({ mrr: '0.00', paying: 0 }, { payingAtStart: 5, churned: 1 })).toBeNull();
  });

  it('are rounded once', () => {
    expect(share(2, 3)).toBe(0.6667);
    expect(arrOf('832.50')).toBe('9990.00');
    expect(arpaOf('100.00', 3)).toBe('33.33');
    // 33.333… by 2 of 7, and not 33.33 by 0.2857.
    expect(ltvOf({ mrr: '100.00', paying: 3 }, { payingAtStart: 7, churned: 2 })).toBe('116.67');
  });

  it('come from movements that add up', () => {
    expect(
      movementsOf('100.10', [
        { movement: 'NEW', amount: '0.20' },
        { movement: 'CHURN', amount: '-100.10' },
      ]),
    ).toMatchObject({ opening: '100.10', new: '0.20', churn: '-100.10', net: '-99.90', closing: '0.20' });
  });
});

describe('rule 18: a return', () => {
  const supplied = { ctin: null, supply: 'INTER_STATE', total: '100000.01', issueDate: '2026-10-01' } as const;

  it('tells large supplies to unregistered buyers in other states one by one', () => {
    expect(sectionOf(supplied)).toBe('b2cl');
    expect(sectionOf({ ...supplied, total: '100000.00' })).toBe('b2cs');
    expect(sectionOf({ ...supplied, supply: 'INTRA_STATE' })).toBe('b2cs');
    expect(sectionOf({ ...supplied, ctin: '29AAGCB7383J1Z4' })).toBe('b2b');
    expect(sectionOf({ ...supplied, issueDate: '2024-07-31' })).toBe('b2cs');
    expect(sectionOf({ ...supplied, issueDate: '2024-07-31', total: '250000.01' })).toBe('b2cl');
  });

  it('sums up by rate, and knows series by their prefix and year', () => {
    const part = { taxable: '100.00', cgst: '0', sgst: '0', igst: '18.00' };
    const rates = byRate([
      { rate: '18.00', sac: '997331', ...part },
      { rate: '5.00', sac: '998413', ...part },
      { rate: '18.00', sac: '998413', ...part },
    ]);
    expect(rates.map(({ rate, taxes }) => [rate, taxes.taxable.toFixed(2), taxes.igst.toFixed(2)])).toEqual([
      ['5.00', '100.00', '18.00'],
      ['18.00', '200.00', '36.00'],
    ]);
    expect(seriesOf('SS/26-27/000001')).toBe('SS/26-27/');
    expect([isHsnApart('2025-04'), isHsnApart('2025-05')]).toEqual([false, true]);
  });
});

describe('A voucher', () => {
  const row = {
    id: 'x',
    day: '2026-10-01',
    number: 'SS/26-27/000001',
    invoiceNumber: null,
    party: 'Hall',
    gstin: null,
    taxable: '100.50',
    cgst: '0.00',
    sgst: '0.00',
    igst: '18.09',
    roundOff: '0.41',
    total: '119.00',
  };

  it('leaves out what is nothing', () => {
    expect(salesVoucher(row).entries.map(({ ledger }) => ledger)).toEqual([
      'Hall',
      'Sales',
      'Output IGST',
      'Round Off',
    ]);
  });

  it('that does not balance is not written', () => {
    expect(() => salesVoucher({ ...row, total: '118.00' })).toThrow('off by -1.00');
  });
});
