import type { JobHandler } from '../queues/job-context.ts';
import { checkImport } from '../services/people-import-check.service.ts';

/** Reads the file of an import and tries each of its rows. */
export const validateImport: JobHandler<'import.validate'> = async (ctx, { importId }) => checkImport(ctx, importId);
