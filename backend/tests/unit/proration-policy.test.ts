import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { prorate, proratedPrice, remainingDays } from '../../src/services/proration.policy.ts';
import { addDays } from '../../src/utils/india-day.ts';
import { decimal, fromPaise, roundPaisa, rupees } from '../../src/utils/money.ts';

const august = { start: '2026-08-01', end: '2026-09-01' };

describe('A change within a period', () => {
  it('rule 19: 999 → 2,499 on 11 August in 1–31 August: 21 of 31 days, credit 676.74, charge 1,692.87', () => {
    const { days, daysInPeriod, credit, charge, net } = prorate({ from: '999', to: '2499' }, august, '2026-08-11');
    expect([days, daysInPeriod]).toEqual([21, 31]);
    expect([credit, charge, net].map(rupees)).toEqual(['676.74', '1692.87', '1016.13']);
  });

  it('rule 19: the example that Stripe documents, 10 → 20 half-way through the period: −5, +10', () => {
    const june = { start: '2026-06-01', end: '2026-07-01' };
    const { days, daysInPeriod, credit, charge, net } = prorate({ from: '10', to: '20' }, june, '2026-06-16');
    expect([days, daysInPeriod]).toEqual([15, 30]);
    expect([credit.negated(), charge, net].map(rupees)).toEqual(['-5.00', '10.00', '5.00']);
  });

  it('counts the day of the change, from the first day of the period to the one after the last', () => {
    expect(remainingDays(august, '2026-08-01')).toEqual({ days: 31, daysInPeriod: 31 });
    expect(remainingDays(august, '2026-08-31')).toEqual({ days: 1, daysInPeriod: 31 });
    expect(remainingDays(august, '2026-09-01')).toEqual({ days: 0, daysInPeriod: 31 });
    expect(rupees(proratedPrice('999.99', august, '2026-08-01'))).toBe('999.99');
    expect(rupees(proratedPrice('999.99', august, '2026-09-01'))).toBe('0.00');
    for (const day of ['2026-07-31', '2026-09-02']) expect(() => remainingDays(august, day)).toThrow(RangeError);
  });

  it('gives money back where the new price is less', () => {
    expect(rupees(prorate({ from: '2499', to: '999' }, august, '2026-08-11').net)).toBe('-1016.13');
  });
});

const period = fc
  .record({ offset: fc.integer({ min: 0, max: 20_000 }), length: fc.integer({ min: 1, max: 366 }) })
  .chain(({ offset, length }) => {
    const start = addDays('2020-01-01', offset);
    return fc.integer({ min: 0, max: length }).map((passed) => ({
      period: { start, end: addDays(start, length) },
      on: addDays(start, passed),
      passed,
      length,
    }));
  });
const price = fc.integer({ min: 0, max: 9_999_999_999 }).map(fromPaise);

describe('Whatever the period, the prices and the day,', () => {
  it('the same price costs nothing', () => {
    fc.assert(
      fc.property(period, price, ({ period: within, on }, amount) => {
        expect(prorate({ from: amount, to: amount }, within, on).net.isZero()).toBe(true);
      }),
    );
  });

  it('two parts of a period add up to its price within a paisa', () => {
    fc.assert(
      fc.property(period, price, ({ period: within, on, passed, length }, amount) => {
        const first = roundPaisa(amount.times(passed).dividedBy(length));
        const rest = proratedPrice(amount, within, on);
        expect(first.plus(rest).minus(amount).abs().lte('0.01')).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('going there and back on one day costs nothing', () => {
    fc.assert(
      fc.property(period, price, price, ({ period: within, on }, from, to) => {
        const there = prorate({ from, to }, within, on).net;
        const back = prorate({ from: to, to: from }, within, on).net;
        expect(there.plus(back).isZero()).toBe(true);
      }),
    );
  });

  it('credit and charge lie between nothing and the price, and fall day by day', () => {
    fc.assert(
      fc.property(period, price, ({ period: within, on, passed }, amount) => {
        const rest = proratedPrice(amount, within, on);
        expect(rest.gte(0) && rest.lte(amount)).toBe(true);
        if (passed > 0) expect(proratedPrice(amount, within, addDays(on, -1)).gte(rest)).toBe(true);
      }),
    );
  });

  it('an upgrade never costs less than nothing', () => {
    fc.assert(
      fc.property(period, price, price, ({ period: within, on }, one, other) => {
        const [from, to] = one.lte(other) ? [one, other] : [other, one];
        expect(prorate({ from, to }, within, on).net.gte(decimal(0))).toBe(true);
      }),
    );
  });
});
