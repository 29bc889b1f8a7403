import { stateByGstCode } from './indian-states.ts';

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const BASE = DIGITS.length;

/** State, PAN (5 letters, 4 digits, 1 letter), registration of that PAN within the state, `Z`, check character. */
const FORMAT = /^[0-9]{2}[A-Z]{5}[0-9]{4}[A-Z][1-9A-Z]Z[0-9A-Z]$/;

/**
 * Whether the text is a GSTIN of a taxpayer: 15 characters in upper case, a state that exists, the right check
 * character. It says nothing about whether the number was ever issued.
 */
export function isValidGstin(text: string): boolean {
  if (!FORMAT.test(text)) return false;
  return stateByGstCode(text.slice(0, 2)) !== undefined && text.endsWith(gstinCheckCharacter(text.slice(0, 14)));
}

/**
 * The fifteenth character of a GSTIN: Luhn's algorithm in base 36.
 * @param first14 fourteen digits and capital letters
 * @throws RangeError for anything else
 */
export function gstinCheckCharacter(first14: string): string {
  if (!/^[0-9A-Z]{14}$/.test(first14)) {
    throw new RangeError(
      'A check character is made from the first 14 characters of a GSTIN: digits and capital letters',
    );
  }
  let sum = 0;
  for (let position = 0; position < first14.length; position++) {
    const product = DIGITS.indexOf(first14.charAt(position)) * (position % 2 === 0 ? 1 : 2);
    sum += Math.floor(product / BASE) + (product % BASE);
  }
  return DIGITS.charAt((BASE - (sum % BASE)) % BASE);
}
