import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gstinCheckCharacter, isValidGstin } from '../../src/utils/gstin.ts';
import { INDIAN_STATES, stateByCode, stateByGstCode, stateCodes } from '../../src/utils/indian-states.ts';

const DIGITS = '0123456789'.split('');
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'.split('');
const anyCharacter = fc.constantFrom(...DIGITS, ...LETTERS);
const textOf = (characters: string[], length: number) =>
  fc.array(fc.constantFrom(...characters), { minLength: length, maxLength: length }).map((list) => list.join(''));

const first14 = fc
  .tuple(
    fc.constantFrom(...INDIAN_STATES.map((state) => state.gstCode)),
    textOf(LETTERS, 5),
    textOf(DIGITS, 4),
    textOf(LETTERS, 1),
    fc.constantFrom(...DIGITS.slice(1), ...LETTERS),
  )
  .map((parts) => `${parts.join('')}Z`);
const gstin = first14.map((text) => text + gstinCheckCharacter(text));
/** Not a real GSTIN in shape, but a text whose check character is right: here the algorithm alone has to tell. */
const checked = textOf([...DIGITS, ...LETTERS], 14).map((text) => text + gstinCheckCharacter(text));

const replaced = (text: string, at: number, character: string) => text.slice(0, at) + character + text.slice(at + 1);
const swapped = (text: string, at: number) =>
  text.slice(0, at) + text.charAt(at + 1) + text.charAt(at) + text.slice(at + 2);
const hasRightCheck = (text: string) => text.endsWith(gstinCheckCharacter(text.slice(0, 14)));

describe('GSTIN', () => {
  it.each(['27AAPFU0939F1ZV', '29AAGCB7383J1Z4', '33AAGCC7144L6ZE'])('accepts %s', (text) => {
    expect(isValidGstin(text)).toBe(true);
  });

  it.each([
    ['a wrong check character', '27AAPFU0939F1ZW'],
    ['lower case', '27aapfu0939f1zv'],
    ['a space at the end', '27AAPFU0939F1ZV '],
    ['a newline at the end', '27AAPFU0939F1ZV\n'],
    ['14 characters', '27AAPFU0939F1Z'],
    ['16 characters', '27AAPFU0939F1ZV0'],
    ['another fourteenth character', `27AAPFU0939F1A${gstinCheckCharacter('27AAPFU0939F1A')}`],
    ['registration number 0', `27AAPFU0939F0Z${gstinCheckCharacter('27AAPFU0939F0Z')}`],
    ['a state that does not exist', `39AAPFU0939F1Z${gstinCheckCharacter('39AAPFU0939F1Z')}`],
    ['digits of another script', '२७AAPFU0939F1ZV'],
    ['nothing', ''],
  ])('refuses %s', (_what, text) => {
    expect(isValidGstin(text)).toBe(false);
  });

  it('accepts every well-formed number with its check character', () => {
    fc.assert(fc.property(gstin, (text) => isValidGstin(text)));
  });

  it('detects every change of one character', () => {
    fc.assert(
      fc.property(gstin, fc.nat(14), anyCharacter, (text, at, character) => {
        fc.pre(text.charAt(at) !== character);
        return !isValidGstin(replaced(text, at, character));
      }),
    );
    fc.assert(
      fc.property(checked, fc.nat(14), anyCharacter, (text, at, character) => {
        fc.pre(text.charAt(at) !== character);
        return !hasRightCheck(replaced(text, at, character));
      }),
    );
  });

  it('detects every swap of two neighbours', () => {
    fc.assert(
      fc.property(gstin, fc.nat(13), (text, at) => {
        fc.pre(text.charAt(at) !== text.charAt(at + 1));
        return !isValidGstin(swapped(text, at));
      }),
    );
  });

  it('misses no swap by its check character but that of 0 and Z', () => {
    fc.assert(
      fc.property(checked, fc.nat(13), (text, at) => {
        const pair = [text.charAt(at), text.charAt(at + 1)].toSorted().join('');
        fc.pre(pair.charAt(0) !== pair.charAt(1));
        return hasRightCheck(swapped(text, at)) === (pair === '0Z');
      }),
    );
    expect(gstinCheckCharacter('0ZAAAAAAAAAAAA')).toBe(gstinCheckCharacter('Z0AAAAAAAAAAAA'));
  });

  it('answers for any text', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      gstin.map((valid) => `${valid}\u0000`),
      textOf(LETTERS, 15),
    );
    fc.assert(fc.property(text, (value) => typeof isValidGstin(value) === 'boolean'));
  });

  it('makes check characters of 14 digits and capital letters only', () => {
    for (const text of ['', '27AAPFU0939F1', '27AAPFU0939F1ZV', '27aapfu0939f1z', '27AAPFU0939F1_']) {
      expect(() => gstinCheckCharacter(text)).toThrow(RangeError);
    }
  });
});

describe('Indian states', () => {
  it('are 28 states and 8 union territories, each found by either code', () => {
    expect(new Set(stateCodes).size).toBe(36);
    for (const state of INDIAN_STATES) {
      expect(stateByCode(state.code)).toBe(state);
      expect(stateByGstCode(state.gstCode)).toBe(state);
    }
  });

  it('are undefined for a code that is none', () => {
    for (const code of ['', 'mh', 'XX', '27', '__proto__']) expect(stateByCode(code)).toBeUndefined();
    for (const code of ['', '00', '25', '28', '99', 'MH']) expect(stateByGstCode(code)).toBeUndefined();
  });
});
