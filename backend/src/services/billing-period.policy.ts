import type { BillingCycle } from '../generated/prisma/enums.ts';
import { addMonths } from '../utils/india-day.ts';
import type { Period } from './proration.policy.ts';

export const monthsOf = (cycle: BillingCycle): number => (cycle === 'ANNUAL' ? 12 : 1);

/**
 * The period that begins on a day. Its end falls on the anchor day, or on the last day of a shorter month; the next one
 * is back on the anchor: 31 Jan → 28 Feb → 31 Mar (rule 19).
 */
export const periodFrom = (start: string, cycle: BillingCycle, anchorDay: number): Period => ({
  start,
  end: addMonths(start, monthsOf(cycle), anchorDay),
});
