import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attemptDays, dunningSchedule, stepDays, type LadderStep } from '../../src/services/dunning-schedule.policy.ts';
import { addDays, daysBetween } from '../../src/utils/india-day.ts';

/** The campaign that comes with the product. */
const gaps = [1, 8, 4, 7];
const ladder: LadderStep[] = [
  { day: 1, consequence: 'REMINDER', channels: ['EMAIL'] },
  { day: 10, consequence: 'WARNING', channels: ['EMAIL'] },
  { day: 14, consequence: 'BLOCK', channels: ['EMAIL'] },
  { day: 21, consequence: 'CANCEL', channels: ['EMAIL'] },
];

describe('Dunning', () => {
  it('rule 25: attempts 1, 8, 4 and 7 days apart after failing on 1 August fall on 2, 10, 14 and 21 August', () => {
    expect(attemptDays('2026-08-01', gaps)).toEqual(['2026-08-02', '2026-08-10', '2026-08-14', '2026-08-21']);
  });

  it('rule 25: warning on 11, block on 15, cancel on 22 August', () => {
    const days = stepDays('2026-08-01', ladder);
    expect(ladder.map(({ consequence }, index) => [consequence, days[index]])).toEqual([
      ['REMINDER', '2026-08-02'],
      ['WARNING', '2026-08-11'],
      ['BLOCK', '2026-08-15'],
      ['CANCEL', '2026-08-22'],
    ]);
  });

  it('rule 25: is both, by day; on one day an attempt comes first', () => {
    const schedule = dunningSchedule('2026-08-01', { attemptGaps: gaps, steps: ladder });
    expect(schedule.map(({ dueOn, kind, number }) => `${dueOn.slice(8)} ${kind} ${number}`)).toEqual([
      '02 ATTEMPT 1',
      '02 CONSEQUENCE 1',
      '10 ATTEMPT 2',
      '11 CONSEQUENCE 2',
      '14 ATTEMPT 3',
      '15 CONSEQUENCE 3',
      '21 ATTEMPT 4',
      '22 CONSEQUENCE 4',
    ]);
    expect(schedule.at(-1)?.step).toEqual(ladder[3]);
  });

  it('crosses the ends of months and years', () => {
    expect(attemptDays('2026-12-28', gaps)).toEqual(['2026-12-29', '2027-01-06', '2027-01-10', '2027-01-17']);
    expect(dunningSchedule('2026-08-01', { attemptGaps: [], steps: [] })).toEqual([]);
  });

  it('keeps the gaps and the order, whatever is planned', () => {
    const plan = fc.record({
      offset: fc.integer({ min: 0, max: 20_000 }),
      attemptGaps: fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 8 }),
      days: fc.array(fc.integer({ min: 0, max: 90 }), { maxLength: 8 }),
    });
    fc.assert(
      fc.property(plan, ({ offset, attemptGaps, days }) => {
        const failedOn = addDays('2020-01-01', offset);
        const attempts = attemptDays(failedOn, attemptGaps);
        expect(attempts.map((day, index) => daysBetween(attempts[index - 1] ?? failedOn, day))).toEqual(attemptGaps);
        const steps = days.map((day): LadderStep => ({ day, consequence: 'REMINDER', channels: ['EMAIL'] }));
        const schedule = dunningSchedule(failedOn, { attemptGaps, steps });
        expect(schedule).toHaveLength(attemptGaps.length + days.length);
        const due = schedule.map(({ dueOn }) => dueOn);
        expect(due).toEqual(due.toSorted());
        for (const [index, { kind, dueOn }] of schedule.entries()) {
          if (kind === 'ATTEMPT') expect(schedule[index - 1]).not.toMatchObject({ kind: 'CONSEQUENCE', dueOn });
        }
      }),
    );
  });
});
