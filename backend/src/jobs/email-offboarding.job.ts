import type { JobContext, JobHandler } from '../queues/job-context.ts';
import { sendEmail } from '../services/email.service.ts';
import { NOTICE_MS } from '../services/offboarding.service.ts';
import { sql } from '../utils/sql.ts';
import { portalLink, readableTime, recipientById } from './recipients.ts';

type Leaving = {
  tenantId: string;
  tenantName: string;
  tenantEmail: string;
  graceEndsAt: Date;
  noticeSentAt: Date | null;
  cancelled: boolean;
};

/** Tells an owner, or where none can be written to the tenant's own address, where the off-boarding stands. */
export const sendOffboarding: JobHandler<'email.offboarding'> = async (ctx, { offboardingId, what, userId }) => {
  const leaving = await leavingTenant(ctx, offboardingId);
  // Late news is no news: it was called off since, or begun anew.
  if (!leaving || leaving.cancelled !== (what === 'CANCELLED')) return;
  const { tenantId, tenantName } = leaving;
  const owner = userId ? await recipientById(ctx, userId) : { name: tenantName, email: leaving.tenantEmail };
  if (!owner) return ctx.log.info('Nobody to tell of an off-boarding', { offboardingId, userId });
  const order = { jobId: ctx.job.id, to: owner.email, tenantId, signal: ctx.job.signal };
  const names = { name: owner.name, tenantName };
  const exportLink = portalLink('/settings/export');
  if (what === 'CANCELLED') {
    const variables = () => ({ ...names, link: portalLink('/login') });
    return sendEmail(ctx, { ...order, template: 'offboarding-cancelled', variables });
  }
  if (what === 'BEGUN') {
    const variables = () => ({ ...names, graceEndsAt: readableTime(leaving.graceEndsAt), link: exportLink });
    return sendEmail(ctx, { ...order, template: 'offboarding-begun', variables });
  }
  const variables = () => ({ ...names, purgeAt: readableTime(earliestPurge(leaving)), link: exportLink });
  return sendEmail(ctx, { ...order, template: 'offboarding-notice', variables });
};

const earliestPurge = ({ graceEndsAt, noticeSentAt }: Leaving): Date =>
  new Date(Math.max(graceEndsAt.getTime(), (noticeSentAt?.getTime() ?? 0) + NOTICE_MS));

const leavingTenant = (ctx: JobContext, id: string): Promise<Leaving | undefined> =>
  ctx.sql.one<Leaving>(sql`
    select o.tenant_id as "tenantId", t.name as "tenantName", t.email as "tenantEmail", o.grace_ends_at as "graceEndsAt",
           o.notice_sent_at as "noticeSentAt", o.cancelled_at is not null as cancelled
      from offboardings o join tenants t on t.id = o.tenant_id
     where o.id = ${id} and o.purged_at is null`);
