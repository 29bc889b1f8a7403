import { z } from 'zod';
import { defineJob } from './define-job.ts';

const importId = z.string();

/** They wait while their tenant is shut out (rule 11): what they do is its business. */
export const importJobs = {
  /** Reads the file of an import and tries each of its rows. */
  'import.validate': defineJob({ queue: 'import', payload: z.strictObject({ importId }), whenShutOut: 'wait' }),
  /** Creates the people of the rows that are good. */
  'import.commit': defineJob({
    queue: 'import',
    payload: z.strictObject({ importId, committedById: z.string() }),
    whenShutOut: 'wait',
  }),
  /** Removes whom an import has created and nobody has touched since. */
  'import.undo': defineJob({ queue: 'import', payload: z.strictObject({ importId }), whenShutOut: 'wait' }),
};
