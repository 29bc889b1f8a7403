import type { JobContext, JobHandler } from '../queues/job-context.ts';
import {
  addressToConfirm,
  issueVerification,
  VERIFICATION_HOURS,
  type Addresses,
} from '../services/email-verification.service.ts';
import { sendEmail } from '../services/email.service.ts';
import { sql } from '../utils/sql.ts';
import { portalLink } from './recipients.ts';

type Person = Addresses & { id: string; tenantId: string | null; name: string };

const personOf = (ctx: JobContext, userId: string): Promise<Person | undefined> =>
  ctx.sql.one<Person>(sql`
    select id, tenant_id as "tenantId", name, email, pending_email as "pendingEmail", email_verified as "emailVerified"
      from users where id = ${userId} and status in ('ACTIVE', 'PENDING')`);

/** Mails a link to the address that waits to be confirmed. */
export const sendVerifyEmail: JobHandler<'email.verify-email'> = async (ctx, { userId }) => {
  const user = await personOf(ctx, userId);
  const address = user && addressToConfirm(user);
  const token = address ? await ctx.transact((tx) => issueVerification(tx, user, address)) : undefined;
  if (!address || !token) return ctx.log.info('No address that waits to be confirmed', { userId });
  await sendEmail(ctx, {
    jobId: ctx.job.id,
    template: 'verify-email',
    to: address,
    tenantId: user.tenantId,
    signal: ctx.job.signal,
    variables: () => ({
      name: user.name,
      email: address,
      link: portalLink('/verify-email', { token }),
      hours: VERIFICATION_HOURS,
    }),
  });
};
