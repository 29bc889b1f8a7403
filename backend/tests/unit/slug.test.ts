import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/utils/errors.ts';
import { slug as slugField } from '../../src/utils/fields.ts';
import { slugOf } from '../../src/utils/slug.ts';

describe('A slug made from a name', () => {
  it.each([
    ['Saraswati Reading Hall, Kota', 'saraswati-reading-hall-kota'],
    ['  Gyan   Kendra  ', 'gyan-kendra'],
    ["O'Brien & Sons (24×7)", 'o-brien-sons-24-7'],
    ['Café Étude', 'cafe-etude'],
    ['ﬁnal Ｓｔｕｄｙ', 'final-study'],
    ['-- Vidya --', 'vidya'],
    ['सरस्वती Saraswati पुस्तकालय', 'saraswati'],
    ['100% Result', '100-result'],
  ])('%j → %s', (name, slug) => {
    expect(slugOf(name)).toBe(slug);
  });

  it('ends with a word, not a dash, where it is cut at 60 characters', () => {
    expect(slugOf(`${'a'.repeat(59)} b`)).toBe('a'.repeat(59));
    expect(slugOf('x'.repeat(80))).toBe('x'.repeat(60));
  });

  it.each(['सरस्वती पुस्तकालय', 'Q7', '!!!', ''])('is asked for where %j gives none', (name) => {
    let thrown: unknown;
    try {
      slugOf(name);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(AppError);
    expect(thrown).toMatchObject({ code: 'validation_failed', details: { issues: [{ in: 'body', field: 'slug' }] } });
  });

  it('is one that the API takes, whatever the name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 120 }), (name) => {
        let slug: string;
        try {
          slug = slugOf(name);
        } catch {
          return;
        }
        expect(slugField.parse(slug)).toBe(slug);
        expect(slugOf(slug)).toBe(slug);
      }),
      { numRuns: 500 },
    );
  });
});
