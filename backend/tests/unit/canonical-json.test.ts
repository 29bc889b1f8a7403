import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, sha256 } from '../../src/utils/canonical-json.ts';

/** The same value with the keys of every object in another order. */
function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, item]) => [key, shuffled(item)]),
  );
}

/** Through JSON, as everything that is hashed has gone: no -0, no `__proto__` made by a literal. */
const json = fc.json({ stringUnit: 'binary' }).map((text): unknown => JSON.parse(text));

describe('Canonical JSON', () => {
  it.each([
    [
      'keys in the order of their UTF-16 units',
      { b: 1, a: 2, '\u{1f600}': 3, '\ufb33': 4 },
      '{"a":2,"b":1,"\u{1f600}":3,"\ufb33":4}',
    ],
    ['numbers as ECMAScript writes them', [1e21, 1e-7, 0.1, -0, 10.0], '[1e+21,1e-7,0.1,0,10]'],
    ['no more escapes than needed', 'é\u0007"\\/\u2028', '"é\\u0007\\"\\\\/\u2028"'],
    ['nothing for what is undefined', { a: undefined, b: null }, '{"b":null}'],
  ])('has %s', (_what, value, text) => {
    expect(canonicalJson(value)).toBe(text);
  });

  it.each([undefined, Number.NaN, Number.POSITIVE_INFINITY, () => 1])('refuses %s', (value) => {
    expect(() => canonicalJson(value)).toThrow();
  });

  it('says the same as the value', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('is the same in whatever order the keys come', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(canonicalJson(shuffled(value))).toBe(canonicalJson(value));
      }),
    );
  });

  it('differs for values that differ', () => {
    fc.assert(
      fc.property(json, json, (one, other) => {
        const isSame = isDeepStrictEqual(JSON.parse(JSON.stringify(one)), JSON.parse(JSON.stringify(other)));
        expect(canonicalJson(one) === canonicalJson(other)).toBe(isSame);
      }),
    );
  });

  it('is hashed as UTF-8 with SHA-256', () => {
    expect(sha256('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(sha256('é')).toBe(
      createHash('sha256')
        .update(Buffer.from([0xc3, 0xa9]))
        .digest('hex'),
    );
  });
});
