import type { JobHandler } from '../queues/job-context.ts';
import { sendEmail } from '../services/email.service.ts';
import { portalLink, readableTime, recipientById } from './recipients.ts';

/** Tells somebody that their password was changed, in case it was not them. */
export const sendPasswordChanged: JobHandler<'email.password-changed'> = async (ctx, { userId }) => {
  const user = await recipientById(ctx, userId);
  if (!user) return ctx.log.info('Nobody to tell of a changed password', { userId });
  await sendEmail(ctx, {
    jobId: ctx.job.id,
    template: 'password-changed',
    to: user.email,
    tenantId: user.tenantId,
    signal: ctx.job.signal,
    variables: () => ({
      name: user.name,
      link: portalLink('/forgot-password'),
      changedAt: readableTime(ctx.job.queuedAt),
    }),
  });
};
