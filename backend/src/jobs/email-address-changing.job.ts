import type { JobHandler } from '../queues/job-context.ts';
import { sendEmail } from '../services/email.service.ts';
import { portalLink, readableTime, recipientById } from './recipients.ts';

/** Tells the address that somebody is about to give up, in case it was not them who asked. */
export const sendAddressChanging: JobHandler<'email.address-changing'> = async (ctx, { userId, to }) => {
  const user = await recipientById(ctx, userId);
  if (!user) return ctx.log.info('Nobody to tell of a changed address', { userId });
  await sendEmail(ctx, {
    jobId: ctx.job.id,
    template: 'address-changing',
    to,
    tenantId: user.tenantId,
    signal: ctx.job.signal,
    variables: () => ({
      name: user.name,
      link: portalLink('/forgot-password'),
      askedAt: readableTime(ctx.job.queuedAt),
    }),
  });
};
