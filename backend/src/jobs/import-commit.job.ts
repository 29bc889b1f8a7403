import type { JobHandler } from '../queues/job-context.ts';
import { commitRows } from '../services/people-import-commit.service.ts';

/** Creates the people of the rows that are good. */
export const commitImport: JobHandler<'import.commit'> = async (ctx, { importId, committedById }) =>
  commitRows(ctx, importId, committedById);
