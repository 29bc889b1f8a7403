import type { JobHandler } from '../queues/job-context.ts';
import { sendEmail } from '../services/email.service.ts';
import { portalLink, readableTime, recipientById } from './recipients.ts';

/** Tells somebody that they have signed in on a new device, in case it was not them. */
export const sendNewSignIn: JobHandler<'email.new-sign-in'> = async (ctx, { userId, device, place, address }) => {
  const user = await recipientById(ctx, userId);
  if (!user) return ctx.log.info('Nobody to tell of a new device', { userId });
  await sendEmail(ctx, {
    jobId: ctx.job.id,
    template: 'new-sign-in',
    to: user.email,
    tenantId: user.tenantId,
    signal: ctx.job.signal,
    variables: () => ({
      name: user.name,
      link: portalLink('/forgot-password'),
      device,
      place,
      address,
      signedInAt: readableTime(ctx.job.queuedAt),
    }),
  });
};
