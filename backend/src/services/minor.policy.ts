import { DateTime } from 'luxon';
import { dayInIndia } from '../utils/india-time.ts';

const ADULT_YEARS = 18;

/**
 * Whether somebody is under 18 on that day in India; somebody whose date of birth is not known counts as grown up
 * (rule 14). Whoever was born on 29 February comes of age on 1 March.
 * @param dateOfBirth `YYYY-MM-DD`
 */
export function isMinor(dateOfBirth: string | null | undefined, now: Date): boolean {
  if (!dateOfBirth) return false;
  const [year = 0, month = 1, day = 1] = dateOfBirth.split('-').map(Number);
  const latestBirthday = `${String(year + ADULT_YEARS).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
  return dayInIndia(now) < latestBirthday;
}

/**
 * Who was born after this day is under 18 on that day in India: for statements that ask it of many.
 * @returns `YYYY-MM-DD`
 */
export const minorsBornAfter = (now: Date): string =>
  DateTime.fromISO(dayInIndia(now)).minus({ years: ADULT_YEARS }).toISODate() ?? '';

/** Whether somebody may be written to for marketing: they agreed, and are not under 18 (rule 14). */
export const mayBeMarketedTo = (
  person: { marketingConsent: boolean; dateOfBirth: string | null },
  now: Date,
): boolean => person.marketingConsent && !isMinor(person.dateOfBirth, now);
