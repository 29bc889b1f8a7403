import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { couponHolds, discountsOf, type HeldCoupon } from '../../src/services/coupon-discount.policy.ts';
import { decimal, fromPaise, rupees, sumOf } from '../../src/utils/money.ts';

const percent = (share: string) => ({ kind: 'PERCENT' as const, percent: share, amount: null });
const fixed = (amount: string) => ({ kind: 'FIXED' as const, percent: null, amount });
const held = (changes: Partial<HeldCoupon> = {}): HeldCoupon => ({
  id: 'c1',
  ...percent('10'),
  duration: 'FOREVER',
  endsOn: null,
  usedOnInvoice: null,
  removedOn: null,
  ...changes,
});
const off = (amounts: string[], ...coupons: Parameters<typeof discountsOf>[1]) =>
  discountsOf(amounts.map(decimal), coupons).map(rupees);

describe('What coupons take off', () => {
  it('rule 18: 10 % of 2,499.00 is 249.90', () => {
    expect(off(['2499.00'], percent('10'))).toEqual(['249.90']);
  });

  it.each([
    [['2499.00', '250.00'], [percent('10')], ['249.90', '25.00']],
    [['2499.00', '250.00'], [fixed('100')], ['90.91', '9.09']],
    [['100.00'], [percent('50'), percent('50')], ['75.00']],
    [['100.00'], [fixed('30'), percent('50')], ['80.00']],
    [['100.00'], [fixed('30'), fixed('30')], ['60.00']],
    [['100.00', '50.00'], [fixed('1000')], ['100.00', '50.00']],
    [['100.00'], [percent('100'), fixed('10')], ['100.00']],
    [['0.05'], [percent('10')], ['0.01']],
    [['0.04'], [percent('10')], ['0.00']],
    [['0.00'], [fixed('10')], ['0.00']],
    [['100.00'], [], ['0.00']],
    [[], [percent('10'), fixed('10')], []],
  ])('rule 20: before tax, percentages first: of %j with %j is %j', (amounts, coupons, expected) => {
    expect(off(amounts, ...coupons)).toEqual(expected);
  });

  it('is never more than there is, and fixed amounts come off to the paisa', () => {
    const amounts = fc.array(fc.integer({ min: 0, max: 100_000_000 }), { maxLength: 10 });
    const shares = fc.array(fc.integer({ min: 1, max: 10_000 }), { maxLength: 3 });
    const sums = fc.array(fc.integer({ min: 1, max: 100_000_000 }), { maxLength: 3 });
    fc.assert(
      fc.property(amounts, shares, sums, (paise, percents, fixeds) => {
        const lines = paise.map(fromPaise);
        const parts = percents.map((share) => percent(rupees(fromPaise(share))));
        const whole = fixeds.map((amount) => fixed(rupees(fromPaise(amount))));
        const discounts = discountsOf(lines, [...whole, ...parts]);
        expect(discounts).toHaveLength(lines.length);
        for (const [index, discount] of discounts.entries()) {
          expect(discount.gte(0) && discount.lte(lines[index] ?? 0)).toBe(true);
          expect(discount.decimalPlaces()).toBeLessThanOrEqual(2);
        }
        const afterPercent = sumOf(lines).minus(sumOf(discountsOf(lines, parts)));
        const wanted = sumOf(fixeds.map(fromPaise));
        const taken = sumOf(discounts).minus(sumOf(lines).minus(afterPercent));
        expect(rupees(taken)).toBe(rupees(wanted.gt(afterPercent) ? afterPercent : wanted));
      }),
      { numRuns: 500 },
    );
  });
});

describe('A coupon holds', () => {
  it.each([
    ['forever', {}, '2030-01-01', true],
    ['until it is removed', { removedOn: '2026-08-01' }, '2026-07-01', false],
    ['before the day on which it ends', { endsOn: '2026-11-01' }, '2026-10-31', true],
    ['not on that day', { endsOn: '2026-11-01' }, '2026-11-01', false],
    ['once', { duration: 'ONCE' }, '2026-08-01', true],
    ['and not twice', { duration: 'ONCE', usedOnInvoice: 'c2' }, '2026-09-01', false],
    ['again where it recurs', { duration: 'REPEATING', usedOnInvoice: 'c2', endsOn: '2026-11-01' }, '2026-09-01', true],
  ] as const)('%s: %j on %s is %s', (_, changes, day, holds) => {
    expect(couponHolds(held(changes), day)).toBe(holds);
  });
});
