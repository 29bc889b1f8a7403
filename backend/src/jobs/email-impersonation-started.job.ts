import type { JobContext, JobHandler } from '../queues/job-context.ts';
import { sendEmail } from '../services/email.service.ts';
import { sql } from '../utils/sql.ts';
import { portalLink, readableTime } from './recipients.ts';

type Begun = {
  tenantId: string;
  tenantName: string;
  adminName: string;
  userName: string;
  reason: string;
  ticket: string;
  mode: string;
  startedAt: Date;
  expiresAt: Date;
  ownerName: string | null;
  ownerEmail: string | null;
};

/** Tells the owner of a library that support acts in the name of one of its people, and how to end that. */
export const sendImpersonationStarted: JobHandler<'email.impersonation-started'> = async (ctx, { impersonationId }) => {
  const begun = await begunImpersonation(ctx, impersonationId);
  if (!begun?.ownerEmail) return ctx.log.info('Nobody to tell of an impersonation', { impersonationId });
  const { tenantId, tenantName, adminName, userName, reason, ticket, mode } = begun;
  await sendEmail(ctx, {
    jobId: ctx.job.id,
    template: 'impersonation-started',
    to: begun.ownerEmail,
    tenantId,
    signal: ctx.job.signal,
    variables: () => ({
      name: begun.ownerName ?? 'owner',
      tenantName,
      adminName,
      userName,
      reason,
      ticket,
      extent: mode === 'READ_ONLY' ? 'They can look, and change nothing.' : 'They can look and change things.',
      startedAt: readableTime(begun.startedAt),
      endsAt: readableTime(begun.expiresAt),
      link: portalLink('/settings/support-access'),
    }),
  });
};

const begunImpersonation = (ctx: JobContext, id: string): Promise<Begun | undefined> =>
  ctx.sql.one<Begun>(sql`
    select i.tenant_id as "tenantId", t.name as "tenantName", i.admin_name as "adminName", i.user_name as "userName",
           i.reason, i.ticket, i.mode, i.started_at as "startedAt", i.expires_at as "expiresAt",
           o.name as "ownerName", o.email as "ownerEmail"
      from impersonations i join tenants t on t.id = i.tenant_id
      left join lateral (
        select name, email from users
         where tenant_id = i.tenant_id and kind = 'OWNER' and status = 'ACTIVE' and email is not null and deleted_at is null
         order by created_at, id limit 1) o on true
     where i.id = ${id}`);
