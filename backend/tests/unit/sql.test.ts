import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { containing, orderBy, sql, where } from '../../src/utils/sql.ts';

describe('where', () => {
  it('joins the conditions that are there, and numbers their values', () => {
    const given = where(sql`a = ${1}`, undefined, false, null, '', sql`b like ${'%x%'}`, sql`c is null`);
    expect(given.text).toBe('where a = $1 and b like $2 and c is null');
    expect(given.values).toEqual([1, '%x%']);
  });

  it('is nothing without conditions', () => {
    expect(where().text).toBe('');
    expect(where(undefined, '', false).text).toBe('');
    expect(sql`select 1 from t ${where()}`.text).toBe('select 1 from t ');
  });
});

describe('orderBy', () => {
  it('sorts by the column, then by id in the same direction', () => {
    const columns = { createdAt: 't.created_at', name: 't.name' };
    expect(orderBy(columns, 'createdAt', 'desc', 't.id').text).toBe('order by t.created_at desc, t.id desc');
    expect(orderBy(columns, 'name', 'asc', 't.id').text).toBe('order by t.name asc, t.id asc');
    expect(orderBy(columns, 'name', 'asc', 't.id').values).toEqual([]);
  });
});

/** What LIKE does, by the manual: `%` any text, `_` any character, `\` takes the meaning from what follows. */
function like(text: string, pattern: string): boolean {
  const parts = [...pattern.matchAll(/\\(.)|(.)/gsu)].map(([, escaped, plain]) => {
    if (plain === '%') return '.*';
    if (plain === '_') return '.';
    return (escaped ?? plain ?? '').replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('')}$`, 'su').test(text);
}

describe('containing', () => {
  it.each([
    ['Kota', '%kota%'],
    ['100%', '%100\\%%'],
    ['a_b', '%a\\_b%'],
    ['c:\\dir', '%c:\\\\dir%'],
    ['सरस्वती', '%सरस्वती%'],
  ])('%j → %s', (part, pattern) => {
    expect(containing(part)).toBe(pattern);
  });

  it('finds a text that holds the part, and no other', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '%', '_', '\\', ' ', 'ख') });
    fc.assert(
      fc.property(text, text, (whole, part) => {
        expect(like(whole, containing(part))).toBe(whole.includes(part));
      }),
      { numRuns: 500 },
    );
  });
});
