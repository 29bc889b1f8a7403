import { z } from 'zod';
import { PLATFORM_TIME_ZONE } from '../config/constants.ts';
import { defineJob } from './define-job.ts';

export const dunningJobs = {
  /** Takes the attempts and steps of dunning that are due. Safe to run twice, late, or in two workers. */
  'dunning.run': defineJob({
    queue: 'dunning',
    payload: z.strictObject({}),
    timeoutSeconds: 900,
    schedule: { pattern: '*/15 * * * *', timeZone: PLATFORM_TIME_ZONE },
  }),
};
