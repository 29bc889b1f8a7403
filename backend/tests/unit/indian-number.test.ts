import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatIndian } from '../../src/utils/indian-number.ts';

describe('A number with the commas of India', () => {
  it.each([
    ['0', '0'],
    ['0.00', '0.00'],
    ['999.5', '999.5'],
    ['1000', '1,000'],
    ['99999', '99,999'],
    ['123456.78', '1,23,456.78'],
    ['1234567.00', '12,34,567.00'],
    ['999999999999.99', '9,99,99,99,99,999.99'],
    ['-0.06', '-0.06'],
    ['-250000.10', '-2,50,000.10'],
    ['-0.00', '0.00'],
    ['000123', '123'],
    ['0.123456', '0.123456'],
  ])('%s → %s', (amount, text) => {
    expect(formatIndian(amount)).toBe(text);
  });

  it('groups as Intl does, and further than a double is exact', () => {
    const reference = new Intl.NumberFormat('en-IN', { maximumFractionDigits: 0 });
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 25n), 10n ** 25n), (number) => {
        expect(formatIndian(`${number}`)).toBe(reference.format(number));
      }),
    );
  });

  it.each(['', '-', '.5', '5.', '1,000', '1e5', '+1', ' 1', '1\n', 'NaN', 'Infinity', '१२३', '--1'])(
    'refuses %j',
    (amount) => {
      expect(() => formatIndian(amount)).toThrow(RangeError);
    },
  );
});
