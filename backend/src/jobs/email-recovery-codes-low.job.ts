import type { JobHandler } from '../queues/job-context.ts';
import { sendEmail } from '../services/email.service.ts';
import { portalLink, readableTime, recipientById } from './recipients.ts';

/** Warns somebody whose recovery codes run out, while they still have some. */
export const sendRecoveryCodesLow: JobHandler<'email.recovery-codes-low'> = async (ctx, { userId, left }) => {
  const user = await recipientById(ctx, userId);
  if (!user) return ctx.log.info('Nobody to warn of few recovery codes', { userId });
  await sendEmail(ctx, {
    jobId: ctx.job.id,
    template: 'recovery-codes-low',
    to: user.email,
    tenantId: user.tenantId,
    signal: ctx.job.signal,
    variables: () => ({
      name: user.name,
      left,
      usedAt: readableTime(ctx.job.queuedAt),
      link: portalLink('/account/security'),
    }),
  });
};
