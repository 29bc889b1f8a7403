import { z } from 'zod';
import { PLATFORM_TIME_ZONE } from '../config/constants.ts';
import { defineJob } from './define-job.ts';

export const reportJobs = {
  /** Goes along every audit chain and raises the alarm when a link is broken. */
  'report.audit-verification': defineJob({
    queue: 'report',
    payload: z.strictObject({}),
    schedule: { pattern: '0 4 * * *', timeZone: PLATFORM_TIME_ZONE },
  }),
};
