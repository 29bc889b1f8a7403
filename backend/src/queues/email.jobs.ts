import { z } from 'zod';
import { defineJob } from './define-job.ts';

const userId = z.strictObject({ userId: z.string().min(1) });

export const emailJobs = {
  /** Who asked is looked up by the job: the API never tells whether there is such an account. */
  'email.password-reset': defineJob({
    queue: 'email',
    payload: z
      .strictObject({
        email: z.string().optional(),
        phone: z.string().optional(),
        /** The address from which it was asked for; the mail tells it. */
        askedFrom: z.string().optional(),
      })
      .refine(
        ({ email, phone }) => (email === undefined) !== (phone === undefined),
        'needs either an email or a phone',
      ),
  }),
  /** A new owner chooses a password by a link. */
  'email.welcome': defineJob({ queue: 'email', payload: userId }),
  'email.password-changed': defineJob({ queue: 'email', payload: userId }),
};
