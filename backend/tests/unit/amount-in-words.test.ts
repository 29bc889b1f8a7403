import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { amountInWords } from '../../src/utils/amount-in-words.ts';
import { decimal } from '../../src/utils/money.ts';

const unitSizes = new Map([
  ['Hundred', 100n],
  ['Thousand', 1000n],
  ['Lakh', 100_000n],
]);
const wordValues = new Map(
  (
    'Zero One Two Three Four Five Six Seven Eight Nine Ten Eleven Twelve Thirteen Fourteen Fifteen Sixteen Seventeen ' +
    'Eighteen Nineteen'
  )
    .split(' ')
    .map((word, value): [string, bigint] => [word, BigInt(value)]),
);
'Twenty Thirty Forty Fifty Sixty Seventy Eighty Ninety'
  .split(' ')
  .forEach((word, index) => wordValues.set(word, BigInt(index + 2) * 10n));

/** Reads the words back, by another way than they were made: by adding from left to right. */
function valueOf(words: string): bigint {
  let crores = 0n;
  let sum = 0n;
  let below = 0n;
  for (const word of words.split(/[ -]/)) {
    const size = unitSizes.get(word);
    if (word === 'Crore') [crores, sum, below] = [(crores + sum + below) * 10_000_000n, 0n, 0n];
    else if (word === 'Hundred') below *= 100n;
    else if (size) [sum, below] = [sum + below * size, 0n];
    else below += wordValues.get(word) ?? fail(word);
  }
  return crores + sum + below;
}

function fail(word: string): never {
  throw new Error(`No word of a number: ${word}`);
}

describe('An amount in words', () => {
  it.each([
    ['0', 'Rupees Zero Only'],
    ['0.00', 'Rupees Zero Only'],
    ['0.05', 'Paise Five Only'],
    ['0.5', 'Paise Fifty Only'],
    ['1', 'Rupees One Only'],
    ['1.01', 'Rupees One and Paise One Only'],
    ['19', 'Rupees Nineteen Only'],
    ['20', 'Rupees Twenty Only'],
    ['21.30', 'Rupees Twenty-One and Paise Thirty Only'],
    ['100', 'Rupees One Hundred Only'],
    ['110', 'Rupees One Hundred Ten Only'],
    ['2949.00', 'Rupees Two Thousand Nine Hundred Forty-Nine Only'],
    ['10000', 'Rupees Ten Thousand Only'],
    ['100000', 'Rupees One Lakh Only'],
    ['100001', 'Rupees One Lakh One Only'],
    ['123456.78', 'Rupees One Lakh Twenty-Three Thousand Four Hundred Fifty-Six and Paise Seventy-Eight Only'],
    ['10000000', 'Rupees One Crore Only'],
    ['1000000000', 'Rupees One Hundred Crore Only'],
    [
      '999999999999.99',
      'Rupees Ninety-Nine Thousand Nine Hundred Ninety-Nine Crore Ninety-Nine Lakh Ninety-Nine Thousand Nine Hundred ' +
        'Ninety-Nine and Paise Ninety-Nine Only',
    ],
    ['10000000000000', 'Rupees Ten Lakh Crore Only'],
    ['-12.50', 'Minus Rupees Twelve and Paise Fifty Only'],
    ['-0.00', 'Rupees Zero Only'],
  ])('%s → %s', (amount, words) => {
    expect(amountInWords(amount)).toBe(words);
    expect(amountInWords(decimal(amount))).toBe(words);
  });

  it('can be read back, whatever the amount', () => {
    fc.assert(
      fc.property(fc.bigInt(1n, 10n ** 16n), fc.integer({ min: 1, max: 99 }), (rupees, paise) => {
        const words = amountInWords(`${rupees}.${String(paise).padStart(2, '0')}`);
        const [, rupeeWords = '', paiseWords = ''] = /^Rupees (.+) and Paise (.+) Only$/.exec(words) ?? [];
        expect(valueOf(rupeeWords)).toBe(rupees);
        expect(valueOf(paiseWords)).toBe(BigInt(paise));
      }),
    );
  });

  it.each(['', '1.005', '1,000', '1e3', 'NaN', 'Infinity', ' 1', '1\n', '.5', '५'])('refuses %j', (amount) => {
    expect(() => amountInWords(amount)).toThrow(RangeError);
  });

  it.each(['0.001', 'NaN', 'Infinity'])('refuses the decimal %s', (amount) => {
    expect(() => amountInWords(decimal(amount))).toThrow(RangeError);
  });
});
