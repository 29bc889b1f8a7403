import { DateTime } from 'luxon';
import { PLATFORM_TIME_ZONE } from '../config/constants.ts';

// Days as text, `YYYY-MM-DD`, in India: what billing counts in. They compare as text does.

const utc = (day: string): DateTime => DateTime.fromISO(day, { zone: 'utc' });

/** @throws Error for what is no day */
function checked(day: DateTime, told: string): string {
  const text = day.toISODate();
  if (!text) throw new Error(`${told} is no day`);
  return text;
}

export const addDays = (day: string, days: number): string => checked(utc(day).plus({ days }), day);

/** Whole days from one day to another: 1 from today to tomorrow. */
export const daysBetween = (from: string, to: string): number => utc(to).diff(utc(from), 'days').days;

/**
 * The day of that number so many months on, clamped to the end of a shorter month (rule 19): with anchor 31, one month
 * after 2026-01-31 is 2026-02-28, and one month after that 2026-03-31.
 * @param anchorDay 1 to 31
 */
export function addMonths(day: string, months: number, anchorDay: number): string {
  const month = utc(day).startOf('month').plus({ months });
  return checked(month.set({ day: Math.min(anchorDay, month.daysInMonth ?? 31) }), day);
}

export const dayOfMonth = (day: string): number => utc(day).day;
export const firstOfMonth = (day: string): string => `${day.slice(0, 7)}-01`;
/** `YYYY-MM` */
export const monthOf = (day: string): string => day.slice(0, 7);

/** 00:00 of the day in India, as a moment. */
export const startOfDay = (day: string): Date => DateTime.fromISO(day, { zone: PLATFORM_TIME_ZONE }).toJSDate();

/** The time of the day in India, `HH:MM`. */
export const timeInIndia = (moment: Date): string =>
  DateTime.fromJSDate(moment, { zone: PLATFORM_TIME_ZONE }).toFormat('HH:mm');

/** A day as Prisma writes it into a column of type `date`. */
export const dateColumn = (day: string): Date => new Date(`${day}T00:00:00Z`);
/** A day as Prisma reads it from a column of type `date`. */
export const dayOfColumn = (date: Date): string => date.toISOString().slice(0, 10);

/**
 * The Indian fiscal year of a day, April to March: `25-26` for 2026-03-31, `26-27` for 2026-04-01 (rule 17).
 */
export function fiscalYearOf(day: string): string {
  const { year, month } = utc(day);
  const first = month >= 4 ? year : year - 1;
  return [first, first + 1].map((one) => String(one % 100).padStart(2, '0')).join('-');
}
