import type { JobHandler } from '../queues/job-context.ts';
import { sendEmail } from '../services/email.service.ts';
import { debitNotice, type DebitNotice } from '../services/payment-mails.queries.ts';
import { addDays } from '../utils/india-day.ts';
import { dayInIndia } from '../utils/india-time.ts';
import { portalLink, readableDay, readableRupees } from './recipients.ts';

/** Tells a payer a day ahead what will be charged to their mandate, and how to stop it (rule 25). */
export const sendDebitNotice: JobHandler<'email.debit-notice'> = async (ctx, { invoiceId }) => {
  const notice = await ctx.sql.one<DebitNotice>(debitNotice(invoiceId));
  // Paid since, or nothing that could be charged.
  if (!notice?.isOpen || notice.label === null) return ctx.log.info('No debit to tell of', { invoiceId });
  const { tenantId, number, label, amountDue } = notice;
  const on = debitDay(notice, dayInIndia(ctx.now));
  await sendEmail(ctx, {
    jobId: ctx.job.id,
    template: 'debit-notice',
    to: notice.email,
    tenantId,
    signal: ctx.job.signal,
    variables: () => ({
      name: notice.name,
      number,
      amount: readableRupees(amountDue),
      method: label,
      debitOn: readableDay(on),
      link: portalLink('/billing/payment-methods'),
    }),
  });
};

/** Not before tomorrow: a day lies between the notice and the debit. */
function debitDay({ collectOn, attemptOn }: DebitNotice, today: string): string {
  const tomorrow = addDays(today, 1);
  const planned = collectOn ?? attemptOn ?? tomorrow;
  return planned > tomorrow ? planned : tomorrow;
}
