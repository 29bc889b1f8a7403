import type { JobHandler } from '../queues/job-context.ts';
import { creditNoteById, mailedCreditNote, type CreditNoteRow } from '../services/credit-notes.queries.ts';
import { sendEmail } from '../services/email.service.ts';
import { REASONS } from '../services/invoice-document.policy.ts';
import { creditNotePdf } from '../services/invoice-files.service.ts';
import { decimal } from '../utils/money.ts';
import { portalLink, readableDay, readableRupees } from './recipients.ts';

const partOf = (amount: string): string | null => (decimal(amount).isZero() ? null : readableRupees(amount));

/** Mails a credit note with its PDF, unless it was voided since. */
export const sendCreditNote: JobHandler<'email.credit-note'> = async (ctx, { creditNoteId }) => {
  const [[note], [to]] = await ctx.sql.batch<[CreditNoteRow[], { email: string }[]]>(
    creditNoteById(creditNoteId),
    mailedCreditNote(creditNoteId),
  );
  if (!note || !to || note.status === 'VOID')
    return ctx.log.info('No credit note that could be sent', { creditNoteId });
  const { credit, refund, offset } = note.disposition;
  await sendEmail(ctx, {
    jobId: ctx.job.id,
    template: 'credit-note',
    to: to.email,
    tenantId: note.tenantId,
    signal: ctx.job.signal,
    variables: () => ({
      name: note.buyer.legalName,
      number: note.number,
      issuedOn: readableDay(note.issueDate),
      total: readableRupees(note.total),
      invoiceNumber: note.invoice.number,
      reason: REASONS[note.reason].toLowerCase(),
      credited: partOf(credit),
      refunded: partOf(refund),
      setOff: partOf(offset),
      link: portalLink('/billing/invoices', { id: note.invoiceId }),
    }),
    attachments: async () => {
      const { name, content } = await creditNotePdf(ctx, note);
      return [{ filename: name, content, contentType: 'application/pdf' }];
    },
  });
};
