import type { DunningConsequence } from '../generated/prisma/enums.ts';
import { addDays } from '../utils/india-day.ts';

// When dunning does what (rule 25). Days in India.

/** How people are told; mail is what there is so far. */
export const DUNNING_CHANNELS = ['EMAIL'] as const;
export type DunningChannel = (typeof DUNNING_CHANNELS)[number];

/** A rung of the ladder; `day` counted from the day of the failure. */
export type LadderStep = { day: number; consequence: DunningConsequence; channels: readonly DunningChannel[] };

/** What a campaign plans, as a run keeps it. */
export type DunningPlan = {
  attemptGaps: readonly number[];
  steps: readonly LadderStep[];
  /** Rupees: nothing is done for less than this that is still due. */
  minimumAmount?: string;
};

/** The day of each attempt: the gaps add up. After failing on 1 August, 1, 8, 4 and 7 days fall on 2, 10, 14 and 21. */
export function attemptDays(failedOn: string, gaps: readonly number[]): string[] {
  let day = failedOn;
  return gaps.map((gap) => (day = addDays(day, gap)));
}

/** The day of each rung, counted from the failure and not from an attempt. */
export const stepDays = (failedOn: string, steps: readonly LadderStep[]): string[] =>
  steps.map(({ day }) => addDays(failedOn, day));

export type DunningDue = { kind: 'ATTEMPT' | 'CONSEQUENCE'; number: number; dueOn: string; step?: LadderStep };

/** Everything that is planned, by day; on one day an attempt comes before a consequence, which it may make needless. */
export function dunningSchedule(failedOn: string, { attemptGaps, steps }: DunningPlan): DunningDue[] {
  const attempts = attemptDays(failedOn, attemptGaps).map((dueOn, index) => ({
    kind: 'ATTEMPT' as const,
    number: index + 1,
    dueOn,
  }));
  const rungs = stepDays(failedOn, steps).map((dueOn, index) => ({
    kind: 'CONSEQUENCE' as const,
    number: index + 1,
    dueOn,
    step: steps[index],
  }));
  return [...attempts, ...rungs].toSorted((a, b) => a.dueOn.localeCompare(b.dueOn) || a.kind.localeCompare(b.kind));
}

/** What was done of a run, as far as the next step follows from it. */
export type DunningProgress = {
  startedOn: string;
  plan: DunningPlan;
  hardDeclined: boolean;
  attemptsMade: number;
  stepsTaken: number;
};

/** What is next; undefined when all is done. Without hope for attempts only the ladder goes on. */
export const nextOfRun = ({ startedOn, plan, hardDeclined, attemptsMade, stepsTaken }: DunningProgress) =>
  dunningSchedule(startedOn, plan).find(({ kind, number }) =>
    kind === 'ATTEMPT' ? !hardDeclined && number > attemptsMade : number > stepsTaken,
  );

/** When a payer is told of an attempt, so that a mandate is charged a whole day after that: the day before. */
export const noticeDay = (attemptOn: string): string => addDays(attemptOn, -1);

/** The day on which a run has to be looked at next: what is due, or the notice of the next attempt. */
export function nextDayOf(progress: DunningProgress & { noticeFor: number }): string | null {
  const next = nextOfRun(progress);
  if (!next) return null;
  const attempt = nextOfRun({ ...progress, stepsTaken: progress.plan.steps.length });
  const notice = attempt && attempt.number > progress.noticeFor ? noticeDay(attempt.dueOn) : null;
  return notice && notice < next.dueOn ? notice : next.dueOn;
}

const OPENS = '09:00';
const CLOSES = '20:00';

/** Nobody is dunned at night: from 9 to 20 o'clock in India, and else when it opens again. @param time `HH:MM` */
export const isDunningTime = (time: string): boolean => time >= OPENS && time < CLOSES;
