import type { JobHandler } from '../queues/job-context.ts';
import { sendEmail } from '../services/email.service.ts';
import { canonicalJson } from '../utils/canonical-json.ts';
import { sql } from '../utils/sql.ts';
import { readableTime } from './recipients.ts';

type Purged = {
  tenantId: string;
  slug: string;
  contactEmail: string | null;
  purgedAt: Date;
  certificate: { removed: { objects: number; rows: { rows: number }[] } };
  certificateHash: string;
};

/** Sends the certificate to the address that the tenant had, and then forgets that address. */
export const sendCertificate: JobHandler<'email.offboarding-certificate'> = async (ctx, { offboardingId }) => {
  const purged = await ctx.sql.one<Purged>(sql`
    select o.tenant_id as "tenantId", t.slug, o.contact_email as "contactEmail", o.purged_at as "purgedAt", o.certificate,
           o.certificate_hash as "certificateHash"
      from offboardings o join tenants t on t.id = o.tenant_id
     where o.id = ${offboardingId} and o.purged_at is not null`);
  if (!purged?.contactEmail) return ctx.log.info('The certificate was sent already', { offboardingId });
  const { tenantId, contactEmail, certificate } = purged;
  await sendEmail(ctx, {
    jobId: ctx.job.id,
    template: 'offboarding-certificate',
    to: contactEmail,
    tenantId: null,
    signal: ctx.job.signal,
    variables: () => ({
      slug: purged.slug,
      purgedAt: readableTime(purged.purgedAt),
      rows: certificate.removed.rows.reduce((all, { rows }) => all + rows, 0),
      objects: certificate.removed.objects,
      hash: purged.certificateHash,
      certificate: canonicalJson(certificate),
    }),
  });
  await ctx.transact(async ({ db }) => {
    await db.offboarding.update({ where: { id: offboardingId }, data: { contactEmail: null } });
    const recipient = `purged-${tenantId}@purged.invalid`;
    await db.emailDelivery.updateMany({ where: { jobId: ctx.job.id }, data: { recipient } });
  });
};
