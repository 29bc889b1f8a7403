import { describe, expect, it } from 'vitest';
import { isCommonPassword } from '../../src/utils/common-passwords.ts';

describe('A password counts as common', () => {
  it.each([
    ['that many people use', 'qwertyuiop'],
    ['in whatever case', 'PassWord'],
    ['in full-width letters', 'ｐａｓｓｗｏｒｄ'],
    ['with digits at its end', 'sunshine2026'],
    ['with digits and signs at its end', 'Football!2026'],
    ['twice', 'dragonballdragonball'],
    ['made of one character', '................'],
    ['made of a few characters', 'abc1abc1abc1abc1'],
    ['made of digits in a row', '1234567890'],
  ])('%s', (_what, password) => {
    expect(isCommonPassword(password)).toBe(true);
  });

  it.each(['correct-horse-battery', 'three-quiet-rooms-in-kota', 'password-of-a-quiet-reader', 'xK7#pQ2vL9mW', ''])(
    'not %j',
    (password) => {
      expect(isCommonPassword(password)).toBe(false);
    },
  );

  it('is decided at once for whatever text', () => {
    for (const text of ['a'.repeat(199) + 'b', 'ab'.repeat(99) + 'x', '1'.repeat(199) + 'x', '🙂'.repeat(99) + 'x']) {
      expect(isCommonPassword(text)).toBe(false);
    }
  });
});
