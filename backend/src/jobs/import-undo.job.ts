import type { JobHandler } from '../queues/job-context.ts';
import { undoRows } from '../services/people-import-undo.service.ts';

/** Removes whom an import has created and nobody has touched since. */
export const undoImport: JobHandler<'import.undo'> = async (ctx, { importId }) => undoRows(ctx, importId);
