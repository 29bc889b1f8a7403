import type { JobPayload } from '../queues/index.ts';
import type { JobHandler } from '../queues/job-context.ts';
import { sendEmail } from '../services/email.service.ts';
import { portalLink, readableTime, recipientById } from './recipients.ts';

const sentences: Record<JobPayload<'email.mfa-changed'>['change'], string> = {
  TOTP_ON: 'An authenticator app was turned on for your StudySpot account.',
  TOTP_OFF: 'The authenticator app of your StudySpot account was turned off.',
  PASSKEY_ADDED: 'A passkey was added to your StudySpot account.',
  PASSKEY_REMOVED: 'A passkey was removed from your StudySpot account.',
  RECOVERY_CODES_RENEWED: 'New recovery codes were made for your StudySpot account; the earlier ones no longer work.',
  RESET: 'An admin took all second factors from your StudySpot account, and you were signed out everywhere.',
};

/** Tells somebody that their second factors were changed, in case it was not them. */
export const sendMfaChanged: JobHandler<'email.mfa-changed'> = async (ctx, { userId, change }) => {
  const user = await recipientById(ctx, userId);
  if (!user) return ctx.log.info('Nobody to tell of a changed second factor', { userId });
  await sendEmail(ctx, {
    jobId: ctx.job.id,
    template: 'mfa-changed',
    to: user.email,
    tenantId: user.tenantId,
    signal: ctx.job.signal,
    variables: () => ({
      name: user.name,
      what: sentences[change],
      changedAt: readableTime(ctx.job.queuedAt),
      link: portalLink('/forgot-password'),
    }),
  });
};
