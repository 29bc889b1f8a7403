import { decimal, type Decimal } from './money.ts';

const SMALL = (
  'Zero One Two Three Four Five Six Seven Eight Nine Ten Eleven Twelve Thirteen Fourteen Fifteen Sixteen Seventeen ' +
  'Eighteen Nineteen'
).split(' ');
const TENS = ['', '', 'Twenty', 'Thirty', 'Forty', 'Fifty', 'Sixty', 'Seventy', 'Eighty', 'Ninety'];
/** Largest first. Crores are counted like anything else: a hundred crore, a lakh crore. */
const UNITS = [
  { name: 'Crore', size: 10_000_000n },
  { name: 'Lakh', size: 100_000n },
  { name: 'Thousand', size: 1000n },
  { name: 'Hundred', size: 100n },
];

/**
 * Rupees and paise in the words of an Indian invoice: `123456.78` → "Rupees One Lakh Twenty-Three Thousand Four Hundred
 * Fifty-Six and Paise Seventy-Eight Only".
 * @param amount in rupees, with at most two decimals
 * @throws RangeError for anything that is not such an amount
 */
export function amountInWords(amount: string | Decimal): string {
  const value = toDecimal(amount);
  const [rupees = '', paise = ''] = value.abs().toFixed(2).split('.');
  const parts = [
    ...(BigInt(rupees) > 0n || paise === '00' ? [`Rupees ${inWords(BigInt(rupees))}`] : []),
    ...(paise === '00' ? [] : [`Paise ${inWords(BigInt(paise))}`]),
  ];
  return `${value.lessThan(0) ? 'Minus ' : ''}${parts.join(' and ')} Only`;
}

function toDecimal(amount: string | Decimal): Decimal {
  const text = typeof amount === 'string' ? amount : amount.toFixed();
  if (!/^-?\d+(\.\d{1,2})?$/.test(text)) throw new RangeError(`Not an amount in rupees: ${JSON.stringify(text)}`);
  return decimal(text);
}

function inWords(number: bigint): string {
  const unit = UNITS.find(({ size }) => number >= size);
  if (unit) {
    const words = `${inWords(number / unit.size)} ${unit.name}`;
    return number % unit.size === 0n ? words : `${words} ${inWords(number % unit.size)}`;
  }
  const below100 = Number(number);
  if (below100 < 20) return SMALL[below100] ?? '';
  const ten = TENS[Math.floor(below100 / 10)] ?? '';
  return below100 % 10 === 0 ? ten : `${ten}-${SMALL[below100 % 10]}`;
}
