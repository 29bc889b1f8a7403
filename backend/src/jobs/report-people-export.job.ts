import type { JobHandler } from '../queues/job-context.ts';
import { makePeopleExport } from '../services/people-export.service.ts';

/** Writes the people of a list into a file. */
export const exportPeople: JobHandler<'report.people-export'> = async (ctx, { exportId }) =>
  makePeopleExport(ctx, exportId);
