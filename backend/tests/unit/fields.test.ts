import fc from 'fast-check';
import { getExampleNumber, getCountries } from 'libphonenumber-js/max';
import examples from 'libphonenumber-js/mobile/examples';
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { email, moment, password, phone, pincode, search, slug, text } from '../../src/utils/fields.ts';

/** The value that a field makes of what is given, or the messages of its refusal. */
function read(field: z.ZodType, given: unknown): unknown {
  const result = field.safeParse(given);
  return result.success ? result.data : { refused: result.error.issues.map(({ message }) => message) };
}
const refused = (...messages: string[]) => ({
  refused: messages.length > 0 ? messages.map((message) => expect.stringContaining(message)) : expect.any(Array),
});

describe('Phone', () => {
  it.each([
    '9829012345',
    '98290 12345',
    '098290 12345',
    '98290-12345',
    '+91 98290 12345',
    '+91-98290-12345',
    '(+91) 98290 12345',
    '0091 98290 12345',
    '919829012345',
    ' +919829012345\t',
    '＋９１９８２９０１２３４５',
  ])('%j is the same number', (spelled) => {
    expect(read(phone, spelled)).toBe('+919829012345');
  });

  it.each([
    ['', 'nothing'],
    ['12345', 'too short'],
    ['98290 1234', 'a digit too few'],
    ['98290 123456', 'a digit too many'],
    ['+999 98290 12345', 'a country that does not exist'],
    ['call me on 98290 12345', 'words around it'],
    ['98290 12345 or 98290 54321', 'two numbers'],
    ['9.829012345E9', 'what a spreadsheet makes of it'],
    ['९८२९०१२३४५', 'digits that no phone takes'],
    ['98290\u000012345', 'NUL within'],
    [`98290 12345${' '.repeat(40)}1`, 'too long'],
    ["98290'; drop table users", 'SQL'],
  ])('%j (%s) is none', (spelled) => {
    expect(read(phone, spelled)).toEqual(refused());
  });

  it('tells how it is written', () => {
    expect(read(phone, '12345')).toEqual(refused('must be a phone number, such as 98290 12345 or +91 98290 12345'));
  });

  it('of every country keeps its meaning, however it is spelled internationally', () => {
    for (const country of getCountries()) {
      const example = getExampleNumber(country, examples);
      if (!example?.isValid()) continue;
      for (const spelled of [
        example.number,
        example.formatInternational(),
        example.formatInternational().replace(/ /g, '-'),
      ]) {
        expect(read(phone, spelled), `${country} ${spelled}`).toBe(example.number);
      }
    }
  });

  it('is E.164 or refused, whatever is given; read again it stays as it is', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'+0123456789 -()'.split('')) })),
        (given) => {
          const number = read(phone, given);
          if (typeof number !== 'string') return;
          expect(number).toMatch(/^\+[1-9]\d{6,14}$/);
          expect(read(phone, number)).toBe(number);
        },
      ),
    );
  });
});

