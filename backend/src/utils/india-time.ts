import { DateTime } from 'luxon';
import { PLATFORM_TIME_ZONE } from '../config/constants.ts';

/** The day it is in India at a moment, `YYYY-MM-DD`. */
export const dayInIndia = (moment: Date): string =>
  DateTime.fromJSDate(moment, { zone: PLATFORM_TIME_ZONE }).toISODate() ?? '';
