import type { JobHandler } from '../queues/job-context.ts';
import { sendEmail } from '../services/email.service.ts';
import { issueOneTimeToken } from '../services/one-time-token.service.ts';
import { portalLink, recipientById } from './recipients.ts';

const LINK_DAYS = 7;

/** Mails somebody new the link by which they choose their password. */
export const sendWelcome: JobHandler<'email.welcome'> = async (ctx, { userId }) => {
  const user = await recipientById(ctx, userId);
  if (user?.status !== 'PENDING') return ctx.log.info('Nobody who waits to be welcomed', { userId });
  const { tenantId } = user;
  await sendEmail(ctx, {
    jobId: ctx.job.id,
    template: 'welcome',
    to: user.email,
    tenantId,
    signal: ctx.job.signal,
    variables: async () => {
      const token = await ctx.transact((tx) =>
        issueOneTimeToken(tx, { userId, tenantId, purpose: 'WELCOME', minutes: LINK_DAYS * 24 * 60 }),
      );
      return {
        name: user.name,
        email: user.email,
        tenantName: user.tenantName ?? 'Your library',
        link: portalLink('/set-password', { token }),
        days: LINK_DAYS,
      };
    },
  });
};
