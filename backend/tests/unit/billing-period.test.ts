import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { monthsOf, periodFrom } from '../../src/services/billing-period.policy.ts';
import { daysBetween, dayOfMonth, monthOf } from '../../src/utils/india-day.ts';

/** The starts of the periods that follow each other. */
function starts(first: string, cycle: 'MONTHLY' | 'ANNUAL', anchorDay: number, count: number): string[] {
  const found = [first];
  while (found.length < count) found.push(periodFrom(found.at(-1) ?? first, cycle, anchorDay).end);
  return found;
}

describe('Periods', () => {
  it('rule 19: a month-end anchor clamps: 31 Jan → 28 Feb → 31 Mar', () => {
    expect(starts('2026-01-31', 'MONTHLY', 31, 5)).toEqual([
      '2026-01-31',
      '2026-02-28',
      '2026-03-31',
      '2026-04-30',
      '2026-05-31',
    ]);
  });

  it('of a year clamp as well: 29 February comes back in a leap year', () => {
    expect(starts('2024-02-29', 'ANNUAL', 29, 5)).toEqual([
      '2024-02-29',
      '2025-02-28',
      '2026-02-28',
      '2027-02-28',
      '2028-02-29',
    ]);
  });

  it('are as long as the month or the year', () => {
    expect(periodFrom('2026-08-01', 'MONTHLY', 1)).toEqual({ start: '2026-08-01', end: '2026-09-01' });
    expect(periodFrom('2026-08-11', 'ANNUAL', 11)).toEqual({ start: '2026-08-11', end: '2027-08-11' });
    expect([monthsOf('MONTHLY'), monthsOf('ANNUAL')]).toEqual([1, 12]);
  });

  const first = fc.record({
    year: fc.integer({ min: 2020, max: 2080 }),
    month: fc.integer({ min: 1, max: 12 }),
    anchorDay: fc.integer({ min: 1, max: 31 }),
  });
  const startOf = ({ year, month, anchorDay }: { year: number; month: number; anchorDay: number }) => {
    const last = new Date(Date.UTC(year, month, 0)).getUTCDate();
    return new Date(Date.UTC(year, month - 1, Math.min(anchorDay, last))).toISOString().slice(0, 10);
  };

  it('begin once in each month, on the anchor day or the last one, whenever they began', () => {
    fc.assert(
      fc.property(first, (drawn) => {
        const found = starts(startOf(drawn), 'MONTHLY', drawn.anchorDay, 30);
        expect(new Set(found.map(monthOf)).size).toBe(30);
        for (const start of found) expect(start).toBe(startOf({ ...parts(start), anchorDay: drawn.anchorDay }));
        for (const [index, start] of found.slice(1).entries()) {
          const length = daysBetween(found[index] ?? start, start);
          expect(length >= 28 && length <= 31, `${found[index]} ${start}`).toBe(true);
        }
      }),
    );
  });

  it('twelve of a month end where one of a year does', () => {
    fc.assert(
      fc.property(first, (drawn) => {
        const start = startOf(drawn);
        const monthly = starts(start, 'MONTHLY', drawn.anchorDay, 13).at(-1);
        expect(periodFrom(start, 'ANNUAL', drawn.anchorDay).end).toBe(monthly);
      }),
    );
  });

  const parts = (day: string) => ({
    year: Number(day.slice(0, 4)),
    month: Number(day.slice(5, 7)),
    day: dayOfMonth(day),
  });
});
