import { z } from 'zod';
import { PLATFORM_TIME_ZONE } from '../config/constants.ts';
import { defineJob } from './define-job.ts';

export const reportJobs = {
  /** Writes down where every audit chain ends, before all of them are verified. */
  'report.audit-anchors': defineJob({
    queue: 'report',
    payload: z.strictObject({}),
    schedule: { pattern: '45 3 * * *', timeZone: PLATFORM_TIME_ZONE },
  }),
  /** Writes the file of one export of audit rows. */
  'report.audit-export': defineJob({ queue: 'report', payload: z.strictObject({ exportId: z.string() }) }),
  /** Writes all data of a tenant into a zip. It goes on while the tenant is shut out: that is when they need it. */
  'report.tenant-export': defineJob({ queue: 'report', payload: z.strictObject({ exportId: z.string() }) }),
  /** Writes what is known of one person into a zip. */
  'report.person-export': defineJob({ queue: 'report', payload: z.strictObject({ exportId: z.string() }) }),
  /** Writes the people of a list into a file. It goes on while the tenant is shut out. */
  'report.people-export': defineJob({ queue: 'report', payload: z.strictObject({ exportId: z.string() }) }),
  /** Writes the file of one report of revenue: a return, a journal, an ageing. */
  'report.revenue': defineJob({ queue: 'report', payload: z.strictObject({ reportId: z.string() }) }),
  /** Goes along every audit chain and raises the alarm when a link is broken. */
  'report.audit-verification': defineJob({
    queue: 'report',
    payload: z.strictObject({}),
    schedule: { pattern: '0 4 * * *', timeZone: PLATFORM_TIME_ZONE },
  }),
};
