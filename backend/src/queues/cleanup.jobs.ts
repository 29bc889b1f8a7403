import { z } from 'zod';
import { PLATFORM_TIME_ZONE } from '../config/constants.ts';
import { defineJob } from './define-job.ts';

export const cleanupJobs = {
  /** Removes what has served its time: sessions, one-time tokens, answers kept for a repeat, published outbox rows. */
  'cleanup.expired': defineJob({
    queue: 'cleanup',
    payload: z.strictObject({}),
    schedule: { pattern: '30 3 * * *', timeZone: PLATFORM_TIME_ZONE },
  }),
};
