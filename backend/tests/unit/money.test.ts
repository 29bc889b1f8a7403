import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allocate, decimal, fromPaise, roundPaisa, roundRupee, rupees, sumOf, toPaise } from '../../src/utils/money.ts';

const paise = fc.integer({ min: -10_000_000_000, max: 10_000_000_000 });
const texts = (amounts: ReturnType<typeof allocate>) => amounts.map(rupees);

describe('Rounding', () => {
  it.each([
    ['0.005', '0.01'],
    ['0.0049', '0.00'],
    ['224.919', '224.92'],
    ['9.045', '9.05'],
    ['1.005', '1.01'],
    ['-0.005', '-0.01'],
    ['-9.045', '-9.05'],
    ['676.7419354838', '676.74'],
  ])('of %s to the paisa is %s: half away from zero', (exact, rounded) => {
    expect(rupees(roundPaisa(decimal(exact)))).toBe(rounded);
  });

  it.each([
    ['2948.94', '2949'],
    ['2948.50', '2949'],
    ['2948.49', '2948'],
    ['-2948.50', '-2949'],
  ])('of %s to the rupee is %s', (exact, rounded) => {
    expect(roundRupee(decimal(exact)).toString()).toBe(rounded);
  });

  it('knows no error of binary fractions', () => {
    expect(rupees(sumOf(['0.10', '0.20']))).toBe('0.30');
    expect(rupees(sumOf(Array.from({ length: 1000 }, () => '0.01')))).toBe('10.00');
    expect(rupees('999999999999.99')).toBe('999999999999.99');
    expect(rupees(sumOf([]))).toBe('0.00');
  });
});

describe('Paise', () => {
  it('are whole, or it is an error', () => {
    expect(toPaise('2499.00')).toBe(249_900);
    expect(toPaise('0.01')).toBe(1);
    expect(rupees(fromPaise(249_901))).toBe('2499.01');
    expect(() => toPaise('1.005')).toThrow(RangeError);
  });

  it('become rupees and paise again, whatever they are', () => {
    fc.assert(fc.property(paise, (amount) => toPaise(fromPaise(amount)) === amount));
  });
});

describe('Parts of a total', () => {
  it.each([
    ['100.00', ['1', '1', '1'], ['33.34', '33.33', '33.33']],
    ['0.02', ['1', '1', '1'], ['0.01', '0.01', '0.00']],
    ['10.00', ['2499', '250', '0'], ['9.09', '0.91', '0.00']],
    ['-100.00', ['1', '1', '1'], ['-33.33', '-33.33', '-33.34']],
    ['5.00', ['0', '0'], ['5.00', '0.00']],
    ['5.00', [], []],
  ])('%s by %j are %j', (total, weights, parts) => {
    expect(texts(allocate(decimal(total), weights.map(decimal)))).toEqual(parts);
  });

  const weights = fc.array(fc.integer({ min: 0, max: 1_000_000_000 }), { minLength: 1, maxLength: 12 });

  it('add up to it exactly, each within a paisa of its share, and nothing goes to who has no weight', () => {
    fc.assert(
      fc.property(paise, weights, (total, shares) => {
        const whole = shares.reduce((sum, share) => sum + share, 0);
        const parts = allocate(fromPaise(total), shares.map(decimal));
        expect(rupees(sumOf(parts))).toBe(rupees(fromPaise(total)));
        if (whole === 0) return;
        for (const [index, part] of parts.entries()) {
          const exact = fromPaise(total)
            .times(shares[index] ?? 0)
            .dividedBy(whole);
          expect(part.minus(exact).abs().lt('0.01')).toBe(true);
          expect(part.decimalPlaces()).toBeLessThanOrEqual(2);
          if (shares[index] === 0) expect(part.isZero()).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('do so for negative weights as well: a credit that is given back', () => {
    fc.assert(
      fc.property(paise, weights, (total, shares) => {
        const parts = allocate(
          fromPaise(total),
          shares.map((share) => decimal(-share)),
        );
        expect(rupees(sumOf(parts))).toBe(rupees(fromPaise(total)));
      }),
    );
  });
});
