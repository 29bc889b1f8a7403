import type { JobHandler } from '../queues/job-context.ts';
import { PermanentError } from '../queues/permanent-error.ts';
import { issueInvite } from '../services/admin-invites.service.ts';
import { sendEmail } from '../services/email.service.ts';
import { portalLink, recipientById } from './recipients.ts';

const LINK_HOURS = 72;

/** Mails somebody the link by which they accept their invitation. */
export const sendInvite: JobHandler<'email.invite'> = async (ctx, { userId }) => {
  const user = await recipientById(ctx, userId);
  if (user?.status !== 'PENDING') return ctx.log.info('Nobody who waits for an invitation', { userId });
  await sendEmail(ctx, {
    jobId: ctx.job.id,
    template: 'invite',
    to: user.email,
    tenantId: user.tenantId,
    signal: ctx.job.signal,
    variables: async () => {
      const token = await ctx.transact((tx) => issueInvite(tx, user, LINK_HOURS));
      if (!token) throw new PermanentError('The invitation was revoked, or goes to another address, since');
      return { name: user.name, email: user.email, link: portalLink('/accept-invite', { token }), hours: LINK_HOURS };
    },
  });
};
