import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as days from '../../src/utils/india-day.ts';
import { dayInIndia } from '../../src/utils/india-time.ts';

const day = fc
  .date({ min: new Date('2000-01-01'), max: new Date('2099-12-31'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10));
const monthNumber = (text: string) => Number(text.slice(0, 4)) * 12 + Number(text.slice(5, 7));

describe('The day in India', () => {
  it.each([
    ['2026-03-31T18:29:59Z', '2026-03-31', '25-26'],
    ['2026-03-31T18:30:00Z', '2026-04-01', '26-27'],
  ])('rule 17: what is finalized at %s is of %s, in the fiscal year %s', (moment, expected, fiscalYear) => {
    const text = dayInIndia(new Date(moment));
    expect(text).toBe(expected);
    expect(days.fiscalYearOf(text)).toBe(fiscalYear);
  });

  it.each([
    ['2026-01-01', '25-26'],
    ['2026-12-31', '26-27'],
    ['1999-04-01', '99-00'],
    ['2000-03-31', '99-00'],
    ['2009-04-01', '09-10'],
  ])('rule 17: %s is in the fiscal year %s', (text, fiscalYear) => {
    expect(days.fiscalYearOf(text)).toBe(fiscalYear);
  });

  it('begins at 18:30 UTC the day before', () => {
    expect(days.startOfDay('2026-08-11').toISOString()).toBe('2026-08-10T18:30:00.000Z');
    expect(days.timeInIndia(new Date('2026-08-10T18:30:00Z'))).toBe('00:00');
    expect(days.timeInIndia(new Date('2026-08-10T03:31:00Z'))).toBe('09:01');
    fc.assert(fc.property(day, (text) => dayInIndia(days.startOfDay(text)) === text));
  });

  it('is the same in a column of the database and back', () => {
    fc.assert(fc.property(day, (text) => days.dayOfColumn(days.dateColumn(text)) === text));
  });
});

describe('Days', () => {
  it('are counted over leap years and the ends of months', () => {
    expect(days.addDays('2026-02-28', 1)).toBe('2026-03-01');
    expect(days.addDays('2028-02-28', 1)).toBe('2028-02-29');
    expect(days.addDays('2026-01-01', -1)).toBe('2025-12-31');
    expect(days.daysBetween('2026-08-01', '2026-09-01')).toBe(31);
    expect(days.daysBetween('2026-08-11', '2026-09-01')).toBe(21);
    expect(days.daysBetween('2026-08-11', '2026-08-11')).toBe(0);
    expect(() => days.addDays('2026-02-30', 1)).toThrow('is no day');
  });

  it('that were added are between, whichever they are', () => {
    fc.assert(
      fc.property(day, fc.integer({ min: -5000, max: 5000 }), (text, count) => {
        const later = days.addDays(text, count);
        expect(days.daysBetween(text, later)).toBe(count);
        expect(days.addDays(later, -count)).toBe(text);
        expect(later > text).toBe(count > 0);
      }),
    );
  });

  it('know their month', () => {
    expect(days.firstOfMonth('2026-08-11')).toBe('2026-08-01');
    expect(days.monthOf('2026-08-11')).toBe('2026-08');
    expect(days.dayOfMonth('2026-08-11')).toBe(11);
  });
});

describe('Months', () => {
  it('rule 19: clamp to the end of a shorter month and come back to the anchor: 31 Jan → 28 Feb → 31 Mar', () => {
    expect(days.addMonths('2026-01-31', 1, 31)).toBe('2026-02-28');
    expect(days.addMonths('2026-02-28', 1, 31)).toBe('2026-03-31');
    expect(days.addMonths('2026-03-31', 1, 31)).toBe('2026-04-30');
    expect(days.addMonths('2028-01-31', 1, 31)).toBe('2028-02-29');
    expect(days.addMonths('2027-02-28', 12, 29)).toBe('2028-02-29');
  });

  const anchor = fc.integer({ min: 1, max: 31 });

  it('that are added never skip one, and never fall twice in one', () => {
    fc.assert(
      fc.property(day, anchor, fc.integer({ min: 0, max: 240 }), (text, anchorDay, months) => {
        const later = days.addMonths(text, months, anchorDay);
        expect(monthNumber(later)).toBe(monthNumber(text) + months);
        const last = days.dayOfMonth(days.addDays(days.addMonths(text, months + 1, 1), -1));
        expect(days.dayOfMonth(later)).toBe(Math.min(anchorDay, last));
      }),
      { numRuns: 1000 },
    );
  });

  it('one by one come to the same as all at once', () => {
    fc.assert(
      fc.property(day, anchor, fc.integer({ min: 1, max: 48 }), (text, anchorDay, months) => {
        let step = text;
        for (let month = 0; month < months; month += 1) step = days.addMonths(step, 1, anchorDay);
        expect(step).toBe(days.addMonths(text, months, anchorDay));
      }),
    );
  });
});
