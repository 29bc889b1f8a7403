import type { JobContext, JobHandler } from '../queues/job-context.ts';
import { sendEmail } from '../services/email.service.ts';
import { issueOneTimeToken } from '../services/one-time-token.service.ts';
import { portalLink, readableTime, recipientByEmail, recipientByPhone, type Recipient } from './recipients.ts';

const LINK_MINUTES = 30;
/** However many addresses ask for it, nobody gets more: a mailbox cannot be flooded. */
const MOST_MAILS_AN_HOUR = 3;

/** Mails a link for a new password, if there is such an account. */
export const sendPasswordReset: JobHandler<'email.password-reset'> = async (ctx, { email, phone, askedFrom }) => {
  const user = email ? await recipientByEmail(ctx, email) : phone ? await recipientByPhone(ctx, phone) : undefined;
  if (!user) return ctx.log.info('Nobody to send a new password to');
  const token = await issueToken(ctx, user);
  if (!token) return ctx.log.warn('This account gets no link for a new password now', { userId: user.id });
  await sendEmail(ctx, {
    jobId: ctx.job.id,
    template: 'password-reset',
    to: user.email,
    tenantId: user.tenantId,
    signal: ctx.job.signal,
    variables: () => ({
      name: user.name,
      link: portalLink('/reset-password', { token }),
      minutes: LINK_MINUTES,
      askedAt: readableTime(ctx.job.queuedAt),
      askedFrom: askedFrom ?? null,
    }),
  });
};

/**
 * Somebody who never had a password gets what the welcome mail would have brought. Jobs for the same person wait for
 * each other, so that each sees the links of the others; a further try of a mail that could not be sent is no new mail.
 */
const issueToken = (ctx: JobContext, { id, tenantId, status }: Recipient): Promise<string | undefined> =>
  ctx.transact(async (tx) => {
    await tx.db.$queryRaw`select id from users where id = ${id} for update`;
    const purpose = status === 'PENDING' ? 'WELCOME' : 'PASSWORD_RESET';
    const anHourAgo = new Date(tx.now.getTime() - 3_600_000);
    const sent = await tx.db.oneTimeToken.count({ where: { userId: id, purpose, createdAt: { gt: anHourAgo } } });
    if (sent >= MOST_MAILS_AN_HOUR && ctx.job.attempt === 1) return undefined;
    return issueOneTimeToken(tx, { userId: id, tenantId, purpose, minutes: LINK_MINUTES });
  });
