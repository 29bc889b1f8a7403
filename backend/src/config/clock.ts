// The clock of the application: what requests and jobs take their time from. Outside production it can be set ahead, so
// that a year of billing can be played; processes and locks, sessions and time-outs go by the real time always.

let offsetMs = 0;

/** The moment that it is. */
export const clockNow = (): Date => new Date(Date.now() + offsetMs);

/** How far the clock is ahead of the real one, in milliseconds. */
export const clockOffset = (): number => offsetMs;

/** Sets the clock of this process alone; the others follow what the database says (`services/clock.service.ts`). */
export const setClockOffset = (milliseconds: number): void => void (offsetMs = milliseconds);
