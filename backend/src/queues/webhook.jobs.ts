import { z } from 'zod';
import { PLATFORM_TIME_ZONE } from '../config/constants.ts';
import { defineJob } from './define-job.ts';

export const webhookJobs = {
  /** Sends new audit rows to the streams. One try: what failed is tried again with the next, as its own pause allows. */
  'webhook.audit-streams': defineJob({
    queue: 'webhook',
    payload: z.strictObject({}),
    attempts: 1,
    schedule: { pattern: '* * * * *', timeZone: PLATFORM_TIME_ZONE },
  }),
  /** Outside production: sends what the sandbox gateway has to tell. What was not taken goes with the next. */
  'webhook.sandbox-gateway': defineJob({
    queue: 'webhook',
    payload: z.strictObject({}),
    attempts: 1,
    schedule: { pattern: '* * * * *', timeZone: PLATFORM_TIME_ZONE },
  }),
};
