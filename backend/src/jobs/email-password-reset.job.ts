import type { JobContext, JobHandler } from '../queues/job-context.ts';
import { sendEmail } from '../services/email.service.ts';
import { issueOneTimeToken } from '../services/one-time-token.service.ts';
import { portalLink, readableTime, recipientByEmail, recipientByPhone, type Recipient } from './recipients.ts';

const LINK_MINUTES = 30;

/** Mails a link for a new password, if there is such an account. */
export const sendPasswordReset: JobHandler<'email.password-reset'> = async (ctx, { email, phone, askedFrom }) => {
  const user = email ? await recipientByEmail(ctx, email) : phone ? await recipientByPhone(ctx, phone) : undefined;
  if (!user) return ctx.log.info('Nobody to send a new password to');
  await sendEmail(ctx, {
    jobId: ctx.job.id,
    template: 'password-reset',
    to: user.email,
    tenantId: user.tenantId,
    signal: ctx.job.signal,
    variables: async () => ({
      name: user.name,
      link: portalLink('/reset-password', { token: await issueToken(ctx, user) }),
      minutes: LINK_MINUTES,
      askedAt: readableTime(ctx.job.queuedAt),
      askedFrom: askedFrom ?? null,
    }),
  });
};

/** Somebody who never had a password gets what the welcome mail would have brought. */
const issueToken = (ctx: JobContext, { id, tenantId, status }: Recipient): Promise<string> =>
  ctx.transact((tx) =>
    issueOneTimeToken(tx, {
      userId: id,
      tenantId,
      purpose: status === 'PENDING' ? 'WELCOME' : 'PASSWORD_RESET',
      minutes: LINK_MINUTES,
    }),
  );
