import { addDays, addMonths, daysBetween, firstOfMonth, monthOf } from '../utils/india-day.ts';

// The periods that figures of the business are told for. Days and months are those of India, as text.

export type Bucket = 'day' | 'week' | 'month';

export type FigurePeriod = {
  /** Its first and its last day. */
  from: string;
  to: string;
  /** Whether it is over: what goes on is not compared with what is whole (rule 36). */
  complete: boolean;
};

/** A Monday, from which weeks are counted. */
const SOME_MONDAY = '2024-01-01';

/** The last day of a month. @param month `YYYY-MM` */
export const lastDayOf = (month: string): string => addDays(addMonths(`${month}-01`, 1, 1), -1);

/** The month so many months on. @param month `YYYY-MM` */
export const monthsAfter = (month: string, months: number): string => monthOf(addMonths(`${month}-01`, months, 1));

/** How many months lie from one to another: 1 from a month to the next. */
export const monthsApart = (from: string, to: string): number => {
  const [fromYear = 0, fromMonth = 0] = from.split('-').map(Number);
  const [toYear = 0, toMonth = 0] = to.split('-').map(Number);
  return (toYear - fromYear) * 12 + toMonth - fromMonth;
};

/** Every month from one to another, both included. */
export const monthsBetween = (from: string, to: string): string[] =>
  Array.from({ length: Math.max(0, monthsApart(from, to) + 1) }, (_, index) => monthsAfter(from, index));

/** A month, and as far as it has come: none reaches beyond today. */
export function monthPeriod(month: string, today: string): FigurePeriod {
  const last = lastDayOf(month);
  return { from: `${month}-01`, to: last < today ? last : today, complete: last < today };
}

/** The first day of the week, from Monday, or of the month that a day lies in. */
export function startOfBucket(day: string, bucket: Bucket): string {
  if (bucket === 'day') return day;
  if (bucket === 'month') return firstOfMonth(day);
  return addDays(day, -(((daysBetween(SOME_MONDAY, day) % 7) + 7) % 7));
}

const afterBucket = (start: string, bucket: Bucket): string => {
  if (bucket === 'month') return addMonths(start, 1, 1);
  return addDays(start, bucket === 'week' ? 7 : 1);
};

/**
 * The whole buckets that the days from one to another lie in; the last one as far as it has come.
 * @param most one more than this is made at most, so that whoever asks for too much is told without making it all
 */
export function bucketsBetween(
  { from, to }: { from: string; to: string },
  bucket: Bucket,
  { today, most }: { today: string; most: number },
): FigurePeriod[] {
  const periods: FigurePeriod[] = [];
  for (let start = startOfBucket(from, bucket); start <= to && periods.length <= most;) {
    const next = afterBucket(start, bucket);
    const last = addDays(next, -1);
    periods.push({ from: start, to: last < today ? last : today, complete: last < today });
    start = next;
  }
  return periods;
}