describe('Email', () => {
  it.each([
    ['Asha.Menon@StudySpot.Example', 'asha.menon@studyspot.example'],
    ['  a+b_c@x-y.co.in ', 'a+b_c@x-y.co.in'],
  ])('%j is %s', (given, address) => {
    expect(read(email, given)).toBe(address);
  });

  it.each([
    'a',
    'a@b',
    '@b.co',
    'a@',
    'a b@c.co',
    'a@b..co',
    '.a@b.co',
    'a@b.co\u0000',
    'a@b.co\nBcc: c@d.co',
    '"a"@b.co',
    'a@[127.0.0.1]',
    '\ud800@b.co',
    `${'a'.repeat(250)}@b.co`,
    'a@b.co,c@d.co',
    '<a@b.co>',
    "a@b.co' or '1'='1",
  ])('%j is none', (given) => {
    expect(read(email, given)).toEqual(refused());
  });

  const part = fc.string({
    unit: fc.oneof(
      fc.constantFrom(...'aZ09.-+_İßK'.split('')),
      fc.nat(0xffff).map((unit) => String.fromCharCode(unit)),
    ),
  });
  it('is in lower case, ASCII and free of what mail headers are split by, or refused', () => {
    fc.assert(
      fc.property(fc.tuple(part, part, part), ([user, host, end]) => {
        const given = `${user}@${host}.${end}`;
        const address = read(email, given);
        if (typeof address === 'string') expect(address).toMatch(/^[a-z0-9_'+.-]+@[a-z0-9.-]+$/);
      }),
    );
  });
});

describe('Moment', () => {
  it.each([
    ['2026-08-11', '2026-08-10T18:30:00.000Z'],
    ['2024-02-29', '2024-02-28T18:30:00.000Z'],
    ['2026-08-11T06:30:00Z', '2026-08-11T06:30:00.000Z'],
    ['2026-08-11T12:00:00+05:30', '2026-08-11T06:30:00.000Z'],
    ['2026-08-11T06:30:00.123456Z', '2026-08-11T06:30:00.123Z'],
  ])('%s is %s', (given, moments) => {
    expect((read(moment, given) as Date).toISOString()).toBe(moments);
  });

  it.each([
    '2026-02-30',
    '2026-02-29',
    '2100-02-29',
    '2026-04-31',
    '2026-13-01',
    '2026-00-10',
    '2026-08-00',
    '11-08-2026',
    '2026-8-1',
    '20260811',
    '2026-08-11T06:30:00',
    '2026-08-11T24:00:00Z',
    '2026-08-11T06:30:60Z',
    '2026-02-30T06:30:00Z',
    '2026-08-11T06:30:00+25:00',
    '1754892000000',
    'today',
    '',
    "2026-08-11'--",
  ])('%j does not exist', (given) => {
    expect(read(moment, given)).toEqual(refused('must be a date such as 2026-08-11 or a time such as'));
  });

  it.each(['0000-01-01', '0001-01-01', '1899-12-31', '9999-12-31T23:59:59-23:59', '3000-01-02'])(
    '%s is no year of a business',
    (given) => {
      expect(read(moment, given)).toEqual(refused('must lie between the years 1900 and 2999'));
    },
  );

  it('is a time that the database can hold, or refused', () => {
    const digits = fc.string({ unit: fc.constantFrom(...'0123456789'.split('')), minLength: 4, maxLength: 4 });
    const two = fc.nat(61).map((number) => String(number).padStart(2, '0'));
    const zone = fc.constantFrom('Z', '+05:30', '-23:59', '+23:59', '', 'z');
    const written = fc
      .tuple(digits, two, two, two, two, two, zone)
      .map(([year, month, day, h, m, s, offset]) => `${year}-${month}-${day}T${h}:${m}:${s}${offset}`);
    fc.assert(
      fc.property(
        fc.oneof(
          written,
          written.map((time) => time.slice(0, 10)),
          fc.string(),
        ),
        (given) => {
          const time = read(moment, given);
          if (time instanceof Date) expect(time.toISOString()).toMatch(/^(19|2\d|30)\d\d-/);
        },
      ),
    );
  });
});

describe('Text', () => {
  const name = text(10, 2);
  it.each([
    ['  Meera ', 'Meera'],
    ['मीरा शर्मा', 'मीरा शर्मा'],
    ['a\tb\nc', 'a\tb\nc'],
    ['😀😀', '😀😀'],
  ])('%j is %j', (given, kept) => {
    expect(read(name, given)).toBe(kept);
  });

  it.each([
    [' a ', 'Too small'],
    ['abcdefghijk', 'Too big'],
    ['ab\u0000', 'must not contain control characters'],
    ['ab\u001b[31m', 'must not contain control characters'],
    ['ab\u007f', 'must not contain control characters'],
    ['ab\ud800', 'must be valid Unicode'],
    ['\udc00ab', 'must be valid Unicode'],
  ])('%j is refused: %s', (given, message) => {
    expect(read(name, given)).toEqual(refused(message));
  });

  it.each([[1], [true], [null], [undefined], [[]], [{}], [['ab']]])('%j is no text', (given) => {
    expect(name.safeParse(given).error?.issues[0]?.message).toMatch('expected string');
  });

  it('is something PostgreSQL can keep, or refused', () => {
    const anyUnit = fc.nat(0xffff).map((unit) => String.fromCharCode(unit));
    fc.assert(
      fc.property(fc.string({ unit: anyUnit, maxLength: 12 }), (given) => {
        const kept = read(text(12), given);
        if (typeof kept !== 'string') return;
        expect(kept.isWellFormed() && !kept.includes('\0')).toBe(true);
        expect(kept).toBe(kept.trim());
      }),
    );
  });
});

describe('Other fields', () => {
  it.each([
    [password, 'seven-c', 'must have at least 8 characters'],
    [password, 'x'.repeat(201), 'Too big'],
    [password, `${'x'.repeat(12)}\ud800`, 'must be valid Unicode'],
    [slug, 'Ab', 'Too small'],
    [slug, 'Saraswati', 'must be lower-case letters and digits'],
    [slug, 'a--b', 'must be lower-case letters and digits'],
    [slug, '-ab', 'must be lower-case letters and digits'],
    [slug, 'ab-', 'must be lower-case letters and digits'],
    [slug, 'abc\n', 'must be lower-case letters and digits'],
    [pincode, '012345', 'must be six digits'],
    [pincode, '12345', 'must be six digits'],
    [pincode, '३२४००५', 'must be six digits'],
    [search, 'a', 'Too small'],
    [search, '%\0', 'must not contain control characters'],
  ] as [z.ZodType, string, string][])('%#: $1 is refused, $2', (field, given, message) => {
    expect(read(field, given)).toEqual({ refused: expect.arrayContaining([expect.stringContaining(message)]) });
  });

  it('a password keeps its spaces: they are part of it', () => {
    expect(read(password, '  three quiet rooms ')).toBe('  three quiet rooms ');
  });
});
