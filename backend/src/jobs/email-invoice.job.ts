import type { JobHandler } from '../queues/job-context.ts';
import { sendEmail } from '../services/email.service.ts';
import { invoicePdf } from '../services/invoice-files.service.ts';
import { invoiceById, mailedInvoice, type InvoiceRow, type MailedInvoice } from '../services/invoices.queries.ts';
import { orNotFound } from '../utils/errors.ts';
import { decimal } from '../utils/money.ts';
import { portalLink, readableDay, readableRupees } from './recipients.ts';

/** Mails an invoice with its PDF, unless it was voided since; and notes when. */
export const sendInvoice: JobHandler<'email.invoice'> = async (ctx, { invoiceId, to }) => {
  const mailed = await ctx.sql.one<MailedInvoice>(mailedInvoice(invoiceId));
  if (!mailed || mailed.status === 'VOID') return ctx.log.info('No invoice that could be sent', { invoiceId });
  const { tenantId, number, total, amountDue } = mailed;
  await sendEmail(ctx, {
    jobId: ctx.job.id,
    template: 'invoice',
    to: to ?? mailed.email,
    tenantId,
    signal: ctx.job.signal,
    variables: () => ({
      name: mailed.buyerName,
      number,
      issuedOn: readableDay(mailed.issueDate),
      total: readableRupees(total),
      amountDue: decimal(amountDue).isZero() ? null : readableRupees(amountDue),
      dueOn: readableDay(mailed.dueDate),
      link: portalLink('/billing/invoices', { id: invoiceId }),
    }),
    attachments: async () => {
      const row = orNotFound(await ctx.sql.one<InvoiceRow>(invoiceById(invoiceId, false)), 'invoice');
      const { name, content } = await invoicePdf(ctx, row);
      return [{ filename: name, content, contentType: 'application/pdf' }];
    },
  });
  await ctx.transact(async ({ db }) => {
    await db.$executeRaw`update invoices set sent_at = ${ctx.now}, updated_at = ${ctx.now} where id = ${invoiceId}`;
  });
};
