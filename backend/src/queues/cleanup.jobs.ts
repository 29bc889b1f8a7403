import { z } from 'zod';
import { PLATFORM_TIME_ZONE } from '../config/constants.ts';
import { defineJob } from './define-job.ts';

export const cleanupJobs = {
  /** Makes the months of the audit trail that are to come, and drops those that are older than it is kept. */
  'cleanup.audit-months': defineJob({
    queue: 'cleanup',
    payload: z.strictObject({}),
    schedule: { pattern: '15 3 * * *', timeZone: PLATFORM_TIME_ZONE },
  }),
  /** Removes the files of exports that have served their time. */
  'cleanup.audit-exports': defineJob({
    queue: 'cleanup',
    payload: z.strictObject({}),
    schedule: { pattern: '20 * * * *', timeZone: PLATFORM_TIME_ZONE },
  }),
  'cleanup.data-exports': defineJob({
    queue: 'cleanup',
    payload: z.strictObject({}),
    schedule: { pattern: '25 * * * *', timeZone: PLATFORM_TIME_ZONE },
  }),
  'cleanup.revenue-reports': defineJob({
    queue: 'cleanup',
    payload: z.strictObject({}),
    schedule: { pattern: '40 * * * *', timeZone: PLATFORM_TIME_ZONE },
  }),
  /** Removes what a failed change of a tenant's logo has left behind: handed over before each. */
  'cleanup.logos': defineJob({ queue: 'cleanup', payload: z.strictObject({ tenantId: z.string() }) }),
  /** Tells owners that the purge of their tenant is near, and purges those whose time has come (rule 12). */
  'cleanup.offboarding': defineJob({
    queue: 'cleanup',
    payload: z.strictObject({}),
    schedule: { pattern: '35 * * * *', timeZone: PLATFORM_TIME_ZONE },
  }),
  /** Removes imports of people that are older than they are kept, with their files. */
  'cleanup.imports': defineJob({
    queue: 'cleanup',
    payload: z.strictObject({}),
    schedule: { pattern: '50 3 * * *', timeZone: PLATFORM_TIME_ZONE },
  }),
  /** Removes the file of an import from which somebody came whose data is erased. */
  'cleanup.import-file': defineJob({ queue: 'cleanup', payload: z.strictObject({ importId: z.string() }) }),
  /** Removes roles and direct grants whose time is over; they grant nothing any more as it is. */
  'cleanup.access': defineJob({
    queue: 'cleanup',
    payload: z.strictObject({}),
    schedule: { pattern: '*/5 * * * *', timeZone: PLATFORM_TIME_ZONE },
  }),
  /** Removes what has served its time: sessions, one-time tokens, answers kept for a repeat, published outbox rows. */
  'cleanup.expired': defineJob({
    queue: 'cleanup',
    payload: z.strictObject({}),
    schedule: { pattern: '30 3 * * *', timeZone: PLATFORM_TIME_ZONE },
  }),
};
