import { describe, expect, it } from 'vitest';
import { containingWords, searching } from '../../src/utils/search.ts';
import { sql } from '../../src/utils/sql.ts';

const valuesOf = (q: string) => searching(sql`t.text`, q).values;
const textOf = (q: string) => searching(sql`t.text`, q).text.replaceAll(/\s+/g, ' ');

describe('searching', () => {
  it.each([
    ['98290 12345', '%9829012345%'],
    ['098290-12345', '%9829012345%'],
    ['+91 98290 12345', '%9829012345%'],
    ['(+91)9829012345', '%9829012345%'],
    ['0091 98290 12345', '%9829012345%'],
    ['+91 (0)98290 12345', '%9829012345%'],
    ['९८२९०', '%98290%'],
    ['+९१ ९८२९० १२३४५', '%9829012345%'],
    ['9829', '%9829%'],
    ['12345', '%12345%'],
    ['+44 20 7946 0018', '%442079460018%'],
    ['0044 20 7946 0018', '%442079460018%'],
  ])('looks for the phone %s by its digits', (q, pattern) => {
    expect(valuesOf(q)).toEqual([`%${q}%`, pattern]);
  });

  it.each(['123', '+91', '12 3'])('takes %s for no phone', (q) => {
    expect(textOf(q)).toContain('name_key');
  });

  it('looks for each word by itself, also by its sound', () => {
    expect(valuesOf(' Sharma  MEERA ')).toEqual(['%sharma%', 'Sharma', '%meera%', 'MEERA']);
    expect(textOf('sharma meera').match(/ and /g)).toHaveLength(1);
  });

  it('puts the words first that an index can serve, so that there are few different statements', () => {
    expect(textOf('k sharma')).toBe(textOf('sharma k'));
    expect(valuesOf('k sharma')).toEqual(['%sharma%', 'sharma', 'k', 'k']);
  });

  it('leaves no wildcard of the caller in a pattern', () => {
    expect(valuesOf('100%_a\\bc')).toEqual(['%100\\%\\_a\\\\bc%', '100%_a\\bc']);
    expect(textOf('%%')).toContain('strpos');
    expect(textOf('___')).toContain('strpos');
  });

  it('has few conditions however many words there are, and leaves out none of them', () => {
    const q = Array.from({ length: 50 }, (_, index) => String.fromCharCode(97 + (index % 26))).join(' ');
    expect(textOf(q).match(/ and /g)).toHaveLength(4);
    expect(valuesOf(q).join(' ')).toContain(q.slice(8));
  });

  it('keeps what the caller sends out of the text of the statement', () => {
    expect(textOf(`'; drop table users; --`)).not.toContain('drop');
  });
});

describe('containingWords', () => {
  const conditionOf = (q: string) => containingWords(sql`t.text`, q);

  it('looks for each word as a part of the column, and for nothing else', () => {
    expect(conditionOf('SS/26-27/000001 Hall').values).toEqual(['%ss/26-27/000001%', '%hall%']);
    expect(conditionOf('SS/26-27/000001 Hall').text).not.toContain('name_key');
  });

  it('takes wildcards as they are, and a word too short for a trigram without an index', () => {
    expect(conditionOf('100%_x').values).toEqual(['%100\\%\\_x%']);
    expect(conditionOf('ab').text).toContain('strpos');
  });
});
